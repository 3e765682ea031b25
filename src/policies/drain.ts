/**
 * An origin that a person took out by hand. A person outranks traffic and checks alike: nothing that either says brings
 * it back earlier, and no lack of other origins does. What a person does ends by itself, because what is forgotten would
 * otherwise be missing for ever; it comes back as any other that was away, with a share that grows.
 *
 * Whether it may be taken out at all (not the last one) is decided once, when it is asked for, by gateway/drains.ts.
 */
import type { EjectionOptions, EjectionState } from "./ejection-state.ts";
import { returnSlowly } from "./ejection-phase.ts";
import { durationInWords } from "./words.ts";

export interface Drain {
  readonly by: string;
  readonly reason: string;
  /** Monotonic ms. */
  readonly since: number;
  readonly until: number;
}

interface Drainable {
  drain: Drain | null;
  readonly ejection: EjectionState;
}

/** Null: nobody took it out, or the time is over, in which case its return begins now. */
export function settleDrain(options: EjectionOptions, member: Drainable, now: number): Drain | null {
  const { drain } = member;
  if (drain === null || now < drain.until) return drain;
  endDrain(options, member, "the time for which it had been taken out is over", now);
  return null;
}

export function endDrain(options: EjectionOptions, member: Drainable, because: string, now: number): void {
  if (member.drain === null) return;
  member.drain = null;
  returnSlowly(options, member.ejection, because, now);
}

export function drainBecause({ by, reason, since, until }: Drain): string {
  return `${by} took it out for ${durationInWords(until - since)}: ${reason}`;
}
