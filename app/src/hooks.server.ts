// Runs while the one page is built, never at the relay: names what the browser should fetch before it has read the styles.
import type { Handle } from '@sveltejs/kit/hooks'

/** Latin letters are on every page; the other scripts come when they are met. */
const alwaysSeen = 'commissioner-latin-full'

export const handle: Handle = ({ event, resolve }) =>
  resolve(event, {
    preload: ({ type, path }) => type === 'js' || type === 'css' || (type === 'font' && path.includes(alwaysSeen)),
  })
