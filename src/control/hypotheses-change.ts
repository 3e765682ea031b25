/**
 * What was changed shortly before it began. A change is suspected for when it was *and* for where the failures are: one that came after
 * the first failure is not its cause, and neither is one elsewhere. The nearer in time, the likelier.
 */
import { CONCLUSIONS } from "../kernel/conclusions.ts";
import type { ChangeFact } from "../contract/facts.ts";
import type { CauseId } from "../kernel/causes.ts";
import { Weighing } from "./claim.ts";
import type { AnyCause, Claim } from "./claim.ts";
import { said, theOrigin } from "./hypotheses-origin.ts";
import type { Signs } from "./signs.ts";
import { changeCite, cited, figure, part, percent, unique } from "./signs.ts";

const CAUSE_OF: Readonly<Partial<Record<ChangeFact["what"], AnyCause>>> = {
  "configuration applied": "change.config",
  "deploy announced": "change.bad_deploy",
  "origins changed": "change.origin_set",
  "dns answer changed": "dns.drift",
  "gateway started": "change.restart",
  drill: "change.drill",
};

const WARMING = CONCLUSIONS["change.restart"].showsAs;
const BROKEN_OFF: readonly CauseId[] = ["origin.refused", "origin.reset_before_response", "net.mid_reset"];
const ENDS_ALONE_MS = 25_000;
/** Before so many seconds are seen, nobody can say whether it ends by itself. */
const RESTART_FADES_MS = 60_000;
/** What is wrong in a configuration is met by whoever asks next; it does not wait for so many and so long. */
const SERVED_WELL = 20;
const SERVED_WELL_MS = 10_000;

export function changeClaims(signs: Signs): Claim[] {
  const claims: Claim[] = [...alternating(signs)];
  const seen = new Set<AnyCause>();
  for (const change of signs.changesBefore) {
    const cause = CAUSE_OF[change.what];
    // The newest of a kind: changes come newest first.
    if (cause === undefined || seen.has(cause)) continue;
    seen.add(cause);
    claims.push(weigh(signs, change, cause).done());
    if (change.what === "deploy announced" || change.what === "origins changed") claims.push(...closed(signs, change));
  }
  return claims.filter(({ points }) => points > 0);
}

function weigh(signs: Signs, change: ChangeFact, cause: AnyCause): Weighing {
  const gapMs = Math.max(0, signs.firstFailureAt - change.at);
  const before = cited(
    `${change.text} (${change.what}), ${Math.round(gapMs / 1000)} s before the first failure.`,
    changeCite(change),
  );
  const fit = fitOf(signs, change);
  const inside = figure(
    signs,
    isEverywhere(change)
      ? "It was changed for everything, so also where the failures are."
      : `${percent(fit.inside)} of the failures are where it was changed${fit.outsideWell ? ", and what was not changed works" : ""}.`,
    {
      name: "failures where it was changed",
      where: { ...change.where },
      value: fit.inside,
      unit: "ratio",
    },
  );
  const narrower = figure(signs, `The failures are confined to ${theOrigin(signs) ?? ""}, the change was not.`, {
    name: "failing origins",
    value: signs.failing.length,
    unit: "origins",
  });
  const wellSince = wellSinceOf(signs, change);
  const weighing = new Weighing(cause, claimOf(change, cause), whereOf(signs, change))
    .speaksFor(nearness(cause, gapMs), before)
    .speaksFor(2.5, inside, signs.bad > 0 && fit.isBound && fit.inside >= 0.8 && fit.outsideWell)
    .speaksFor(
      1,
      inside,
      signs.bad > 0 && cause !== "change.restart" && fit.inside >= 0.8 && !(fit.isBound && fit.outsideWell),
    )
    .speaksAgainst(4, inside, fit.inside < 0.6);
  if (cause === "change.config")
    weighing
      .speaksAgainst(2, narrower, !fit.isBound && theOrigin(signs) !== null)
      // New workers, or new settings, take a moment to be as fast as the old ones; that is nobody's mistake.
      .speaksAgainst(2, onlySlower(signs), !signs.fails)
      .speaksAgainst(
        2,
        servedWith(wellSince, signs),
        fit.inside === 1 && wellSince >= SERVED_WELL && failsBroadly(signs),
      )
      .speaksFor(2, noRoute(signs), noRouteRose(signs));
  if (cause === "change.restart") {
    const lasts = figure(signs, `It goes on ${Math.round((signs.case.to - change.at) / 1000)} s after the start.`, {
      name: "time since the start",
      value: (signs.case.to - change.at) / 1000,
      unit: "s",
    });
    weighing
      .speaksFor(1.5, warming(signs), isWarming(signs) && gapMs <= 5_000)
      .speaksAgainst(2, warming(signs), !isWarming(signs))
      // A gateway that has to warm up asks late or not at all; nobody refuses it for that.
      .speaksAgainst(6, said(signs, BROKEN_OFF), part(signs, ...BROKEN_OFF) >= 0.2)
      .speaksAgainst(3, lasts, signs.case.to - change.at > RESTART_FADES_MS * 1.5)
      .speaksAgainst(2, narrower, theOrigin(signs) !== null)
      .speaksFor(1.5, lasts, signs.isOver && signs.case.to - change.at <= RESTART_FADES_MS);
  }
  if (cause === "dns.drift" || cause === "change.origin_set") {
    const fresh = signs.failing.filter(
      ({ failures, wellBetween }) => failures > 0 && failures >= (failures + wellBetween) * 0.8,
    );
    const isNew = fresh.length > 0 && fresh.every((address) => isNewAddress(signs, address, change));
    const came = figure(
      signs,
      `The failing addresses (${unique(fresh.map(({ address }) => address)).join(", ")}) came with the change.`,
      {
        name: "failing new addresses",
        value: fresh.length,
        unit: "addresses",
      },
    );
    weighing
      .speaksFor(1.5, came, part(signs, "dns.stale_ip") >= 0.5)
      .speaksFor(2.5, came, isNew)
      .speaksAgainst(1.5, came, !isNew && part(signs, "dns.stale_ip") < 0.3);
  }
  if (cause === "change.bad_deploy") {
    const ended = endedAlone(signs, change);
    const short = figure(signs, "It ended by itself within seconds.", {
      name: "duration",
      value: (signs.case.to - signs.firstFailureAt) / 1000,
      unit: "s",
    });
    weighing.speaksAgainst(2, short, ended);
  }
  if (cause === "change.drill") weighing.speaksFor(2, before);
  return weighing;
}

/** How much a change is suspected for its time alone. A start has its effects at once. */
function nearness(cause: AnyCause, gapMs: number): number {
  if (cause === "change.restart") return gapMs <= 5_000 ? 1 : 0.3;
  return gapMs <= 15_000 ? 2 : gapMs <= 60_000 ? 1.4 : 0.6;
}

/** What a cold gateway does: it has no room yet, no connections, and is slow. Its origins work. */
function isWarming(signs: Signs): boolean {
  return signs.fails ? part(signs, ...WARMING) >= 0.5 : signs.slowPart >= 0.05;
}

function warming(signs: Signs): ReturnType<typeof figure> {
  const share = part(signs, ...WARMING);
  return figure(signs, `${percent(share)} of the failures are of the kind that a cold start makes.`, {
    name: "failures of a cold start",
    value: share,
    unit: "ratio",
  });
}

/** Origins that were stopped while they had work: a short burst at the place of the change that ends by itself. */
function closed(signs: Signs, change: ChangeFact): Claim[] {
  const broke = part(
    signs,
    "origin.refused",
    "origin.reset_before_response",
    "origin.truncated",
    "net.mid_reset",
    "dns.stale_ip",
    "origin.keepalive_race",
    "origin.h2_refused",
  );
  const { inside } = fitOf(signs, change);
  if (broke < 0.7 || inside < 0.7) return [];
  const ended = endedAlone(signs, change);
  const short = figure(
    signs,
    `It lasted ${Math.round(lastFailureAt(signs) - signs.firstFailureAt) / 1000} s and ended by itself.`,
    {
      name: "duration",
      value: (lastFailureAt(signs) - signs.firstFailureAt) / 1000,
      unit: "s",
    },
  );
  return [
    new Weighing("origin.deploy_close", "Origins were replaced without draining", whereOf(signs, change))
      .speaksFor(1.5, cited(`${change.text} just before the first failure.`, changeCite(change)))
      .speaksFor(
        1,
        figure(signs, `${percent(broke)} of the failures are connections that were refused or broken off.`, {
          name: "broken connections",
          value: broke,
          unit: "ratio",
        }),
      )
      .speaksFor(3, short, ended)
      .done(),
  ];
}

function endedAlone(signs: Signs, change: ChangeFact): boolean {
  return signs.isOver && lastFailureAt(signs) - change.at <= ENDS_ALONE_MS;
}

function lastFailureAt(signs: Signs): number {
  return Math.max(signs.firstFailureAt, ...signs.failing.map((address) => address.lastFailureAt));
}

interface Fit {
  /** Part of the failures that are where the change was, 0–1. */
  readonly inside: number;
  /** It names a place within the service, and not everything. */
  readonly isBound: boolean;
  readonly outsideWell: boolean;
}

function fitOf(signs: Signs, change: ChangeFact): Fit {
  const { service, pool, origin, address, route } = change.where;
  if (service !== undefined && !signs.services.has(service)) return { inside: 0, isBound: true, outsideWell: false };
  const matches = (one: { service: string; pool: string; origin: string; address: string }): boolean =>
    (service === undefined || one.service === service) &&
    (pool === undefined || one.pool === pool) &&
    (origin === undefined || one.origin === origin) &&
    (address === undefined || one.address === address);
  if (pool !== undefined || origin !== undefined || address !== undefined) {
    const all = signs.here.reduce((sum, one) => sum + one.failures, 0);
    const inside = signs.here.filter(matches).reduce((sum, one) => sum + one.failures, 0);
    // A provider that fails fails also in services which nobody disturbed enough for an alarm.
    const outside = [...signs.case.addresses.values()].filter(
      (one) => !matches(one) && one.failures >= 3 && one.failures >= one.attempts * 0.1,
    );
    return {
      inside: all === 0 ? 0 : outside.length > 0 ? Math.min(0.5, inside / all) : inside / all,
      isBound: true,
      outsideWell: signs.well.some((one) => !matches(one) && signs.services.has(one.service)),
    };
  }
  if (route !== undefined) {
    const routes = route.split(", ");
    const bad = signs.routes.reduce((sum, { byOutcome }) => sum + byOutcome.failed + byOutcome.rescued, 0);
    const its = signs.routes.filter((one) => routes.includes(one.route));
    const inside = its.reduce((sum, { byOutcome }) => sum + byOutcome.failed + byOutcome.rescued, 0);
    return { inside: bad === 0 ? 0 : inside / bad, isBound: true, outsideWell: signs.wellRoutes.length > 0 };
  }
  return {
    inside: 1,
    isBound: service !== undefined && signs.topology.length > 1,
    outsideWell: service !== undefined && signs.well.some((one) => one.service !== service),
  };
}

function isNewAddress(
  signs: Signs,
  { service, pool, address }: { service: string; pool: string; address: string },
  change: ChangeFact,
): boolean {
  const watch = signs.watches.addresses.get(`${service}\n${pool}\n${address}`);
  // Nothing is usual yet for what has just come.
  if (watch === undefined || watch.normal.durations.count < 20) return true;
  return watch.bornAt > 0 && watch.bornAt >= change.at - NEW_MS && signs.watches.since < change.at - NEW_MS;
}

const NEW_MS = 15_000;

function onlySlower(signs: Signs): ReturnType<typeof figure> {
  return figure(signs, "Nothing has failed since; answers take longer.", {
    name: "failures",
    value: signs.bad,
    unit: "attempts",
  });
}

/** Of the change, no place is named. */
function isEverywhere({ where }: ChangeFact): boolean {
  const { service, pool, origin, address, route } = where;
  return [service, pool, origin, address, route].every((place) => place === undefined);
}

/** Exchanges of the disturbed services that went well with it, in whole seconds before anything failed; 0 where one did not. */
function wellSinceOf(signs: Signs, change: ChangeFact): number {
  if (signs.firstFailureAt - change.at < SERVED_WELL_MS) return 0;
  const seconds = signs.case.seconds.filter(
    ({ at, service }) => signs.services.has(service) && at >= change.at + 1_000 && at < signs.firstFailureAt - 1_000,
  );
  if (seconds.some(({ bad }) => bad > 0)) return 0;
  return seconds.reduce((all, { exchanges }) => all + exchanges, 0);
}

function servedWith(wellSince: number, signs: Signs): ReturnType<typeof figure> {
  return figure(signs, `${wellSince} exchanges went well with it before the first failure.`, {
    name: "exchanges that went well with it",
    value: wellSince,
    unit: "exchanges",
  });
}

/** So much of it that those who were served before would have met it, had it been there. */
function failsBroadly(signs: Signs): boolean {
  const since = signs.case.seconds.filter(
    ({ at, service }) => signs.services.has(service) && at >= signs.firstFailureAt,
  );
  const exchanges = since.reduce((all, one) => all + one.exchanges, 0);
  return since.reduce((all, one) => all + one.bad, 0) >= exchanges * 0.25 && exchanges > 0;
}

function noRouteRose(signs: Signs): boolean {
  return (
    signs.routes.reduce((all, { byCause }) => all + (byCause["gw.no_route"] ?? 0), 0) >= 5 || unroutedOf(signs) >= 5
  );
}

function noRoute(signs: Signs): ReturnType<typeof figure> {
  return figure(signs, `${unroutedOf(signs)} requests found no route.`, {
    name: "gw.no_route",
    value: unroutedOf(signs),
    unit: "exchanges",
  });
}

function unroutedOf(signs: Signs): number {
  return [...signs.case.routes.values()].reduce((all, { byCause }) => all + (byCause["gw.no_route"] ?? 0), 0);
}

function whereOf(signs: Signs, change: ChangeFact): Record<string, string> {
  const service = [...signs.services];
  return { ...(service.length === 1 ? { service: service[0] ?? "" } : {}), ...change.where };
}

const CLAIMS: Readonly<Partial<Record<AnyCause, string>>> = {
  "change.config": "The configuration that was just applied is wrong",
  "change.bad_deploy": "The new version is broken",
  "change.origin_set": "The set of origins was changed, and what came does not work",
  "dns.drift": "A name leads elsewhere than before, and what is there does not work",
  "change.restart": "The gateway was just started, and has to warm up",
  "change.drill": "A drill is running",
};

function claimOf(change: ChangeFact, cause: AnyCause): string {
  const claim = CLAIMS[cause] ?? "Something was changed";
  return cause === "change.bad_deploy" || cause === "change.drill" ? `${claim} (${change.text})` : claim;
}

/** Failures that follow the configuration in force, back and forth. */
function alternating(signs: Signs): Claim[] {
  const seconds = signs.case.seconds.filter(
    ({ service, exchanges }) => (signs.services.has(service) || service === "") && exchanges > 0,
  );
  const sums = new Map<string, { bad: number; all: number }>();
  let turns = 0;
  let last = "";
  for (const { revision, bad, exchanges } of seconds) {
    if (last !== "" && revision !== last) turns += 1;
    last = revision;
    const sum = sums.get(revision) ?? { bad: 0, all: 0 };
    sum.bad += bad;
    sum.all += exchanges;
    sums.set(revision, sum);
  }
  const ratios = [...sums.values()].map(({ bad, all }) => bad / all);
  if (turns < 3 || sums.size < 2 || signs.tellers.length > 1) return [];
  const [worst, best] = [Math.max(...ratios), Math.min(...ratios)];
  if (worst < 0.05 || best > worst * 0.2) return [];
  const follows = figure(
    signs,
    `${turns} changes of configuration; ${percent(worst)} fail with the one and ${percent(best)} with the other.`,
    {
      name: "failed part of exchanges by configuration",
      value: worst,
      usual: best,
      unit: "ratio",
    },
  );
  return [
    new Weighing("change.alternating", "Good and bad configurations take turns", {}).speaksFor(6, follows).done(),
  ];
}
