// Frames of version 1 are frozen: devices of every age send and read these bytes. Add files here, never edit one.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { encodeDown, encodeUp } from '#shared/protocol/frame-codec.ts'
import { framesDown, framesUp, laterFramesDown } from '../../unit/protocol/frame-samples.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const written = (frame: { kind: string }, bytes: Uint8Array) =>
  frame.kind === 'control' ? `00 ${new TextDecoder().decode(bytes.subarray(1))}` : hex(bytes)

test('frames of version 1', () => {
  const frozen = JSON.parse(readFileSync(new URL('./frames-1.json', import.meta.url), 'utf8'))
  expect(framesUp.map((frame) => written(frame, encodeUp(frame)))).toEqual(frozen.up)
  expect(framesDown.map((frame) => written(frame, encodeDown(frame)))).toEqual(frozen.down)
})

test('frames that came later', () => {
  const frozen = JSON.parse(readFileSync(new URL('./frames-2.json', import.meta.url), 'utf8'))
  expect(laterFramesDown.map((frame) => written(frame, encodeDown(frame)))).toEqual(frozen.down)
})
