// Light, dark, or as the system has it. Of this browser, not of the account: a dark room is where the device is.
const place = 'dupecord.theme'
const themes = ['system', 'light', 'dark'] as const

export type Theme = (typeof themes)[number]

let chosen = $state<Theme>('system')

export function theme(): Theme {
  return chosen
}

/** Reads the choice of an earlier visit. Called before the first thing is drawn. */
export function startTheme(): void {
  apply(themes.find((name) => name === localStorage.getItem(place)) ?? 'system')
  window.addEventListener('storage', (event) => {
    if (event.key === place) apply(themes.find((name) => name === event.newValue) ?? 'system')
  })
}

export function setTheme(next: Theme): void {
  localStorage.setItem(place, next)
  apply(next)
}

function apply(next: Theme): void {
  chosen = next
  if (next === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = next
}
