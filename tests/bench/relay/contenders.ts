// Who is measured: this relay in its variants, and the others.

import type { Speech } from './generator/job.ts'
import { cores } from './machine.ts'

export interface Contender {
  name: string
  /** As a column's head. */
  label: string
  /** In `servers/`. */
  script: string
  /** Behind the data directory, for this relay. */
  args: readonly string[] | undefined
  speech: Speech
  cores: string
}

const ours = { script: 'dupecord', cores: cores.server } as const
const theirs = { args: undefined, cores: cores.server } as const

export const contenders = {
  relay: { ...ours, name: 'relay', label: 'this relay', args: ['verified', 'long'], speech: 'dupecord' },
  unverified: { ...ours, name: 'unverified', label: '… unverified', args: ['unverified', 'long'], speech: 'dupecord' },
  secondCore: {
    ...ours,
    name: 'secondCore',
    label: '… second core',
    args: ['second-core', 'long'],
    speech: 'dupecord',
    cores: cores.both,
  },
  devices: { ...ours, name: 'devices', label: '… to devices', args: ['verified', 'shipped'], speech: 'dupecord-devices' },
  shipped: { ...ours, name: 'shipped', label: 'this relay', args: ['verified', 'shipped'], speech: 'dupecord' },
  hocuspocus: { ...theirs, name: 'hocuspocus', label: 'Hocuspocus', script: 'hocuspocus', speech: 'hocuspocus' },
  stock: { ...theirs, name: 'stock', label: 'y-websocket', script: 'stock', speech: 'y-websocket' },
  bare: { ...theirs, name: 'bare', label: 'bare ws', script: 'bare', speech: 'bare' },
} as const satisfies Record<string, Contender>
