/**
 * What a rush has made a process take it gives back when it is calm. Left alone it would not: V8 lets the space for new
 * objects grow to 128 MiB under load, where collecting is rare and cheap, and makes it smaller only when it collects,
 * which a process that does next to nothing never does.
 *
 * Calm is told by the processor time that the process takes, not by its exchanges: whatever it is that keeps it busy, it
 * is not stopped for this. Collecting stops it for some fifty ms, once after each rush. What is in use is looked for
 * nowhere else: pools of buffers have bounds of their own and are small beside this.
 */
import { getHeapStatistics } from "node:v8";
import { collectGarbage } from "./give-back-memory.ts";

export interface CalmMemoryPorts {
  /** Calls `run` every `ms` until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
  /** Processor time of this process so far, ms. */
  readonly workedMs: () => number;
  /** What the heap holds, in use or not. */
  readonly heapBytes: () => number;
  readonly collect: () => void;
}

const LOOK_MS = 15_000;
/** Of each look: 3 % of a core, of which looks, checks and facts of an idle gateway take up to a third. */
const CALM_WORK_MS = 450;
const CALM_LOOKS = 4;
/** Less is not worth stopping for. */
const WORTH_BYTES = 24 * 1024 * 1024;

/** Returns what ends it. */
export function giveBackWhenCalm({ every, workedMs, heapBytes, collect }: CalmMemoryPorts): () => void {
  let worked = workedMs();
  let calmLooks = 0;
  /** What was left when it was collected last. */
  let kept = 0;
  return every(LOOK_MS, () => {
    const now = workedMs();
    calmLooks = now - worked <= CALM_WORK_MS ? calmLooks + 1 : 0;
    worked = now;
    if (calmLooks < CALM_LOOKS || heapBytes() < kept + WORTH_BYTES) return;
    calmLooks = 0;
    collect();
    kept = heapBytes();
    // That was work of this look's own.
    worked = workedMs();
  });
}

export function processMemory(every: CalmMemoryPorts["every"]): CalmMemoryPorts {
  return {
    every,
    workedMs() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    heapBytes: () => getHeapStatistics().total_heap_size,
    collect: () => collectGarbage("regular"),
  };
}
