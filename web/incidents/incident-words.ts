/** What is said of an incident in more than one place. */
import { durationText } from "../../src/contract/quantities.ts";
import type { Impact, Incident } from "../../src/contract/incident.ts";
import { grouped } from "../words/figures.ts";

/** `origin.refused, at fault: origin`; while it is undecided, that. */
export function causeText({ cause, party, verdict }: Pick<Incident, "cause" | "party" | "verdict">): string {
  if (verdict === "not enough evidence") return "not enough evidence for a cause";
  if (verdict === "undecided" || cause === null) return "undecided between several causes";
  return party === null ? cause : `${cause}, at fault: ${party}`;
}

/** `1 204 failed and 88 rescued of 20 000 exchanges`. */
export function impactText({ failed, rescued, exchanges }: Pick<Impact, "failed" | "rescued" | "exchanges">): string {
  return `${grouped(failed)} failed and ${grouped(rescued)} rescued of ${grouped(exchanges)} exchanges`;
}

/** How long it lasted, or lasts: from the first failure to recovery. */
export function lengthText(
  { firstFailureAt, recoveredAt }: Pick<Incident, "firstFailureAt" | "recoveredAt">,
  now: number,
): string {
  const text = durationText(Math.max(0, Math.round(((recoveredAt ?? now) - firstFailureAt) / 1000)) * 1_000_000);
  return text === "0 µs" ? "0 s" : text;
}

/** Failures that were told by class, worst class first: `12 critical, 3 normal`. */
export function classesText(byClass: Impact["failedByClass"]): string {
  const order = ["critical", "normal", "background"];
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  const entries = Object.entries(byClass).filter(([, count]) => count > 0);
  return entries
    .toSorted(([one], [other]) => rank(one) - rank(other))
    .map(([name, count]) => `${grouped(count)} ${name}`)
    .join(", ");
}
