// Which caches the service worker deletes when a new build takes over.
import { expect, test } from 'vitest'
import { outdatedShells } from '#app/service-worker/old-shells.ts'

test('[SHELL-1] pages of the last two builds keep their parts; older shells go, and no other cache is touched', () => {
  expect(outdatedShells(['shell-b'], 'shell-b')).toEqual([])
  expect(outdatedShells(['shell-a', 'shell-b'], 'shell-b')).toEqual([])
  expect(outdatedShells(['pictures', 'shell-a', 'shell-b', 'shell-c', 'shell-d', 'pages'], 'shell-d')).toEqual(['shell-a'])
  expect(outdatedShells(['shell-a', 'shell-b', 'shell-c', 'shell-d'], 'shell-a')).toEqual(['shell-b'])
})
