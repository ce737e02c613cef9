import { expect, test } from 'vitest'
import type { CommunityView } from '#app/state/communities.svelte.ts'
import { cutAt, targetsOf } from '#app/ui/dialogs/switch.ts'
import { idFromBytes } from '#shared/base/ids.ts'

const id = <Kind extends string>(n: number) => idFromBytes<Kind>(new Uint8Array(16).fill(n))

function community(n: number, name: string, channels: string[], unreadAt = -1): CommunityView {
  return {
    id: id(n),
    name,
    owner: id(200),
    mine: false,
    memberCount: 1,
    unread: unreadAt >= 0,
    pending: false,
    channels: channels.map((channel, at) => ({
      id: id(n * 10 + at),
      name: channel,
      kind: 'text',
      topic: '',
      position: `a${at}`,
      unread: at === unreadAt ? 2 : 0,
      pending: false,
    })),
  }
}

const all = [
  community(1, 'Lamp & Sheet', ['general', 'code-and-counts', 'noctuids']),
  community(2, 'Noctua', ['general', 'quiet']),
  community(3, 'Öland', ['東アジア'], 0),
]
const names = (sought: string) => targetsOf(all, sought).map(({ name, where }) => (where ? `${where}/${name}` : name))

test('[UI-GO-1] a name that begins with what is sought comes before one that only has it inside, the shorter first', () => {
  expect(names('noct')).toEqual(['Noctua', 'Lamp & Sheet/noctuids'])
  expect(names('counts')).toEqual(['Lamp & Sheet/code-and-counts'])
  expect(names('ounts')).toEqual(['Lamp & Sheet/code-and-counts'])
  expect(names('nothing of that')).toEqual([])
})

test('[UI-GO-2] accents and capitals do not hide a name, and every script is found', () => {
  expect(names('oland')).toEqual(['Öland'])
  expect(names('LAMP')).toEqual(['Lamp & Sheet'])
  expect(names('東')).toEqual(['Öland/東アジア'])
})

test('[UI-GO-3] "#" seeks channels only and "*" communities only', () => {
  expect(names('#noct')).toEqual(['Lamp & Sheet/noctuids'])
  expect(names('*noct')).toEqual(['Noctua'])
})

test('[UI-GO-4] with nothing sought, what is new stands first', () => {
  expect(names('').slice(0, 2)).toEqual(['Öland', 'Öland/東アジア'])
})

test('[UI-GO-5] what was found is marked where it stands in the name', () => {
  expect(cutAt('Pug night, the nocturnal list', '#NOCT')).toEqual(['Pug night, the ', 'noct', 'urnal list'])
  expect(cutAt('Öland', 'oland')).toEqual(['Öland', '', ''])
})
