// A process that can die: what it calls of the world waits in one queue, in order, until the schedule lets the next call happen.
// A dead process hears nothing more: calls that it made are lost or were done without its knowledge, and its code never goes on.

/** What befalls the process at its `calls`-th call from now on: it dies before or after it, is told that it failed (done or not), or the disk is full. */
export interface Mishap {
  calls: number
  how: 'dies-before' | 'dies-after' | 'fails-before' | 'fails-after' | 'fills'
}

export class WorldBroke extends Error {
  override name = 'WorldBroke'
}

/** Says what SQLite says. */
export class DiskFull extends WorldBroke {
  readonly errcode = 13
}

/** A disk without room: every call that writes fails, and what is there can be read. It outlives the process. */
export interface Room {
  full: boolean
  /** Calls that it refused. */
  refusals: number
}

export function createRoom(): Room {
  return { full: false, refusals: 0 }
}

export interface PortOptions {
  /** Its calls may be answered by an error. */
  mayFail: boolean
  /** The methods that need room on the disk. */
  writes?: readonly string[]
  /** Runs when a call was done, before its caller hears of it. */
  watch?: (method: string, args: unknown[]) => void
}

export interface SimProcess {
  readonly alive: boolean
  /** A call waits for the schedule. */
  readonly waits: boolean
  mishap: Mishap | undefined
  /** Calls made so far. */
  readonly calls: number
  /** The port as this process sees it. */
  port<Port extends object>(port: Port, options: PortOptions): Port
  /** Wraps what the world does to the process, and it to the world: a dead one neither hears nor acts. */
  entry<Args extends unknown[]>(call: (...args: Args) => void): (...args: Args) => void
  /** Lets the next call happen. */
  step(): void
  kill(): void
}

interface Job {
  call(): Promise<unknown>
  mayFail: boolean
  writes: boolean
  done(answer: unknown): void
  failed(error: unknown): void
}

export interface ProcessWorld {
  /** Tells of each call whether it happens at once, if none waits before it. */
  eager(): boolean
  /** The mishap was its death. */
  died(): void
  room: Room
}

export function createProcess({ eager, died, room }: ProcessWorld): SimProcess {
  const queue: Job[] = []
  let alive = true
  let busy = false
  let calls = 0

  const die = () => {
    process.kill()
    died()
  }
  const takeMishap = (job: Job): Mishap['how'] | undefined => {
    const { mishap } = process
    if (!mishap || --mishap.calls > 0) return undefined
    if (mishap.how.startsWith('fails') && !job.mayFail) return undefined
    if (mishap.how === 'fills' && !job.writes) return undefined
    process.mishap = undefined
    return mishap.how
  }
  const finish = (tell: () => void) => {
    busy = false
    if (!alive) return
    tell()
    if (queue.length > 0 && eager()) process.step()
  }
  const run = (job: Job) => {
    calls++
    const how = takeMishap(job)
    if (how === 'dies-before') return die()
    if (how === 'fills') room.full = true
    if (job.writes && room.full) {
      room.refusals++
      return finish(() => job.failed(new DiskFull('database or disk is full')))
    }
    if (how === 'fails-before') return finish(() => job.failed(new WorldBroke('the disk said no')))
    busy = true
    job.call().then(
      (answer) => {
        if (how === 'dies-after') die()
        else if (how === 'fails-after') finish(() => job.failed(new WorldBroke('the disk said no, and lied')))
        else finish(() => job.done(answer))
      },
      (error) => finish(() => job.failed(error)),
    )
  }
  const process: SimProcess = {
    get alive() {
      return alive
    },
    get waits() {
      return alive && !busy && queue.length > 0
    },
    mishap: undefined,
    get calls() {
      return calls
    },
    port: (port, { mayFail, writes = [], watch }) =>
      new Proxy(port, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          return (...args: unknown[]) =>
            new Promise((done, failed) => {
              if (!alive) return
              const call = async () => {
                const answer: unknown = await Reflect.apply(member, target, args)
                watch?.(String(name), args)
                return answer
              }
              const job: Job = { call, mayFail, writes: writes.includes(String(name)), done, failed }
              if (queue.length === 0 && !busy && eager()) run(job)
              else queue.push(job)
            })
        },
      }),
    entry:
      (call) =>
      (...args) => {
        if (alive) call(...args)
      },
    step: () => {
      const job = busy || !alive ? undefined : queue.shift()
      if (job) run(job)
    },
    kill: () => {
      alive = false
      queue.length = 0
    },
  }
  return process
}

/** Lets every promise that can settle do so: nothing in the simulation waits for a real timer or a real disk. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
