// What server, generator and the rest of the machine use while something is measured. Without /proc (not Linux) the server's share is not known.
import { readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  seconds: number
  /** CPU of all threads of the server, ms. */
  serverMs: number
  /** Shares of one core. */
  serverCpu: number
  generatorCpu: number
  /** Cores that anything else used. */
  othersCpu: number
}

/** Starts; the function that it returns ends. */
export function startMeter(serverPid: number): () => Usage {
  const others = machineMs()
  const server = processMs(serverPid)
  const own = process.cpuUsage()
  const start = performance.now()
  return () => {
    const ms = performance.now() - start
    const { user, system } = process.cpuUsage(own)
    const generatorMs = (user + system) / 1000
    const serverMs = processMs(serverPid) - server
    return {
      seconds: ms / 1000,
      serverMs,
      serverCpu: serverMs / ms,
      generatorCpu: generatorMs / ms,
      othersCpu: Math.max(0, (machineMs() - others - serverMs - generatorMs) / ms),
    }
  }
}

/** CPU of all threads since they began, ms. */
export function processMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const nanoseconds = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    )
    return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6
  } catch {
    return Number.NaN
  }
}

/** In ticks of 10 ms: user, nice, system, irq and softirq. */
function machineMs(): number {
  try {
    const ticks = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).slice(1).map(Number)
    return [0, 1, 2, 5, 6].reduce((sum, i) => sum + (ticks[i] ?? 0) * 10, 0)
  } catch {
    return Number.NaN
  }
}
