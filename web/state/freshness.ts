/**
 * Whether what is shown may be believed. Nothing is shown as well because nobody said otherwise: an answer that does not
 * come, a stream that is cut and a control plane that is silent each have words of their own, with the moment since when.
 */
import type { ControlState } from "../../src/contract/control-port.ts";

/** Epoch ms by the gateway's clock. */
export type Freshness =
  | { readonly kind: "asking" }
  | { readonly kind: "live" }
  /** Answers come, but changes are seen only by asking. */
  | { readonly kind: "polling"; readonly since: number }
  | { readonly kind: "stale"; readonly since: number };

export interface Heard {
  readonly now: number;
  /** Last answer of any kind; null: none yet. */
  readonly answeredAt: number | null;
  /** The newest question was not answered. */
  readonly isFailing: boolean;
  /** Since when the event stream is down; null: it is up. */
  readonly streamDownSince: number | null;
}

/** Longer than any question is asked for, and two rounds of asking. */
export const STALE_AFTER_MS = 9_000;
/** A tab in the background does not ask; there a stream that is up is enough, which is heard every 15 s at least. */
export const STREAM_SILENCE_MS = 20_000;
/** A stream that reconnects within this is not worth a word. */
const STREAM_PATIENCE_MS = 4_000;

export function freshnessOf({ now, answeredAt, isFailing, streamDownSince }: Heard): Freshness {
  if (answeredAt === null) return { kind: "asking" };
  const patience = streamDownSince === null ? STREAM_SILENCE_MS : STALE_AFTER_MS;
  if (isFailing || now - answeredAt > patience) return { kind: "stale", since: answeredAt };
  if (streamDownSince !== null && now - streamDownSince > STREAM_PATIENCE_MS) {
    return { kind: "polling", since: streamDownSince };
  }
  return { kind: "live" };
}

export type Diagnosis =
  | { readonly kind: "unknown" }
  | { readonly kind: "off"; readonly because: string }
  | { readonly kind: "running" }
  | { readonly kind: "stale"; readonly since: number | null; readonly because: string };

/** A pulse comes once a second; three that do not come are a silence. */
export const PULSE_PATIENCE_MS = 4_000;

/** `pulseAt`: when the last pulse or answer of the control plane came, by the gateway's clock; null: none. */
export function diagnosisOf(state: ControlState | null, pulseAt: number | null, now: number): Diagnosis {
  if (state === null) return { kind: "unknown" };
  switch (state.state) {
    case "off":
      return { kind: "off", because: state.because };
    case "dead":
    case "hung":
    case "starting":
      return { kind: "stale", since: state.heardAt, because: `the control plane is ${state.state}: ${state.because}` };
    case "running":
      if (pulseAt === null || now - pulseAt <= PULSE_PATIENCE_MS) return { kind: "running" };
      return { kind: "stale", since: pulseAt, because: "the control plane is said to run, but tells nothing" };
  }
}
