/**
 * What shows that a disturbance is over: so many good ones at each place that failed that it cannot go on as it was. And what shows it
 * of an origin that nobody asks, because it is still kept out: an ejection may last a minute longer than what it was for.
 *
 * Such an origin is known to be well by one of two things. Its own check failed while it went on and has held since: then that check sees
 * what requests saw. Or others failed as it did, and have proven themselves since: then the cause was not its own. Of an origin
 * that fails alone while its check holds nothing is known before a request was tried there, and the incident waits for it.
 */
import type { SecondFact } from "../contract/facts.ts";
import type { AddressCase, Case } from "./case.ts";
import type { Anomaly, AnomalyKind } from "./anomaly.ts";
import type { Watches } from "./watches.ts";
import { failuresOf } from "./fact-sums.ts";
import { isKeptOut, isSpared } from "./address-watch.ts";

/** What an incident knows of the time since. */
export interface Ending {
  readonly case: Case;
  readonly services: ReadonlySet<string>;
  readonly kinds: ReadonlySet<AnomalyKind>;
  /** Good attempts by address and good exchanges by service since the last bad one there. */
  readonly good: Map<string, number>;
}

/** e^5 to one that it does not go on as bad as it was. */
const PROVEN = 5;
/** One in so many is the mildest that is waited for with exchanges; what is milder has to last. */
const PROVEN_GOOD_MAX = 500;
const GOOD_MAX = 2_000;
const TURNS_MANY = 3;
const CHECKS_FAILED_MIN = 2;
/** Five checks at the usual distance. */
const CHECKS_HOLD_S = 10;
const OTHERS_MIN = 2;
/** So much of its part of failures the others have to have had. */
const ALIKE = 0.5;
const PROVABLE: ReadonlySet<AnomalyKind> = new Set([
  "failed",
  "rescued",
  "attempts",
  "out",
  "slow",
  "slow origin",
  "names",
]);

/** Each place that failed has had so many good ones since that it cannot go on as it was. */
export function isProven(ending: Ending, watches: Watches): boolean {
  const { case: seen, services, kinds, good } = ending;
  // What makes no failures, or is seen only now and then, is not over because others went well.
  if ([...kinds].some((kind) => !PROVABLE.has(kind))) return false;
  for (const [key, address] of seen.addresses) {
    if (address.failures === 0 || !services.has(address.service)) continue;
    if (address.turns >= TURNS_MANY) return false;
    if (!isWellAt(key, address, good) && !isWellThoughOut(ending, key, watches)) return false;
  }
  const sums = new Map<string, { bad: number; all: number }>();
  for (const { service, bad, exchanges } of seen.seconds) {
    if (bad === 0 || !services.has(service)) continue;
    const sum = sums.get(service) ?? { bad: 0, all: 0 };
    sum.bad += bad;
    sum.all += exchanges;
    sums.set(service, sum);
  }
  return [...sums].every(([service, { bad, all }]) => (good.get(service) ?? 0) >= goodNeeded(bad, all - bad));
}

/** What failed is kept out of use and not known to be well: nobody is harmed any more, and nothing is repaired either. */
export function isHeldOut(ending: Ending, watches: Watches): boolean {
  for (const [key, { firstFailureAt }] of ending.case.addresses)
    if (firstFailureAt > 0 && isKeptOutAt(key, watches) && !isWellThoughOut(ending, key, watches)) return true;
  return false;
}

/** Origins that are out of use though they are known to be well. */
export function stillOut(ending: Ending, watches: Watches): string[] {
  return [...ending.case.addresses]
    .filter(([key, { service, firstFailureAt }]) => {
      const isOf = ending.services.has(service) && firstFailureAt > 0;
      return isOf && isKeptOutAt(key, watches) && isWellThoughOut(ending, key, watches);
    })
    .map(([, { address }]) => address);
}

/** It says no more than that an origin is out of use, of which it is known that it is well. */
export function isAfterwards({ kind, rests, service, where }: Anomaly, ending: Ending, watches: Watches): boolean {
  if (kind !== "out" && rests === undefined) return false;
  return isWellThoughOut(ending, `${service}\n${where["pool"] ?? ""}\n${where["address"] ?? ""}`, watches);
}

export function isWellThoughOut(ending: Ending, key: string, watches: Watches): boolean {
  const of = ending.case.addresses.get(key);
  const watch = watches.addresses.get(key);
  if (of === undefined || watch === undefined || !isSpared(watch) || of.turns >= TURNS_MANY) return false;
  if (watch.checkFails) return false;
  if (of.checksFailed >= CHECKS_FAILED_MIN && watch.checkWellS >= CHECKS_HOLD_S) return true;
  let others = 0;
  for (const [otherKey, other] of ending.case.addresses) {
    if (otherKey === key || other.service !== of.service || isKeptOutAt(otherKey, watches)) continue;
    if (other.failures >= 2 && ratioOf(other) >= ratioOf(of) * ALIKE && isWellAt(otherKey, other, ending.good))
      others += 1;
  }
  return others >= OTHERS_MIN;
}

export function countGood({ good, services }: Ending, facts: readonly SecondFact[]): void {
  for (const fact of facts) {
    for (const row of fact.origins) {
      if (!services.has(row.service)) continue;
      const failures = failuresOf(row);
      count(good, `${row.service}\n${row.pool}\n${row.address}`, failures, row.attempts - failures);
    }
    for (const { service, byOutcome } of fact.traffic)
      if (services.has(service)) count(good, service, byOutcome.failed + byOutcome.rescued, byOutcome.served);
  }
}

function count(good: Map<string, number>, key: string, bad: number, well: number): void {
  if (bad > 0) good.set(key, 0);
  else if (well > 0 && (good.has(key) || good.size < GOOD_MAX)) good.set(key, (good.get(key) ?? 0) + well);
}

function isWellAt(key: string, { failures, wellBetween }: AddressCase, good: ReadonlyMap<string, number>): boolean {
  return (good.get(key) ?? 0) >= goodNeeded(failures, wellBetween);
}

function goodNeeded(bad: number, well: number): number {
  return Math.min(PROVEN_GOOD_MAX, Math.ceil((PROVEN * (bad + well)) / bad));
}

function ratioOf({ failures, wellBetween }: AddressCase): number {
  return failures + wellBetween === 0 ? 0 : failures / (failures + wellBetween);
}

function isKeptOutAt(key: string, watches: Watches): boolean {
  const watch = watches.addresses.get(key);
  return watch !== undefined && isKeptOut(watch);
}
