/**
 * What this process uses of its machine, as `ProcessView` says it: cheap enough to be asked for at every
 * scrape. What the system does not tell is 0, which none of these figures can be, never a guess.
 */
import type { ProcessView } from "../contract/view.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import { descriptorsMax, descriptorsOpen } from "./descriptors.ts";
import { watchLoopDelay } from "./loop-delay.ts";

export interface SystemFacts {
  process(): ProcessView;
  close(): void;
}

/** The share of time in use is that of this long at least, so that two readers in one second do not blur each other. */
const UTILISATION_MS = 5_000;

export function createSystemFacts(clock: Clock, schedule: Schedule): SystemFacts {
  const loopDelay = watchLoopDelay(clock, schedule);
  // The soft limit: Node raises it to the hard one when it starts, and nothing changes it later.
  const limit = descriptorsMax();
  let older = performance.eventLoopUtilization();
  let newer = older;
  let cancel = (): void => {};
  function turn(): void {
    older = newer;
    newer = performance.eventLoopUtilization();
    cancel = schedule(UTILISATION_MS, turn);
  }
  turn();

  return {
    process(): ProcessView {
      const cpu = process.cpuUsage();
      const memory = process.memoryUsage();
      const delay = loopDelay.read();
      return {
        cpuSeconds: (cpu.user + cpu.system) / 1_000_000,
        residentBytes: memory.rss,
        heapBytes: memory.heapUsed,
        descriptorsOpen: descriptorsOpen(),
        descriptorsMax: limit,
        loopDelayP50Ms: delay.p50Ms,
        loopDelayP99Ms: delay.p99Ms,
        loopDelayMaxMs: delay.maxMs,
        loopUtilisation: performance.eventLoopUtilization(older).utilization,
        uptimeSeconds: process.uptime(),
      };
    },
    close(): void {
      cancel();
      loopDelay.close();
    },
  };
}
