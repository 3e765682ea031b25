/**
 * Time as an argument. Two clocks, two meanings: `monotonic` measures durations and never jumps,
 * `wall` labels facts for people and may be wrong. Nothing outside `net/`, `store/` and `main.ts`
 * reads the operating system's clock; everything else is handed one of these.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start, with a fraction; never goes backwards. */
  monotonic(): number;
  /** Milliseconds since 1970-01-01 UTC, for labels only. */
  wall(): number;
}

/** Chance as an argument: a number in [0, 1). */
export type Chance = () => number;

/** A single timer as an argument: calls `run` once after `ms`, never from inside this call, unless the returned function was called first. */
export type Schedule = (ms: number, run: () => void) => () => void;
