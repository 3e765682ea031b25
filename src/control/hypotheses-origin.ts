/** What may be wrong at origins: the process, its machine, the application, the check of it. */
import type { CauseId } from "../kernel/causes.ts";
import type { Claim } from "./claim.ts";
import { Weighing } from "./claim.ts";
import type { AddressCase } from "./case.ts";
import { rungSeen } from "./rungs-seen.ts";
import type { Signs } from "./signs.ts";
import { quantileMs } from "./sparse-histogram.ts";
import { badOf, allOf, figure, p95Of, part, percent, unique } from "./signs.ts";

const GONE: readonly CauseId[] = [
  "origin.refused",
  "origin.socket_missing",
  "origin.reset_before_response",
  "net.mid_reset",
  "origin.truncated",
];
export const SILENT: readonly CauseId[] = [
  "origin.ttfb_timeout",
  "origin.deadline",
  "origin.stall_mid_body",
  "origin.write_stall",
];
/** What had begun, and stopped. */
const HALFWAY: readonly CauseId[] = ["origin.stall_mid_body", "origin.write_stall"];
const ROOM: readonly CauseId[] = ["gw.shed", "gw.pool_wait", "gw.deadline", "origin.overload_reply"];

/** Causes that already say what is wrong. */
const SAYING: readonly CauseId[] = [
  "origin.malformed",
  "origin.framing",
  "origin.header_too_big",
  "origin.h2_handshake",
  "origin.h2_protocol",
  "origin.nested_gw_5xx",
];

export function originClaims(signs: Signs): Claim[] {
  return [
    ...downAndGray(signs),
    ...slowAndPaused(signs),
    ...routeBroken(signs),
    ...poison(signs),
    ...keepAlive(signs),
    ...checkBroken(signs),
  ];
}

/** The origin that the failures are confined to; null: there is none, or more than one. */
export function theOrigin(signs: Signs): string | null {
  const origins = unique(signs.failing.map(({ origin }) => origin));
  const [only] = origins;
  if (only === undefined || origins.length > 1) return null;
  return signs.here.some(({ origin, attempts, checksWell }) => origin !== only && attempts + checksWell >= 3)
    ? only
    : null;
}

export function placeOf(signs: Signs, origin: string): Record<string, string> {
  const address = signs.here.find((one) => one.origin === origin);
  return address === undefined ? { origin } : { service: address.service, pool: address.pool, origin: address.origin };
}

export function peersAreWell(signs: Signs, origin: string): AddressCase[] {
  return signs.well.filter((address) => address.origin !== origin && signs.services.has(address.service));
}

function downAndGray(signs: Signs): Claim[] {
  const origin = theOrigin(signs);
  if (origin === null) return [];
  const where = placeOf(signs, origin);
  const peers = peersAreWell(signs, origin);
  const at = signs.failing.filter((address) => address.origin === origin);
  const [gone, silent] = [part(signs, ...GONE), part(signs, ...SILENT)];
  const connect = part(signs, "net.connect_timeout", "net.unroutable");
  const race = part(signs, "origin.keepalive_race", "net.half_open");
  const isTotal = signs.failRatio >= 0.8;
  const checksWell = at.reduce((all, { checksWell: count }) => all + count, 0);
  const checksFailed = at.reduce((all, { checksFailed: count }) => all + count, 0);
  // Its checks took it out before a request was lost there: then nothing is known of what requests would meet but that.
  const isUntried = at.every(({ failures }) => failures === 0) && checksFailed > checksWell;
  const turns = Math.max(0, ...at.map(({ turns: count }) => count));
  const confined = figure(
    signs,
    `${isUntried ? "Only the checks fail, and only" : "All failures are"} at ${origin}; ${peers.length === 0 ? "its peers were not tried" : `${peers.length} of its peers work`}.`,
    { name: "failures", where, value: signs.bad, unit: "attempts" },
  );
  const ratio = figure(signs, `${percent(signs.failRatio)} of what was tried at ${origin} since then failed.`, {
    name: "failed part of attempts",
    where,
    value: signs.failRatio,
    unit: "ratio",
  });
  const checks = figure(signs, `${checksFailed} s of failing and ${checksWell} s of succeeding checks at ${origin}.`, {
    name: "checks that succeeded",
    where,
    value: checksWell,
    unit: "s",
  });
  const untried = figure(signs, `No request was lost at ${origin}: it was out of use before.`, {
    name: "failures",
    where,
    value: 0,
    unit: "attempts",
  });
  const isNoOneRoute = figure(signs, "Only some routes fail there.", {
    name: "routes",
    where,
    value: signs.badRoutes.length,
    unit: "routes",
  });
  const asked = rungSeen(signs, [origin], "request");
  const down = new Weighing("origin.down", `${origin} is down`, where)
    .speaksFor(2, confined)
    .speaksFor(1.5, ratio, isTotal)
    .speaksFor(1, said(signs, GONE), gone >= 0.5)
    .speaksFor(0.5, said(signs, SILENT), silent >= 0.5)
    .speaksFor(0.5, checks, checksFailed > checksWell)
    .speaksFor(1, checks, isUntried)
    .speaksAgainst(2.5, ratio, !isTotal && !isUntried)
    .speaksAgainst(1, checks, checksWell > 10 && checksFailed === 0)
    .speaksAgainst(2.5, said(signs, ["net.connect_timeout", "net.unroutable"]), connect >= 0.5)
    .speaksAgainst(2.5, said(signs, ["dns.stale_ip"]), part(signs, "dns.stale_ip") >= 0.5)
    .speaksAgainst(0.7, said(signs, SAYING), part(signs, ...SAYING) >= 0.7)
    .speaksAgainst(3, said(signs, ["origin.keepalive_race", "net.half_open"]), race >= 0.5);
  // A probe sees another moment than traffic does: it adds to what that says and does not outweigh it.
  if (asked?.result === "breaks") down.speaksFor(0.7, asked.evidence);
  else if (asked !== null) down.speaksAgainst(1, asked.evidence);
  const gray = new Weighing("origin.gray", `${origin} fails in part while it looks well`, where)
    .speaksFor(2, confined)
    .speaksFor(1.5, ratio, !isTotal && !isUntried)
    .speaksAgainst(2.5, untried, isUntried)
    .speaksFor(0.5, said(signs, HALFWAY), part(signs, ...HALFWAY) >= 0.5)
    .speaksFor(0.7, checks, checksWell > checksFailed)
    .speaksAgainst(3, ratio, isTotal)
    .speaksAgainst(1, checks, checksFailed > checksWell)
    .speaksAgainst(0.7, said(signs, SAYING), part(signs, ...SAYING) >= 0.7)
    .speaksAgainst(1.5, said(signs, ["net.connect_timeout", "net.unroutable"]), connect >= 0.5)
    .speaksAgainst(
      1,
      isNoOneRoute,
      signs.byRoute !== null && signs.byRoute.exposure < 0.5 && signs.wellRoutes.length > 0,
    )
    .speaksAgainst(3, said(signs, ["origin.keepalive_race", "net.half_open"]), race >= 0.5);
  const turned = figure(signs, `${origin} turned ${turns} times between failing and working.`, {
    name: "turns",
    where,
    value: turns,
    unit: "turns",
  });
  const flapping = new Weighing("origin.flapping", `${origin} comes and goes`, where)
    .speaksFor(2, confined, turns >= 3)
    .speaksFor(turns >= 5 ? 3.5 : 2.5, turned, turns >= 3)
    .speaksAgainst(2.5, checks, checksFailed === 0 && checksWell > 0);
  return [down, gray, flapping].map((weighing) => weighing.done());
}

function slowAndPaused(signs: Signs): Claim[] {
  const isSilent = part(signs, ...SILENT) >= 0.5;
  const slowOnes = [
    ...signs.slow,
    ...signs.failing.filter(({ shunnedSeconds }) => isSilent || shunnedSeconds >= SHUNNED_S),
  ];
  const origins = unique(slowOnes.map(({ origin }) => origin));
  const [only] = origins;
  const tried = signs.here.filter(({ attempts }) => attempts >= 3);
  const isOne = only !== undefined && origins.length === 1 && unique(tried.map(({ origin }) => origin)).length > 1;
  const slowRoutes = unique(signs.slowRoutes.map(({ route }) => route));
  const isSomeRoutes =
    slowRoutes.length > 0 && slowRoutes.length < signs.routes.filter((route) => allOf(route) >= 5).length;
  const pools = unique(slowOnes.map((address) => address.pool));
  const pool = pools.length === 1 && signs.services.size === 1 ? pools[0] : undefined;
  const isSlow = slowOnes.length > 0 || signs.slowPart >= 0.05;
  if (!isSlow) return [];
  const where = isOne
    ? placeOf(signs, only)
    : {
        service: [...signs.services][0] ?? "",
        ...(isSomeRoutes ? { route: slowRoutes.join(", ") } : pool === undefined ? {} : { pool }),
      };
  const worst = slowOnes.toSorted((a, b) => (p95Of(b) ?? 0) - (p95Of(a) ?? 0))[0];
  const before =
    worst === undefined ? null : signs.watches.addresses.get(`${worst.service}\n${worst.pool}\n${worst.address}`);
  const p95 = worst === undefined ? null : p95Of(worst);
  const usualP95 = before === null || before === undefined ? null : quantileMs(before.normal.durations, 0.95);
  const late = figure(
    signs,
    `${percent(signs.slowPart)} of the answers took more than twice as long as the slowest usually do${isOne ? `, all at ${only}` : isSomeRoutes ? `, on ${slowRoutes.join(", ")}` : ""}.`,
    {
      // Where few are late, or the balancer soon asks somebody else, the percentile is as always and says nothing.
      ...(p95 !== null && usualP95 !== null && p95 > usualP95
        ? { name: "latency p95", value: p95, usual: usualP95, unit: "ms" }
        : { name: "slow answers", value: signs.slowPart, unit: "ratio" }),
      where,
    },
  );
  // Whom the balancer avoids may as well answer errors, or have had more than its part before.
  const isLate =
    isSilent || signs.slowPart >= LATE_PART || slowOnes.some(({ slow, dumbMost }) => slow > 0 || dumbMost >= DUMB_S);
  const shunned = Math.max(0, ...slowOnes.map(({ shunnedSeconds }) => shunnedSeconds));
  const avoided = figure(signs, `For ${shunned} s it got next to nothing of its usual part: the balancer avoids it.`, {
    name: "time avoided",
    where,
    value: shunned,
    unit: "s",
  });
  const load = loadEvidence(signs);
  const held = Math.max(0, ...signs.here.map(({ atLimitSeconds, seconds }) => atLimitSeconds / Math.max(1, seconds)));
  const room = figure(signs, `Origins were as full as they may be for ${percent(held)} of the time.`, {
    name: "time at the limit",
    value: held,
    unit: "ratio",
  });
  // An exchange that was rescued after a failure is late because of that failure.
  const failsOtherwise = signs.fails && signs.bad >= (shunned > 0 ? 10 : 5) && part(signs, ...SILENT, ...ROOM) < 0.5;
  const failsToo = said(
    signs,
    signs.causes.slice(0, 3).map(([id]) => id),
  );
  const never = figure(signs, "What it was asked was never answered, rather than late.", {
    name: "failed part of attempts",
    where,
    value: signs.failRatio,
    unit: "ratio",
  });
  const stall = figure(signs, `The gateway itself stood still in ${signs.stallSeconds} s.`, {
    name: "loop stalls",
    value: signs.stallSeconds,
    unit: "s",
  });
  const widelySlow = unique(signs.slowRoutes.map(({ service }) => service));
  const widely = figure(signs, `${widelySlow.join(" and ")} became slow together, which have no origin in common.`, {
    name: "services that are slow",
    value: widelySlow.length,
    unit: "services",
  });
  const slow = new Weighing(
    "origin.slow",
    isOne
      ? `${only} has become slow`
      : isSomeRoutes
        ? `${slowRoutes.join(", ")} has become slow`
        : pool !== undefined && unique(signs.here.map((address) => address.pool)).length > 1
          ? `Pool ${pool} has become slow`
          : "The origins have become slow",
    where,
  )
    .speaksFor(2.5, late, isLate)
    .speaksFor(1, late, isLate && (isOne || isSomeRoutes))
    .speaksFor(1, avoided, shunned > 0)
    .speaksFor(0.7, load, signs.loadFactor < 1.3 && held < 0.3)
    .speaksAgainst(2, load, signs.loadFactorBefore >= 1.5)
    .speaksAgainst(1.5, load, !isOne && !isSomeRoutes && (signs.loadFactor >= 1.3 || signs.attemptsFactor >= 1.25))
    .speaksAgainst(2, stall, signs.stallSeconds >= 3)
    .speaksAgainst(2.5, failsToo, failsOtherwise)
    .speaksAgainst(2.5, never, isOne && signs.fails && signs.failRatio >= 0.9)
    .speaksAgainst(1.5, widely, widelySlow.length >= 2)
    // An answer that stopped was not late: it had begun.
    .speaksAgainst(2.5, said(signs, HALFWAY), part(signs, ...HALFWAY) >= 0.5)
    .speaksAgainst(1.5, said(signs, ROOM), part(signs, ...ROOM) >= 0.5 && !isOne && !isSomeRoutes);
  const overload = new Weighing("origin.overload", "The origins have more work than they can do in time", {
    service: [...signs.services][0] ?? "",
  })
    .speaksFor(2, said(signs, ROOM), part(signs, ...ROOM) >= 0.3)
    .speaksFor(1, room, held >= 0.3)
    .speaksFor(1, late, signs.slowPart >= 0.1)
    .speaksAgainst(2, load, signs.loadFactorBefore >= 1.4 || signs.loadFactor >= 1.4)
    .speaksAgainst(1.5, late, isOne || isSomeRoutes);
  const paused = slowOnes.filter(({ dumbMost }) => dumbMost >= 3);
  const pausedOne = paused[0];
  const claims = [slow, overload];
  if (pausedOne !== undefined && isOne) {
    const stood = figure(
      signs,
      `${only} answered nothing at all for up to ${pausedOne.dumbMost} s${pausedOne.bursts > 0 ? ", then much at once" : ""}.`,
      { name: "longest time without a first byte", where, value: pausedOne.dumbMost, unit: "s" },
    );
    claims.push(
      new Weighing("origin.paused", `${only} stood still`, where)
        .speaksFor(2.5, stood)
        .speaksFor(2.5, stood, pausedOne.bursts > 0)
        .speaksFor(0.5, late)
        .speaksAgainst(2, failsToo, failsOtherwise)
        .speaksAgainst(2, never, signs.fails && signs.failRatio >= 0.9),
    );
  }
  return claims.map((weighing) => weighing.done());
}

function routeBroken(signs: Signs): Claim[] {
  const { byRoute, badRoutes, wellRoutes } = signs;
  const origins = unique(signs.failing.map(({ origin }) => origin));
  if (badRoutes.length === 0 || wellRoutes.length === 0) return [];
  const names = badRoutes.map(({ route }) => route).join(", ");
  const where = { service: badRoutes[0]?.service ?? "", route: names };
  const split = figure(
    signs,
    `${names} ${badRoutes.length === 1 ? "fails" : "fail"}; ${wellRoutes.map(({ route }) => route).join(", ")} ${wellRoutes.length === 1 ? "works" : "work"}.`,
    {
      name: "failed part of exchanges",
      where,
      value:
        badRoutes.reduce((all, route) => all + badOf(route), 0) /
        Math.max(
          1,
          badRoutes.reduce((all, route) => all + allOf(route), 0),
        ),
      usual: 0,
      unit: "ratio",
    },
  );
  const even = figure(signs, `It fails alike at ${origins.length} origins.`, {
    name: "origins where it fails",
    where,
    value: origins.length,
    unit: "origins",
  });
  const appLike = part(
    signs,
    "origin.app_5xx",
    "origin.grpc_error",
    "origin.h2_reset",
    "origin.nested_gw_5xx",
    "origin.malformed",
    "origin.header_too_big",
    "origin.framing",
  );
  const again = rungSeen(signs, origins, "same request");
  return [
    new Weighing("origin.route_broken", `${names} fails on every origin, the rest of the application works`, where)
      .speaksFor(2.5, split, byRoute !== null)
      .speaksFor(1.5, even, origins.length >= 2 && theOrigin(signs) === null)
      .speaksFor(0.5, said(signs, ["origin.app_5xx", "origin.grpc_error"]), appLike >= 0.5)
      .speaksFor(0.7, again?.evidence ?? even, again?.result === "breaks")
      .speaksAgainst(0.7, again?.evidence ?? even, again?.result === "holds")
      .speaksAgainst(3, even, theOrigin(signs) !== null)
      .speaksAgainst(1.5, said(signs, SAYING), part(signs, ...SAYING) >= 0.7)
      .speaksAgainst(1.5, said(signs, ROOM), part(signs, ...ROOM) >= 0.5)
      .speaksAgainst(
        1.5,
        said(signs, ["net.connect_timeout", "origin.refused"]),
        part(signs, "net.connect_timeout", "origin.refused", "net.unroutable") >= 0.5,
      )
      .done(),
  ];
}

function poison(signs: Signs): Claim[] {
  const suspects = signs.case.samples.filter(
    ({ cause, attempts }) =>
      cause === "origin.poison" ||
      attempts.some((attempt) => attempt.cause === "origin.reset_before_response" && !attempt.reused),
  );
  const shapes = new Map<string, number>();
  for (const { method, target } of suspects) {
    const shape = `${method} ${target.split("?")[0] ?? ""}`;
    shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
  }
  const [shape, times] = [...shapes].toSorted((a, b) => b[1] - a[1])[0] ?? ["", 0];
  const poisoned = part(signs, "origin.poison");
  const origins = unique(signs.failing.map(({ origin }) => origin));
  if (poisoned === 0 && (times < 3 || times < suspects.length * 0.6 || origins.length < 2)) return [];
  const breaks = part(signs, "origin.reset_before_response", "origin.poison", "origin.refused");
  const sample = suspects[0];
  if (sample === undefined) return [];
  return [
    new Weighing("origin.crash_request", `Requests such as ${shape} break the origins that take them`, {
      service: [...signs.services][0] ?? "",
      ...(signs.byRoute === null ? {} : { route: signs.byRoute.values.join(", ") }),
    })
      .speaksFor(2.5, {
        text: `${times} of ${suspects.length} recorded breaks without an answer were ${shape}.`,
        cites: [
          {
            kind: "exchange",
            id: sample.id,
            at: sample.startedAt,
            fields: { method: sample.method, target: sample.target },
          },
        ],
      })
      .speaksFor(
        1.5,
        figure(signs, `It broke ${origins.length} origins.`, {
          name: "origins that broke",
          value: origins.length,
          unit: "origins",
        }),
        origins.length >= 2,
      )
      .speaksFor(3, said(signs, ["origin.poison"]), poisoned > 0)
      // Where next to nothing is answered, the request is whatever happened to be asked.
      .speaksAgainst(
        3,
        figure(signs, `${percent(signs.failRatio)} of all that was tried at these origins failed.`, {
          name: "failed part of attempts",
          value: signs.failRatio,
          unit: "ratio",
        }),
        poisoned === 0 && signs.failRatio >= 0.8,
      )
      .speaksAgainst(3, said(signs, ["origin.reset_before_response"]), breaks < 0.5 && poisoned === 0)
      .done(),
  ];
}

function keepAlive(signs: Signs): Claim[] {
  const race = part(signs, "origin.keepalive_race");
  if (race < 0.3) return [];
  const idles = signs.case.samples.flatMap(({ attempts }) =>
    attempts.filter(({ cause }) => cause === "origin.keepalive_race").map(({ connectionIdleMs }) => connectionIdleMs),
  );
  const spread = idles.length >= 3 ? Math.max(...idles) / Math.max(1, Math.min(...idles)) : 0;
  const near = figure(
    signs,
    `The connections had lain idle for ${Math.min(...idles)}–${Math.max(...idles)} ms when they were used again.`,
    {
      name: "idle time at failure",
      value: idles[0] ?? 0,
      unit: "ms",
    },
  );
  return [
    new Weighing("origin.keepalive_short", "An origin closes idle connections just as they are used again", {
      service: [...signs.services][0] ?? "",
      ...(signs.byOrigin === null ? {} : { [signs.byOrigin.dimension]: signs.byOrigin.values.join(", ") }),
    })
      .speaksFor(3, said(signs, ["origin.keepalive_race"]), race >= 0.5)
      .speaksFor(1, near, idles.length >= 3 && spread <= 2)
      .speaksAgainst(2, said(signs, GONE), part(signs, "origin.refused", "origin.reset_before_response") >= 0.3)
      .speaksAgainst(
        3,
        figure(signs, `The gateway itself stood still in ${signs.stallSeconds} s.`, {
          name: "loop stalls",
          value: signs.stallSeconds,
          unit: "s",
        }),
        signs.stallSeconds >= 2,
      )
      .done(),
  ];
}

function checkBroken(signs: Signs): Claim[] {
  const checked = signs.here.filter(({ checksWell, checksFailed }) => checksWell + checksFailed > 0);
  const broken = checked.filter(({ checksFailed }) => checksFailed >= 3);
  if (broken.length === 0) return [];
  const tried = broken.reduce((all, { uncheckedAttempts }) => all + uncheckedAttempts, 0);
  const failures = broken.reduce((all, { uncheckedFailures }) => all + uncheckedFailures, 0);
  const serves = figure(
    signs,
    `Checks fail at ${broken.length} of ${checked.length} addresses, and ${tried - failures} of ${tried} real requests there went well.`,
    { name: "failed part of attempts", value: tried === 0 ? 0 : failures / tried, unit: "ratio" },
  );
  const isFine = tried >= 5 && failures / tried < 0.05;
  return [
    new Weighing("check.broken", "The active check fails while the origins serve", {
      service: broken[0]?.service ?? "",
      pool: unique(broken.map(({ pool }) => pool)).join(", "),
    })
      .speaksFor(3.5, serves, isFine)
      .speaksFor(1, serves, isFine && broken.length === checked.length && checked.length >= 2)
      .speaksAgainst(3, serves, !isFine)
      .done(),
  ];
}

const SHUNNED_S = 10;
const LATE_PART = 0.0005;
const DUMB_S = 3;

/** What was seen, counted: the sentence that most hypotheses begin with. */
export function said(signs: Signs, ids: readonly CauseId[]): ReturnType<typeof figure> {
  const seen = signs.causes.filter(([id]) => ids.includes(id));
  const sum = seen.reduce((all, [, count]) => all + count, 0);
  const text =
    seen.length === 0
      ? `None of the ${signs.bad} failures is ${ids.join(", ")}.`
      : `${sum} of ${signs.bad} failures are ${seen.map(([id, count]) => `${id} (${count})`).join(", ")}.`;
  return figure(signs, text, { name: "failures", value: sum, unit: "attempts" });
}

export function loadEvidence(signs: Signs): ReturnType<typeof figure> {
  return figure(
    signs,
    `The rate of exchanges was ${percent(signs.loadFactorBefore)} of the usual just before, and ${percent(signs.loadFactor)} since.`,
    { name: "exchanges per second against the usual", value: signs.loadFactor, usual: 1, unit: "ratio" },
  );
}
