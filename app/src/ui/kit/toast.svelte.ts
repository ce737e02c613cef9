// One line over the list that goes by itself. Sparingly: only for what one did and cannot see, never for what went wrong.
// The library comes with the first toast, so that the first paint does not carry it.
let host = $state.raw<typeof import('svelte-sonner').Toaster | undefined>()

/** Stays long enough to be read twice. */
const staysMs = 6_000

export function toastHost(): typeof host {
  return host
}

export async function say(text: string): Promise<void> {
  const sonner = await import('svelte-sonner')
  host = sonner.Toaster
  sonner.toast(text, { duration: staysMs })
}
