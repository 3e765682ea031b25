/** How many incidents go on, by severity: one way to count for `/metrics` and for what a collector is told. */
import type { Incident, Severity } from "../contract/incident.ts";

/** Open or recovering, and not a part of another, with which it is counted. */
export function countsAsOpen({ state, parent }: Incident): boolean {
  return (state === "open" || state === "recovering") && parent === "";
}

/** All three, so that a rate or a rule finds a zero and not nothing. */
export function bySeverity(severities: Iterable<Severity>): Record<Severity, number> {
  const counts = { critical: 0, warning: 0, notice: 0 };
  for (const severity of severities) counts[severity] += 1;
  return counts;
}
