// Whose request is it? The peer's address, or what a configured proxy says of it; in the form in which it is counted: IPv6 by /64, since
// that is what one customer gets, and IPv4 whole, also where it comes wrapped in IPv6.
import { BlockList, isIP } from 'node:net'

/** @param peer the socket's remote address @param forwardedFor the X-Forwarded-For header, '' without one */
export type AddressReader = (peer: string, forwardedFor: string) => string

/**
 * The nearest address that no trusted proxy spoke for: anything further left is the client's own word.
 * @param trusted addresses and subnets as in `10.0.0.0/8` @throws {Error} at start, for one that is neither
 */
export function createAddressReader(trusted: readonly string[]): AddressReader {
  const proxies = new BlockList()
  for (const entry of trusted) {
    const [address = '', bits] = entry.split('/')
    const kind = isIP(address)
    if (kind === 0) throw new Error(`not an address or a subnet: ${entry}`)
    if (bits === undefined) proxies.addAddress(address, kind === 6 ? 'ipv6' : 'ipv4')
    else proxies.addSubnet(address, Number(bits), kind === 6 ? 'ipv6' : 'ipv4')
  }
  const isProxy = (address: string) => isIP(address) !== 0 && proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return (peer, forwardedFor) => {
    let address = plain(peer)
    const said = forwardedFor.split(',').map((part) => plain(part.trim()))
    while (isProxy(address)) {
      const before = said.pop()
      if (before === undefined || isIP(before) === 0) break
      address = before
    }
    return counted(address)
  }
}

/** Without a zone, a port or the IPv6 wrapping of an IPv4 address. */
function plain(raw: string): string {
  const address = /^\[([^\]]*)\](?::\d+)?$/.exec(raw)?.[1] ?? /^([\d.]+):\d+$/.exec(raw)?.[1] ?? raw
  const bare = address.split('%')[0] ?? ''
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare
}

function counted(address: string): string {
  if (isIP(address) !== 6) return address
  // The URL parser writes every IPv6 address in one way (RFC 5952), so that a /64 has one name.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
  return `${groups.slice(0, 4).join(':')}::/64`
}
