/**
 * What there is to see in a case, in the terms in which hypotheses are put: who fails and who does not, by how much,
 * since when, of what, and what else happened at that time and place. Computed once for all hypotheses, so that they
 * judge by the same figures.
 */
import type { Citation, Evidence } from "../contract/evidence.ts";
import type { ChangeFact, FailureRow, ProbeFact, ProbeRung, TopologyFact } from "../contract/facts.ts";
import type { CauseId } from "../kernel/causes.ts";
import { culpritsOf, narrowest } from "./attribution.ts";
import type { Culprits, Tally } from "./attribution.ts";
import type { AddressCase, Case, CauseCounts, RouteCase, TellerCase } from "./case.ts";
import { addCounts } from "./case.ts";
import { usualRatio } from "./change-point.ts";
import { quantileMs } from "./sparse-histogram.ts";
import type { Anomaly, AnomalyKind } from "./anomaly.ts";
import type { Watches } from "./watches.ts";
import { countsAgainstOrigin } from "./fact-sums.ts";

export interface Signs {
  readonly case: Case;
  readonly watches: Watches;
  readonly topology: TopologyFact["services"];
  readonly services: ReadonlySet<string>;
  readonly kinds: ReadonlySet<AnomalyKind>;
  readonly anomalies: readonly Anomaly[];
  readonly firstFailureAt: number;
  readonly isOver: boolean;
  /** Something fails; otherwise a failure here and there is no more than usual. */
  readonly fails: boolean;
  /** Addresses of the disturbed services. */
  readonly here: readonly AddressCase[];
  readonly failing: readonly AddressCase[];
  readonly slow: readonly AddressCase[];
  /** Tried, and neither failing nor slow; of all services. */
  readonly well: readonly AddressCase[];
  /** Part of attempts that failed at those that fail, between the first failure and the last, 0–1. */
  readonly failRatio: number;
  /** Failures by cause, most first; `bad` is their sum. */
  readonly causes: readonly (readonly [CauseId, number])[];
  readonly bad: number;
  readonly routes: readonly RouteCase[];
  readonly badRoutes: readonly RouteCase[];
  readonly wellRoutes: readonly RouteCase[];
  readonly slowRoutes: readonly RouteCase[];
  readonly tellers: readonly TellerCase[];
  readonly rows: readonly FailureRow[];
  readonly exchanges: number;
  readonly failed: number;
  readonly rescued: number;
  readonly left: number;
  readonly attempts: number;
  readonly retries: number;
  /** Exchanges per second; 0: not known yet. */
  readonly usualPerSecond: number;
  /** Exchanges per second against the usual; 1: as always. */
  readonly loadFactor: number;
  /** The same for the seconds before the first failure. */
  readonly loadFactorBefore: number;
  /** There was more to do before anything failed, or from the same second on. */
  readonly roseFirst: boolean;
  /** Seconds without traffic, or without an answer, after which more came than usual; 0: it was not so. */
  readonly lullSeconds: number;
  /** Attempts per exchange against the usual. */
  readonly attemptsFactor: number;
  /** Part of slow answers, 0–1, of the whole. */
  readonly slowPart: number;
  readonly stallSeconds: number;
  /** Part of what went wrong in seconds in which the gateway stood still. */
  readonly stalledPart: number;
  readonly byOrigin: Culprits | null;
  readonly byRoute: Culprits | null;
  readonly byTeller: Culprits | null;
  readonly byNetwork: Culprits | null;
  readonly byFamily: Culprits | null;
  /** Changes before the first failure and at most five minutes old, newest first; and those after it. */
  readonly changesBefore: readonly ChangeFact[];
  readonly changesAfter: readonly ChangeFact[];
}

const CHANGE_MAX_AGE_MS = 300_000;
/** Facts are told by seconds: a change and its first failure may stand in the same one. */
const SAME_SECOND_MS = 1_500;
const FAILING_KINDS: readonly AnomalyKind[] = ["failed", "rescued", "attempts", "budget"];
const RELATIVE_MIN = 0.2;
const FAILING_ROUTE_MIN = 0.05;

export interface SignsParts {
  readonly case: Case;
  readonly watches: Watches;
  readonly topology: TopologyFact["services"];
  readonly services: ReadonlySet<string>;
  readonly anomalies: readonly Anomaly[];
  readonly kinds: ReadonlySet<AnomalyKind>;
  readonly firstFailureAt: number;
  readonly isOver: boolean;
}

export function signsOf(parts: SignsParts): Signs {
  const { case: seen, watches, services, firstFailureAt } = parts;
  const isHere = ({ service }: { service: string }): boolean => services.size === 0 || services.has(service);
  const here = [...seen.addresses.values()].filter(isHere);
  const routes = [...seen.routes.values()].filter((route) => isHere(route) && route.service !== "");
  const failing = failingOf(here, watches);
  const slow = here.filter((address) => !failing.includes(address) && isSlow(address, watches));
  const well = [...seen.addresses.values()].filter(
    (address) =>
      !failing.includes(address) &&
      !slow.includes(address) &&
      address.attempts + address.checksWell >= 3 &&
      failureRatio(address) < 0.02,
  );
  const fails = FAILING_KINDS.some((kind) => parts.kinds.has(kind));
  const causes = causesOf(here, [...seen.rows.values()].filter(isHere));
  const sum = (pick: (route: RouteCase) => number): number => routes.reduce((all, route) => all + pick(route), 0);
  const exchanges = sum(allOf);
  const attempts = here.reduce((all, address) => all + address.attempts, 0);
  const tellers = [...seen.tellers.values()];
  const seconds = Math.max(1, (seen.to - seen.from) / 1000);
  const usual = usualRates(watches, services);
  const before = loadBefore(seen, services, firstFailureAt, usual.exchanges);
  const stalledBad = tellers.reduce((all, teller) => all + teller.badWhileStalled, 0);
  const allBad = tellers.reduce((all, teller) => all + teller.bad, 0);
  const changes = seen.changes.toSorted((a, b) => b.at - a.at);
  return {
    ...parts,
    fails,
    here,
    failing,
    slow,
    well,
    failRatio: ratioBetween(failing),
    causes,
    bad: causes.reduce((all, [, count]) => all + count, 0),
    routes,
    badRoutes: routes.filter((route) => isBadRoute(route, routes)),
    wellRoutes: routes.filter((route) => allOf(route) >= 3 && badOf(route) / allOf(route) < 0.02),
    slowRoutes: routes.filter((route) => route.measured >= 5 && slowOf(route) / route.measured >= 0.05),
    tellers,
    rows: [...seen.rows.values()].filter(isHere),
    exchanges,
    failed: sum(({ byOutcome }) => byOutcome.failed),
    rescued: sum(({ byOutcome }) => byOutcome.rescued),
    left: sum(({ byOutcome }) => byOutcome.aborted),
    attempts,
    retries: sum(({ retries }) => retries),
    usualPerSecond: usual.exchanges,
    loadFactor: loadFactor(exchanges, seconds, usual.exchanges),
    loadFactorBefore: before,
    roseFirst: before >= 1.4 || roseAtOnset(seen, services, firstFailureAt, usual.exchanges),
    lullSeconds: lullOf(seen, watches, services, firstFailureAt, usual.exchanges),
    attemptsFactor:
      usual.attempts > 0 && usual.exchanges > 0 && exchanges > 0
        ? attempts / exchanges / (usual.attempts / usual.exchanges)
        : 1,
    slowPart: partOf(
      routes.reduce((all, route) => all + slowOf(route), 0),
      routes.reduce((all, { measured }) => all + measured, 0),
    ),
    stallSeconds: tellers.reduce((all, teller) => all + teller.stallSeconds, 0),
    stalledPart: allBad > 0 ? stalledBad / allBad : 0,
    byOrigin: originCulprits(here),
    byRoute: culpritsOf(
      "route",
      routes.map((route) => ({ value: route.route, bad: badOf(route), total: allOf(route) })),
    ),
    byTeller: culpritsOf(
      "worker",
      tellers.map((teller) => ({
        value: `${teller.node}/${teller.worker}`,
        ...talliedWhereItFails(teller, failingRoutes(tellers)),
      })),
    ),
    byNetwork: networkCulprits(seen),
    byFamily: culpritsOf(
      "family",
      tallied(here, ({ family }) => family),
    ),
    changesBefore: changes.filter(
      ({ at }) => at <= firstFailureAt + SAME_SECOND_MS && at >= firstFailureAt - CHANGE_MAX_AGE_MS,
    ),
    changesAfter: changes.filter(({ at }) => at > firstFailureAt + SAME_SECOND_MS),
  };
}

/** Part of the failures that have one of these causes, 0–1. */
export function part(signs: Signs, ...ids: readonly CauseId[]): number {
  if (signs.bad === 0) return 0;
  let sum = 0;
  for (const [id, count] of signs.causes) if (ids.includes(id)) sum += count;
  return sum / signs.bad;
}

export function allOf({ byOutcome }: RouteCase): number {
  return byOutcome.served + byOutcome.rescued + byOutcome.failed + byOutcome.refused + byOutcome.aborted;
}

export function badOf({ byOutcome }: RouteCase): number {
  return byOutcome.failed + byOutcome.rescued;
}

export function failureRatio({ failures, attempts }: AddressCase): number {
  return attempts === 0 ? 0 : failures / attempts;
}

export function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Late answers; who left before an answer waited long and was not answered late. */
function slowOf({ slow, byOutcome }: RouteCase): number {
  return Math.max(0, slow - byOutcome.aborted);
}

/** A figure as evidence; `text` says it in a sentence. */
export function figure(
  signs: Signs,
  text: string,
  of: { name: string; where?: Record<string, string>; value: number; usual?: number | null; unit: string },
): Evidence {
  const cite: Citation = {
    kind: "figure",
    figure: of.name,
    where: of.where ?? { service: [...signs.services].join(", ") },
    from: signs.case.from,
    to: signs.case.to,
    value: round(of.value),
    usual: of.usual === undefined || of.usual === null ? null : round(of.usual),
    unit: of.unit,
  };
  return { text, cites: [cite] };
}

export function cited(text: string, first: Citation, ...more: Citation[]): Evidence {
  return { text, cites: [first, ...more] };
}

export function changeCite({ id, at, text }: ChangeFact): Citation {
  return { kind: "change", id, at, text };
}

export function rungCite({ id, at }: ProbeFact, { rung, result, text }: ProbeRung): Citation {
  return { kind: "probe", id, at, rung, result, text };
}

export function percent(ratio: number): string {
  return ratio > 0 && ratio < 0.095 ? `${Math.round(ratio * 1000) / 10} %` : `${Math.round(ratio * 100)} %`;
}

export function p95Of(address: AddressCase): number | null {
  return quantileMs(address.firstByte, 0.95);
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

function partOf(some: number, all: number): number {
  return all > 0 ? some / all : 0;
}

/** Those whose failures are many for them and many beside the worst of them. */
function failingOf(here: readonly AddressCase[], watches: Watches): AddressCase[] {
  const suspects = here.filter((address) => {
    const isOut = address.secondsOut >= 3 && address.firstFailureAt > 0;
    const key = `${address.service}\n${address.pool}\n${address.address}`;
    const watch = watches.addresses.get(key);
    const usual = watch === undefined ? 0.001 : usualRatio(watch.attempts, { floor: 0.001, step: 0 });
    return (
      isOut ||
      (address.failures >= 2 && failureRatio(address) >= Math.max(0.01, usual * 3)) ||
      (address.checksFailed >= 3 && address.checksFailed > address.checksWell / 4)
    );
  });
  const worst = Math.max(0, ...suspects.map((address) => ratioBetween([address])));
  return suspects.filter(
    (address) =>
      address.checksFailed >= 3 || ratioBetween([address]) >= worst * RELATIVE_MIN || failureRatio(address) > 0.2,
  );
}

function isSlow(address: AddressCase, watches: Watches): boolean {
  const alarm = watches.addresses.get(`${address.service}\n${address.pool}\n${address.address}`)?.normal.slow.alarm;
  return (
    alarm === true ||
    (address.measured >= 10 && address.slow / address.measured >= 0.06) ||
    address.dumbMost >= 3 ||
    address.shunnedSeconds >= 10
  );
}

function ratioBetween(addresses: readonly AddressCase[]): number {
  let failures = 0;
  let well = 0;
  for (const address of addresses) {
    failures += address.failures;
    well += address.wellBetween;
  }
  return failures + well === 0 ? 0 : failures / (failures + well);
}

function isBadRoute(route: RouteCase, routes: readonly RouteCase[]): boolean {
  const ratio = badOf(route) / Math.max(1, allOf(route));
  const worst = Math.max(...routes.map((one) => badOf(one) / Math.max(1, allOf(one))));
  return badOf(route) >= 2 && ratio >= 0.01 && ratio >= worst * RELATIVE_MIN;
}

function causesOf(here: readonly AddressCase[], rows: readonly FailureRow[]): [CauseId, number][] {
  const counts: CauseCounts = {};
  for (const address of here) addCounts(counts, address.byCause);
  for (const { outcome, cause, address, count } of rows) {
    if (cause === null || outcome === "refused" || outcome === "aborted") continue;
    // What failed at an address was counted there, attempt by attempt; what never came so far, or was our own doing, only here.
    if (address !== "" && countsAgainstOrigin(cause)) continue;
    counts[cause] = (counts[cause] ?? 0) + (address === "" ? count : 0);
  }
  // Object.entries widens keys.
  return (Object.entries(counts) as [CauseId, number][])
    .filter(([id, count]) => count > 0 && !id.startsWith("client."))
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function originCulprits(here: readonly AddressCase[]): Culprits | null {
  return narrowest([
    culpritsOf(
      "address",
      tallied(here, ({ address }) => address),
    ),
    culpritsOf(
      "origin",
      tallied(here, ({ origin }) => origin),
    ),
    culpritsOf(
      "pool",
      tallied(here, ({ pool }) => pool),
    ),
    culpritsOf(
      "provider",
      tallied(here, ({ provider }) => provider),
    ),
  ]);
}

function tallied(here: readonly AddressCase[], by: (address: AddressCase) => string): Tally[] {
  const sums = new Map<string, { value: string; bad: number; total: number }>();
  for (const address of here) {
    const value = by(address);
    const sum = sums.get(value) ?? { value, bad: 0, total: 0 };
    sum.bad += address.failures;
    sum.total += address.attempts - address.quietAttempts;
    sums.set(value, sum);
  }
  return [...sums.values()];
}

/** By service and route: those that have a part of the failures worth mentioning. */
function failingRoutes(tellers: readonly TellerCase[]): ReadonlySet<string> {
  const bad = new Map<string, number>();
  for (const { routes } of tellers) for (const [key, one] of routes) bad.set(key, (bad.get(key) ?? 0) + one.bad);
  const all = tellers.reduce((sum, teller) => sum + teller.bad, 0);
  return new Set([...bad].flatMap(([key, count]) => (count > 0 && count >= all * FAILING_ROUTE_MIN ? [key] : [])));
}

/** Of a worker that was not asked what fails nobody knows whether it would fail there. */
function talliedWhereItFails(
  { routes }: TellerCase,
  failing: ReadonlySet<string>,
): { readonly bad: number; readonly total: number } {
  const those = [...routes].filter(([key]) => failing.has(key)).map(([, one]) => one);
  return {
    bad: those.reduce((all, one) => all + one.bad, 0),
    total: those.reduce((all, one) => all + one.exchanges, 0),
  };
}

function networkCulprits(seen: Case): Culprits | null {
  const tallies: Tally[] = [];
  for (const [network, { exchanges }] of seen.clients) {
    const bad = seen.networks.get(network);
    tallies.push({ value: network, bad: (bad?.bad ?? 0) + (bad?.left ?? 0) + (bad?.refused ?? 0), total: exchanges });
  }
  return culpritsOf("network", tallies);
}

function usualRates(watches: Watches, services: ReadonlySet<string>): { exchanges: number; attempts: number } {
  let exchanges = 0;
  let attempts = 0;
  for (const { service, normal } of watches.services.values()) {
    if (services.size > 0 && !services.has(service)) continue;
    // What was seen for less than a minute is not usual yet.
    if (normal.seconds < USUAL_MIN_S) return { exchanges: 0, attempts: 0 };
    exchanges += normal.perSecond;
  }
  for (const { row, normal } of watches.addresses.values())
    if (services.size === 0 || services.has(row.service)) attempts += normal.perSecond;
  return { exchanges, attempts };
}

const USUAL_MIN_S = 60;
const BEFORE_MS = 10_000;

function loadBefore(seen: Case, services: ReadonlySet<string>, at: number, usual: number): number {
  if (usual === 0) return 1;
  let exchanges = 0;
  const ats = new Set<number>();
  for (const second of seen.seconds) {
    if (second.at >= at || second.at < at - BEFORE_MS || (services.size > 0 && !services.has(second.service))) continue;
    exchanges += second.exchanges;
    ats.add(second.at);
  }
  return ats.size === 0 ? 1 : loadFactor(exchanges, ats.size, usual);
}

/** Against the usual. What chance alone makes of a few exchanges is no change of load. */
function loadFactor(exchanges: number, seconds: number, usual: number): number {
  const expected = usual * seconds;
  if (expected <= 0 || Math.abs(exchanges - expected) < CHANCE_SIGMAS * Math.sqrt(expected)) return 1;
  return exchanges / expected;
}

const CHANCE_SIGMAS = 3;
const ROSE_FACTOR = 1.6;

/** In the second in which it began to fail there was far more to do already: repeats come later. */
function roseAtOnset(seen: Case, services: ReadonlySet<string>, at: number, usual: number): boolean {
  const second = Math.floor(at / 1000) * 1000;
  return [second, second + 1000].some((one) => {
    const exchanges = seen.seconds.reduce(
      (sum, { at: its, service, exchanges: count }) =>
        sum + (Math.floor(its / 1000) * 1000 === one && (services.size === 0 || services.has(service)) ? count : 0),
      0,
    );
    return loadFactor(exchanges, 1, usual) >= ROSE_FACTOR;
  });
}

const LULL_BEFORE_MS = 15_000;
const LULL_MIN_S = 8;
const PEAK_FACTOR = 1.4;

/** Nobody came, or nobody was answered, and then everybody was there at once. */
function lullOf(
  seen: Case,
  watches: Watches,
  services: ReadonlySet<string>,
  firstFailureAt: number,
  usual: number,
): number {
  if (usual === 0) return 0;
  let lull = 0;
  for (const { service, silence } of watches.services.values())
    if (services.has(service) && Math.abs(silence.lullEndedAt - firstFailureAt) <= LULL_BEFORE_MS)
      lull = Math.max(lull, silence.lullSeconds);
  const all = seen.seconds.filter(({ service }) => services.has(service));
  const firstPeak = all.findIndex(({ at, exchanges }) => at >= firstFailureAt && exchanges >= usual * PEAK_FACTOR);
  const peaks = all.slice(Math.max(0, firstPeak)).filter(({ exchanges }) => exchanges >= usual * PEAK_FACTOR).length;
  if (firstPeak < 0 || peaks < 5) return 0;
  if (lull > 0) return lull;
  const dark = all
    .slice(0, firstPeak)
    .filter(({ at, bad, exchanges }) => at >= firstFailureAt && bad >= exchanges * 0.8);
  return dark.length >= LULL_MIN_S ? dark.length : 0;
}
