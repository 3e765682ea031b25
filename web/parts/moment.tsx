/** Moments and ages, by the gateway's clock and in the zone that was chosen; the exact moment is behind each. */
import type { JSX } from "preact";
import { durationText } from "../../src/contract/quantities.ts";
import { now } from "../state/facts.ts";
import { zone } from "../state/settings.ts";
import { clockText } from "../words/moments.ts";

export function Clock({ at }: { at: number }): JSX.Element {
  return (
    <time dateTime={isoText(at)} title={isoText(at)}>
      {clockText(at, now.value, zone.value)}
    </time>
  );
}

/** `2 min 5 s ago`, `in 12 s`. */
export function Ago({ at }: { at: number }): JSX.Element {
  const past = now.value - at;
  const text = past >= 0 ? `${ageText(past)} ago` : `in ${ageText(-past)}`;
  return (
    <time dateTime={isoText(at)} title={isoText(at)}>
      {text}
    </time>
  );
}

/** `for 2 min 5 s`. */
export function Lasting({ since }: { since: number }): JSX.Element {
  return (
    <time dateTime={isoText(since)} title={`since ${isoText(since)}`}>
      for {ageText(Math.max(0, now.value - since))}
    </time>
  );
}

/** Whole seconds: an age that is drawn once a second has no fractions. */
export function ageText(ms: number): string {
  return durationText(Math.round(ms / 1_000) * 1_000_000).replace("0 µs", "0 s");
}

function isoText(at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at);
}
