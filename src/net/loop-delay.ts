/**
 * How late this process's event loop is, over the last ten seconds: the one measurement that tells a slow
 * gateway from slow origins. A timer that is due every 20 ms and how much later it comes.
 *
 * Not `monitorEventLoopDelay` of perf_hooks: its histogram can only be emptied as a whole, so a window that
 * slides would need several of them at 300 KB each; these slots are 1 KB, cost the same timer, and can be
 * tested with a clock that a test moves.
 */
import type { Clock, Schedule } from "../kernel/clock.ts";
import { BUCKETS, createHistogram, quantileUs, recordDuration } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";

export interface LoopDelay {
  /** ms, over the last ten seconds; zeros before the first sample. */
  read(): LoopDelayReading;
  close(): void;
}

export interface LoopDelayReading {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const SAMPLE_EVERY_MS = 20;
const SLOT_MS = 2_000;
const SLOTS = 5;

export function watchLoopDelay(clock: Clock, schedule: Schedule): LoopDelay {
  /** The newest last. */
  let slots: Histogram[] = [createHistogram()];
  let slotEndsAt = clock.monotonic() + SLOT_MS;
  let cancel = arm();

  function arm(): () => void {
    const due = clock.monotonic() + SAMPLE_EVERY_MS;
    return schedule(SAMPLE_EVERY_MS, () => {
      const now = clock.monotonic();
      turnSlots(now);
      const newest = slots.at(-1);
      if (newest !== undefined) recordDuration(newest, (now - due) * 1000);
      cancel = arm();
    });
  }

  function turnSlots(now: number): void {
    if (now < slotEndsAt) return;
    // After a stall of several slots the time in between had no samples, so there is nothing to put there.
    const turns = Math.min(Math.floor((now - slotEndsAt) / SLOT_MS) + 1, SLOTS);
    for (let turn = 0; turn < turns; turn += 1) slots.push(createHistogram());
    slots = slots.slice(-SLOTS);
    slotEndsAt = now + SLOT_MS;
  }

  return {
    read(): LoopDelayReading {
      turnSlots(clock.monotonic());
      const all = slots.reduce(addTo, createHistogram());
      return {
        p50Ms: quantileUs(all, 0.5) / 1000,
        p99Ms: quantileUs(all, 0.99) / 1000,
        maxMs: all.maxUs / 1000,
      };
    },
    close(): void {
      cancel();
    },
  };
}

function addTo(sum: Histogram, part: Histogram): Histogram {
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    sum.counts[bucket] = (sum.counts[bucket] ?? 0) + (part.counts[bucket] ?? 0);
  }
  sum.count += part.count;
  sum.sumUs += part.sumUs;
  sum.maxUs = Math.max(sum.maxUs, part.maxUs);
  return sum;
}
