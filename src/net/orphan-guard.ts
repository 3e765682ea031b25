/**
 * Ends this process when whoever started it is gone and its own event loop does not turn any more. One that turns hears
 * of its parent's end by the channel and finishes in order; one that is in an endless loop hears nothing, heeds no
 * signal that it listens for, and would hold its memory, a core and its sockets until somebody finds it.
 *
 * So a thread looks, which has a loop of its own: every two seconds whether the parent is still the same (one call of
 * the system), and only when it is not, whether this process counts on. It costs 8 MiB and 40 ms of a start. The
 * kernel's own way (PR_SET_PDEATHSIG) cannot be had in Node.js, and would end those too that have something to finish.
 */
import { Worker } from "node:worker_threads";

/** What is asked for in tests. */
export interface OrphanGuardTimes {
  readonly lookMs: number;
  /** As a supervisor gives a worker that is silent. */
  readonly hungMs: number;
}

const TIMES: OrphanGuardTimes = { lookMs: 2_000, hungMs: 10_000 };
const TURN_MS = 1_000;
/** MiB. */
const LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 8, stackSizeMb: 1 };

/** Plain JavaScript, so that nothing has to be loaded for it. It sleeps on what nobody ever changes. */
const GUARD = `
  const { workerData: { counts, parent, lookMs, hungMs } } = require("node:worker_threads");
  const turns = new Int32Array(counts);
  let seen = -1;
  let quietMs = 0;
  for (;;) {
    Atomics.wait(turns, 1, 0, lookMs);
    if (process.ppid === parent) continue;
    const now = Atomics.load(turns, 0);
    quietMs = now === seen ? quietMs + lookMs : 0;
    seen = now;
    if (quietMs >= hungMs) process.kill(process.pid, "SIGKILL");
  }
`;

/** From now on; it keeps nothing alive. */
export function guardOrphan({ lookMs, hungMs }: OrphanGuardTimes = TIMES): void {
  const counts = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  const turns = new Int32Array(counts);
  setInterval(() => Atomics.add(turns, 0, 1), Math.min(TURN_MS, lookMs / 2)).unref();
  const thread = new Worker(GUARD, {
    eval: true,
    workerData: { counts, parent: process.ppid, lookMs, hungMs },
    // A debugger or a profiler is this process's own.
    execArgv: [],
    env: {},
    resourceLimits: LIMITS,
  });
  thread.unref();
  // Where there is no memory for a thread the process is as it was without.
  thread.on("error", () => undefined);
}
