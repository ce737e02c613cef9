import { expect, test } from 'vitest'
import { createAddressReader } from '#relay/http/client-address.ts'

test.each([
  ['192.0.2.1', '', '192.0.2.1'],
  ['::ffff:192.0.2.1', '', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:2::', '', '2001:db8:1:2::/64'],
  ['::1', '', '0:0:0:0::/64'],
  ['fe80::1%eth0', '', 'fe80:0:0:0::/64'],
  ['', '', ''],
])('[ADR-1] %s is counted as %s%s', (peer, header, counted) => {
  expect(createAddressReader([])(peer, header)).toBe(counted)
})

test.each([
  ['127.0.0.1', '203.0.113.5', '203.0.113.5'],
  ['127.0.0.1', '198.51.100.1, 203.0.113.5', '203.0.113.5'],
  ['127.0.0.1', '203.0.113.5, 10.2.3.4', '203.0.113.5'],
  ['::ffff:127.0.0.1', '203.0.113.5:4711', '203.0.113.5'],
  ['fd00::9', '[2001:db8::1]:4711', '2001:db8:0:0::/64'],
  ['127.0.0.1', '', '127.0.0.1'],
  ['127.0.0.1', 'unknown', '127.0.0.1'],
  ['127.0.0.1', '203.0.113.5, <script>', '127.0.0.1'],
  ['192.0.2.1', '203.0.113.5', '192.0.2.1'],
  ['127.0.0.1', '10.9.9.9, 10.2.3.4', '10.9.9.9'],
])('[ADR-2] from %s, forwarded for "%s": %s', (peer, header, counted) => {
  expect(createAddressReader(['127.0.0.1', '10.0.0.0/8', 'fd00::/8'])(peer, header)).toBe(counted)
})

test('[ADR-3] a proxy that is no address ends the start', () => {
  expect(() => createAddressReader(['proxy.example'])).toThrow('proxy.example')
})
