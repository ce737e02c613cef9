// Serialises the core's steps: events queue up, and one run takes all that wait (bounded) and ends before the next begins.
// A run that fails ends the mailbox: what memory says is not what the disk says any more.

export interface Mailbox<Event> {
  post(event: Event): void
  /** Resolves when nothing waits and nothing runs, or when the mailbox has ended. */
  idle(): Promise<void>
  /** Nothing more is run; what waits is given back. Resolves when the present run is over. */
  end(): Promise<Event[]>
}

export function createMailbox<Event>(
  runMax: number,
  run: (events: Event[]) => Promise<void>,
  failed: (error: unknown, lost: Event[]) => void,
): Mailbox<Event> {
  let queue: Event[] = []
  let running: Promise<void> | undefined
  let ended = false

  const loop = async () => {
    while (queue.length > 0 && !ended) {
      const events = queue.slice(0, runMax)
      queue = queue.slice(runMax)
      try {
        await run(events)
      } catch (error) {
        ended = true
        failed(error, [...events, ...queue])
        queue = []
      }
    }
    running = undefined
  }

  return {
    post: (event) => {
      if (ended) return
      queue.push(event)
      // A microtask later, so that whoever posts several at once gets one run for them.
      running ??= Promise.resolve().then(loop)
    },
    idle: async () => {
      while (running) await running
    },
    end: async () => {
      ended = true
      await running
      const rest = queue
      queue = []
      return rest
    },
  }
}
