/**
 * When to check what: every target once per interval, jittered, with a bound on how many checks are under
 * way at once. It knows nothing of HTTP and concludes nothing: `probe` does the asking, `onCheck` hears
 * each result, and the state machine of policies/health.ts decides what results mean.
 *
 * After a failure the next few come sooner: an outage is sure sooner, and so is its end, for which whoever is turned
 * away meanwhile waits. A check costs an origin that is down nothing.
 *
 * Only the targets of the last `setTargets` are ever checked, so an address that left the configuration
 * or the name's answer is not asked again, and a late answer for it is not heard. One check of a target
 * is under way at a time; a check that is late is made once, never made up for in a burst.
 */
import type { Chance, Clock, Schedule } from "../kernel/clock.ts";
import type { CheckResult } from "../policies/health.ts";
import { durationInWords } from "../policies/words.ts";

export interface CheckTiming {
  /** Tells targets apart across `setTargets`; two services that check one address use two keys. */
  readonly key: string;
  readonly health: { readonly intervalMs: number; readonly timeoutMs: number };
}

/** Asks once and calls `done` once. The returned function gives the check up: nothing is heard of it after that. */
export type Probe<T> = (target: T, done: (result: CheckResult) => void) => () => void;

export interface HealthScheduleOptions<T extends CheckTiming> {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly schedule: Schedule;
  readonly probe: Probe<T>;
  readonly onCheck: (target: T, result: CheckResult) => void;
  /** Checks under way at once; those due beyond it wait their turn. */
  readonly atOnceMax: number;
}

export interface HealthSchedule<T extends CheckTiming> {
  /** Replaces the set. Targets that stay keep their rhythm, with their new settings; new ones are checked at once. */
  setTargets(targets: readonly T[]): void;
  /** Gives up everything; nothing is heard afterwards. */
  stop(): void;
}

/** First checks are spread over this long, so that a start does not meet all origins in one instant. */
const FIRST_SPREAD_MS = 200;
/** How soon the next check comes after a failure, and after so many successes that follow one. */
const SOON_MS = 500;
const SOON_COUNT = 3;
/** After the end of one that took as long. */
const PAUSE_MS = 200;
/** Each interval varies by this share up and down, so that gateways and origins do not fall into step. */
const JITTER_RATIO = 0.1;
/**
 * A deadline that fires this much late means that this process stood still meanwhile. The answer may be
 * waiting unread, so the origin is not blamed: the check counts for nothing and is made again.
 */
const STALL_MS = 250;

export function createHealthSchedule<T extends CheckTiming>(options: HealthScheduleOptions<T>): HealthSchedule<T> {
  const { clock, chance, schedule, probe, onCheck, atOnceMax } = options;
  const entries = new Map<string, Entry<T>>();
  /** Due and not yet started, oldest first; never longer than `entries`, because an entry waits at most once. */
  const waiting: Entry<T>[] = [];
  let underWay = 0;

  function arm(entry: Entry<T>, ms: number): void {
    entry.cancel = schedule(ms, () => {
      entry.cancel = nothing;
      if (underWay < atOnceMax) start(entry);
      else waiting.push(entry);
    });
  }

  function start(entry: Entry<T>): void {
    const startedAt = clock.monotonic();
    const { timeoutMs } = entry.target.health;
    let over = false;
    let giveUp: () => void = nothing;
    underWay += 1;

    /** `result` is null when the check says nothing about the target. */
    const finish = (result: CheckResult | null): void => {
      over = true;
      if (result !== null) entry.soon = result.ok ? Math.max(0, entry.soon - 1) : SOON_COUNT;
      const nextMs = result === null ? 0 : untilNext(entry, startedAt);
      underWay -= 1;
      cancelDeadline();
      entry.cancel = nothing;
      // The next turn is taken before anyone hears of this one, so a listener that throws or calls
      // `setTargets` finds the schedule whole.
      arm(entry, nextMs);
      const next = waiting.shift();
      if (next !== undefined) start(next);
      if (result !== null) onCheck(entry.target, result);
    };

    const cancelDeadline = schedule(timeoutMs, () => {
      if (over) return;
      // Before `giveUp`, so that a probe that answers while it is given up is not heard.
      over = true;
      giveUp();
      const late = clock.monotonic() - startedAt - timeoutMs;
      finish(late > STALL_MS ? null : { ok: false, detail: `no answer in ${durationInWords(timeoutMs)}` });
    });
    entry.cancel = () => {
      if (over) return;
      over = true;
      underWay -= 1;
      cancelDeadline();
      giveUp();
    };
    giveUp = probe(entry.target, (result) => {
      if (!over) finish(result);
    });
  }

  /** Counted from the start of the check, so that slow answers do not stretch the rhythm. */
  function untilNext(entry: Entry<T>, startedAt: number): number {
    const { intervalMs } = entry.target.health;
    const interval =
      (entry.soon > 0 ? Math.min(intervalMs, SOON_MS) : intervalMs) * (1 + JITTER_RATIO * (2 * chance() - 1));
    return Math.max(entry.soon > 0 ? PAUSE_MS : 0, startedAt + interval - clock.monotonic());
  }

  function remove(entry: Entry<T>): void {
    entries.delete(entry.target.key);
    const place = waiting.indexOf(entry);
    if (place >= 0) waiting.splice(place, 1);
    entry.cancel();
    entry.cancel = nothing;
  }

  return {
    setTargets(targets) {
      const wanted = new Set(targets.map((target) => target.key));
      for (const entry of entries.values()) if (!wanted.has(entry.target.key)) remove(entry);
      for (const target of targets) {
        const known = entries.get(target.key);
        if (known !== undefined) {
          known.target = target;
          continue;
        }
        const entry: Entry<T> = { target, cancel: nothing, soon: 0 };
        entries.set(target.key, entry);
        arm(entry, chance() * Math.min(FIRST_SPREAD_MS, target.health.intervalMs));
      }
      // Removed checks may have left room for those that wait.
      while (underWay < atOnceMax) {
        const next = waiting.shift();
        if (next === undefined) break;
        start(next);
      }
    },
    stop() {
      for (const entry of entries.values()) remove(entry);
    },
  };
}

interface Entry<T> {
  target: T;
  /** So many of the next checks come soon. */
  soon: number;
  /** Ends whatever this entry is doing: its timer or its check. */
  cancel: () => void;
}

function nothing(): void {}
