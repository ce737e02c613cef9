// Times as the reader's clock has them; dates with the month as a word.
const clockTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const dayAndTime = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' })

/** @param ms since 1970; today shows the hour alone */
export function whenShort(ms: number, nowMs: number): string {
  const then = new Date(ms)
  const isToday = then.toDateString() === new Date(nowMs).toDateString()
  return isToday ? clockTime.format(then) : dayAndTime.format(then)
}

/** "1 message", "2 messages". */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`
}
