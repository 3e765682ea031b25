/** Which incidents a route of alerts or a silence is about. */
import type { NewSilence, Silence } from "../contract/control-port.ts";
import type { Incident } from "../contract/incident.ts";

/** Name → values of which one must match; every name must. Empty: all incidents. */
export type AlertMatch = Readonly<Record<string, readonly string[]>>;

export function matchesIncident(match: AlertMatch, incident: Incident): boolean {
  return Object.entries(match).every(([name, values]) =>
    valuesOf(incident, name).some((value) => values.includes(value)),
  );
}

/** The silence that holds for an incident now; null: none. */
export function silenceFor(silences: readonly Silence[], incident: Incident, now: number): Silence | null {
  return silences.find((silence) => silence.until > now && matchesIncident(matchOf(silence), incident)) ?? null;
}

function matchOf(silence: NewSilence): AlertMatch {
  return Object.fromEntries(Object.entries(silence.where).map(([name, value]) => [name, [value]]));
}

/** What an incident says of a name: its own facts first, then where it is. */
function valuesOf(incident: Incident, name: string): readonly string[] {
  switch (name) {
    case "incident":
      return [incident.id];
    case "service":
      return incident.services;
    case "severity":
      return [incident.severity];
    case "party":
      return incident.party === null ? ["unknown"] : [incident.party];
    case "cause":
      return incident.cause === null ? ["undecided"] : [incident.cause];
    default: {
      const value = incident.where[name];
      return value === undefined ? [] : [value];
    }
  }
}
