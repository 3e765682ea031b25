/**
 * What belongs together, as far as it shows in an incident and an anomaly alone: whether they are about one place, one kind
 * of trouble, one cause. Who joins whom is decided in incident-book.ts, which knows all of them.
 */
import type { EventFact, FailureRow } from "../contract/facts.ts";
import type { Anomaly } from "./anomaly.ts";
import { addCounts } from "./case.ts";
import type { CauseCounts } from "./case.ts";
import type { AnyCause } from "./claim.ts";
import { addUp } from "./impact.ts";
import { note } from "./incident-track.ts";
import type { Track } from "./incident-track.ts";
import { troublesOf } from "./trouble.ts";
import type { Trouble } from "./trouble.ts";

/**
 * Whether all origins that are unwell now are others than those that the incident was found to be about. Of a service as a whole it is
 * not known where it is unwell, and what is unwell beside it tells.
 */
export function isElsewhere({ service }: Anomaly, wheres: readonly Anomaly["where"][], { diagnosis }: Track): boolean {
  if (diagnosis.verdict !== "decided" || (diagnosis.where["service"] ?? service) !== service) return false;
  const places = wheres.filter((where) => where["address"] !== undefined);
  const isThere = (where: Anomaly["where"]): boolean =>
    ["pool", "origin", "address"].every((key) => (diagnosis.where[key] ?? where[key]) === where[key]);
  return places.length > 0 && !places.some(isThere);
}

export function wheresOf({ service }: Anomaly, all: readonly Anomaly[]): Anomaly["where"][] {
  return all.filter((one) => one.service === service).map(({ where }) => where);
}

export function troublesOfCase({ case: { addresses, rows } }: Track, service: string): ReadonlySet<Trouble> {
  const counts: CauseCounts = {};
  for (const address of addresses.values()) if (address.service === service) addCounts(counts, address.byCause);
  for (const row of rows.values()) if (row.service === service) addOwn(counts, row);
  return troublesOf(counts);
}

/** What came to no address; the others are counted there, attempt by attempt. */
export function addOwn(to: CauseCounts, { outcome, cause, address, count }: FailureRow): void {
  if (address !== "" || cause === null || (outcome !== "failed" && outcome !== "rescued")) return;
  to[cause] = (to[cause] ?? 0) + count;
}

/** Causes of which answers that are late are a part. */
export const LATE: ReadonlySet<AnyCause | null> = new Set<AnyCause>([
  "origin.slow",
  "origin.paused",
  "origin.overload",
  "origin.ttfb_timeout",
  "origin.backlog_full",
  "client.surge",
  "sys.retry_storm",
  "sys.herd",
  "sys.stampede",
  "sys.metastable",
  "gw.starved",
  "gw.resource_wall",
]);

export function isLive({ state }: Track): boolean {
  return state === "open" || state === "recovering";
}

/** Of workers that crash, and of nothing else. */
export function isOfCrashes({ kinds }: Track): boolean {
  return kinds.size === 1 && kinds.has("crash");
}

export function isAboutNames(track: Track): boolean {
  return track.diagnosis.hypotheses[0].cause?.startsWith("dns.") === true;
}

export function isOnlyNames({ kinds }: Track): boolean {
  return kinds.size > 0 && [...kinds].every((kind) => kind === "names");
}

export function concerns(track: Track, event: EventFact["event"]): boolean {
  return !("service" in event) || track.services.has(event.service);
}

export function areOne(older: Track, younger: Track): boolean {
  const { cause, where } = younger.diagnosis;
  if (cause === null || cause !== older.diagnosis.cause) return false;
  if (Math.abs(older.firstFailureAt - younger.firstFailureAt) > MERGE_MS) return false;
  for (const dimension of ["origin", "pool", "provider", "route"]) {
    const [a, b] = [older.diagnosis.where[dimension], where[dimension]];
    if (a !== undefined && b !== undefined) return a === b;
  }
  return (
    where["service"] === older.diagnosis.where["service"] ||
    (where["provider"] !== undefined && where["provider"] === older.diagnosis.where["provider"])
  );
}

export function merge(from: Track, into: Track, at: number, text: string): void {
  from.state = "merged";
  from.parent = into.id;
  from.closedAt = at;
  into.merged.push(from.id, ...from.merged);
  into.firstFailureAt = Math.min(into.firstFailureAt, from.firstFailureAt);
  // What both counted is counted once.
  if ([...from.services].every((service) => !into.services.has(service))) {
    addUp(into.harm, from.harm);
  }
  for (const service of from.services) into.services.add(service);
  for (const kind of from.kinds) into.kinds.add(kind);
  for (const key of from.keys) into.keys.add(key);
  note(from, at, "closed", `It is part of ${into.id}.`);
  note(into, at, "grew", text);
}

const MERGE_MS = 60_000;
