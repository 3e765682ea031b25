/** What the rows of a second's facts add up to, in the terms of those who watch. */
import type { OriginRow, SecondFact, TrafficRow } from "../contract/facts.ts";
import { CAUSES, isCauseId } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";

export function exchangesOf({ byOutcome }: TrafficRow): number {
  return byOutcome.served + byOutcome.rescued + byOutcome.failed + byOutcome.refused + byOutcome.aborted;
}

/** Failures that count against an address: not what clients did, nor what this machine did to itself. */
export function failuresOf(row: OriginRow): number {
  let failures = 0;
  for (const [cause, count] of Object.entries(row.byCause)) if (countsAgainstOrigin(cause)) failures += count;
  return failures;
}

export function countsAgainstOrigin(cause: string): boolean {
  if (!isCauseId(cause)) return false;
  const { party } = CAUSES[cause];
  return party !== "client" && party !== "gateway";
}

export function refusalsOfOurs(row: TrafficRow): number {
  if (row.byOutcome.refused === 0) return 0;
  let refused = 0;
  for (const cause of OUR_REFUSALS) refused += row.byCause[cause] ?? 0;
  return Math.min(refused, row.byOutcome.refused);
}

/** Refusals that may be a fault of ours: no route, and defences. Malformed requests are their clients' own affair. */
const OUR_REFUSALS: readonly CauseId[] = ["gw.no_route", "client.flood", "client.rate_limited"];

export function countOfCauses({ byCause }: OriginRow, causes: readonly CauseId[]): number {
  let count = 0;
  for (const cause of causes) count += byCause[cause] ?? 0;
  return count;
}

/** Which limit of the process is all but reached; empty: none. */
export function wallOf(own: SecondFact["own"]): string {
  if (own.descriptorsMax > 0 && own.descriptorsOpen >= own.descriptorsMax * WALL_RATIO) return "descriptors";
  if (own.portsMax > 0 && own.portsUsed >= own.portsMax * WALL_RATIO) return "local ports";
  if (own.memoryMax > 0 && own.memoryBytes >= own.memoryMax * WALL_RATIO) return "memory";
  if (own.connectionsMax > 0 && own.connections >= own.connectionsMax * WALL_RATIO) return "connections";
  return "";
}

const WALL_RATIO = 0.97;
