// Moments in words, in the reader's clock and zone. Dates have the month as a word, in the language of the page.

const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long' })
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long' })
const dateOfYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })

/** 22:52, or as the reader's own clock has it. */
export function hourWords(ms: number): string {
  return hour.format(ms)
}

/** The reader's local day as a number that rises by day: 20260613. */
export function dayOf(ms: number): number {
  const at = new Date(ms)
  return at.getFullYear() * 10_000 + (at.getMonth() + 1) * 100 + at.getDate()
}

/** 13 June, with the year where it is another than that of `now`. */
export function dateWords(ms: number, now: number): string {
  return (new Date(ms).getFullYear() === new Date(now).getFullYear() ? date : dateOfYear).format(ms)
}

/** Saturday */
export function weekdayWords(ms: number): string {
  return weekday.format(ms)
}

/** 22:52, or 12 June 22:52 where that is another day than `now`. */
export function momentWords(ms: number, now: number): string {
  return dayOf(ms) === dayOf(now) ? hourWords(ms) : `${dateWords(ms, now)} ${hourWords(ms)}`
}

/** written offline at 12:03, arrived 15:20 */
export function lateWords(at: number, arrived: number): string {
  const written = dayOf(at) === dayOf(arrived) ? hourWords(at) : `${hourWords(at)} on ${dateWords(at, arrived)}`
  return `written offline at ${written}, arrived ${hourWords(arrived)}`
}

/** For `datetime` of a time element. */
export function machineTime(ms: number): string {
  return new Date(ms).toISOString()
}
