// Sockets that have not said who they are, by address: whoever opens many and says nothing gets no more of them.
export interface Newcomers<Socket> {
  hasRoom(address: string): boolean
  add(address: string, socket: Socket): void
  remove(address: string, socket: Socket): void
}

/** @param most of one address at one time @param isGreeted asked only when somebody else of that address comes */
export function createNewcomers<Socket>(most: number, isGreeted: (socket: Socket) => boolean): Newcomers<Socket> {
  const waiting = new Map<string, Set<Socket>>()
  const remove = (address: string, socket: Socket) => {
    const here = waiting.get(address)
    here?.delete(socket)
    if (here?.size === 0) waiting.delete(address)
  }
  return {
    hasRoom(address) {
      for (const socket of waiting.get(address) ?? []) if (isGreeted(socket)) remove(address, socket)
      return (waiting.get(address)?.size ?? 0) < most
    },
    add(address, socket) {
      const here = waiting.get(address)
      if (here) here.add(socket)
      else waiting.set(address, new Set([socket]))
    },
    remove,
  }
}
