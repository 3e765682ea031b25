/**
 * What this process uses of its machine, as `ProcessView` says it: cheap enough to be asked for at every
 * scrape. What the system does not tell is 0, which none of these figures can be, never a guess.
 */
import type { OwnUse, ProcessView } from "../contract/view.ts";
import os from "node:os";
import v8 from "node:v8";
import type { Clock, Schedule } from "../kernel/clock.ts";
import { descriptorsMax, descriptorsOpen } from "./descriptors.ts";
import { watchLoopDelay } from "./loop-delay.ts";

export interface SystemFacts {
  process(): ProcessView;
  ownUse(): OwnUse;
  close(): void;
}

/** The share of time in use is that of this long at least, so that two readers in one second do not blur each other. */
const UTILISATION_MS = 5_000;

/** `processes`: as many like this one share the machine's memory; each looks at its part of it. */
export function createSystemFacts(clock: Clock, schedule: Schedule, processes: number = 1): SystemFacts {
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
    ownUse(): OwnUse {
      const heap = v8.getHeapStatistics();
      const resident = process.memoryUsage.rss();
      const residentMax = memoryMax() / processes;
      const isHeapNearer = heap.used_heap_size / heap.heap_size_limit > resident / residentMax;
      return {
        memoryBytes: isHeapNearer ? heap.used_heap_size : resident,
        memoryMax: isHeapNearer ? heap.heap_size_limit : residentMax,
        descriptorsOpen: descriptorsOpen(),
        descriptorsMax: limit,
      };
    },
    close(): void {
      cancel();
      loopDelay.close();
    },
  };
}

/** The smaller of the machine's memory and the container's; Node says a huge number or 0 where there is no container. */
function memoryMax(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(os.totalmem(), constrained) : os.totalmem();
}
