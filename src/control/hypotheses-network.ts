/** What may be wrong between here and the origins: machines that are gone, packets that are dropped, whole providers, names. */
import type { Evidence } from "../contract/evidence.ts";
import type { CauseId } from "../kernel/causes.ts";
import { Weighing } from "./claim.ts";
import type { Claim } from "./claim.ts";
import { SILENT, loadEvidence, placeOf, said, theOrigin } from "./hypotheses-origin.ts";
import type { AddressCase } from "./case.ts";
import { rungSeen } from "./rungs-seen.ts";
import type { Signs } from "./signs.ts";
import { cited, figure, part, percent, rungCite, unique } from "./signs.ts";

const CONNECT: readonly CauseId[] = ["net.connect_timeout", "net.unroutable"];
const DNS: readonly CauseId[] = ["dns.nxdomain", "dns.servfail", "dns.timeout", "dns.empty_or_prohibited"];

/** What only somebody can bring about who is there. */
const SHOWN: readonly CauseId[] = [
  "tls.cert_time",
  "tls.cert_trust",
  "tls.cert_name",
  "tls.cert_pin",
  "tls.client_cert",
  "tls.not_tls",
  "tls.protocol",
  "tls.alert",
];

/** How machines show that are not there. */
const AWAY: readonly CauseId[] = [...CONNECT, "origin.refused", "origin.ttfb_timeout"];
const PRESSED: readonly CauseId[] = ["origin.overload_reply", "gw.shed", "gw.pool_wait", "gw.deadline"];

export function networkClaims(signs: Signs): Claim[] {
  return [
    ...deadOrFiltered(signs),
    ...providerOut(signs),
    ...families(signs),
    ...idleDropped(signs),
    ...largeLost(signs),
    ...resets(signs),
    ...names(signs),
  ];
}

/** One address that does not let itself be connected to: three things look like that from here. */
function deadOrFiltered(signs: Signs): Claim[] {
  const connect = part(signs, ...CONNECT);
  if (connect < 0.5) return [];
  const origin = theOrigin(signs);
  if (origin === null && signs.failing.length > 1 && providersOf(signs).failed.length > 0) return [];
  const where = origin === null ? { service: [...signs.services][0] ?? "" } : placeOf(signs, origin);
  const place = origin ?? "the origin";
  const silence = said(signs, CONNECT);
  const unroutable = part(signs, "net.unroutable");
  const between = signs.failing.reduce((all, { wellBetween }) => all + wellBetween, 0);
  const made = signs.failing.reduce((all, { connectionsMade }) => all + connectionsMade, 0);
  const some = figure(signs, `${between} attempts at it went well in between, ${made} connections were made.`, {
    name: "attempts that went well in between",
    where,
    value: between,
    unit: "attempts",
  });
  const late = signs.loadFactorBefore >= 1.4 || signs.failing.some(({ atLimitSeconds }) => atLimitSeconds >= 3);
  const load = figure(signs, `It was asked ${percent(signs.loadFactorBefore)} of the usual when that began.`, {
    name: "exchanges per second against the usual",
    value: signs.loadFactorBefore,
    usual: 1,
    unit: "ratio",
  });
  const mixed = between >= 3 && signs.failRatio < 0.9;
  const family = oneFamily(signs);
  const dead = new Weighing("origin.host_dead", `The machine of ${place} is gone`, where)
    .speaksFor(2, silence)
    .speaksFor(2.5, said(signs, ["net.unroutable"]), unroutable >= 0.5)
    .speaksAgainst(3, some, mixed);
  if (family !== null) dead.speaksAgainst(2.5, family);
  const filtered = new Weighing("net.filtered", `Something between drops what is sent to ${place}`, where)
    .speaksFor(2, silence)
    .speaksAgainst(2.5, said(signs, ["net.unroutable"]), unroutable >= 0.5)
    .speaksAgainst(1.5, some, mixed);
  const backlog = new Weighing("origin.backlog_full", `The queue for connections of ${place} is full`, where)
    .speaksFor(1.2, silence, mixed || unroutable < 0.5)
    .speaksFor(2.5, some, mixed)
    .speaksFor(1, load, late)
    .speaksAgainst(2, said(signs, ["net.unroutable"]), unroutable >= 0.5);
  for (const probe of signs.case.probes) {
    const other = probe.rungs.find(({ rung }) => rung === "other port");
    if (other === undefined || (origin !== null && probe.origin !== origin)) continue;
    const evidence = cited(
      `The ladder: another port of it ${other.result === "holds" ? "answers" : "is silent as well"}.`,
      rungCite(probe, other),
    );
    if (other.result === "holds") {
      dead.speaksAgainst(3, evidence);
      filtered.speaksFor(1, evidence);
      backlog.speaksFor(1, evidence);
    } else if (other.result === "breaks") dead.speaksFor(2, evidence);
  }
  return [dead, filtered, backlog].map((weighing) => weighing.done());
}

interface Providers {
  /** Those of which at least two origins fail and none is well. */
  readonly failed: readonly string[];
  readonly well: readonly string[];
  readonly all: readonly string[];
}

/** It fails at one provider and at no other. */
export function isProviders(signs: Signs): boolean {
  const { failed, well } = providersOf(signs);
  return failed.length === 1 && well.length > 0;
}

function providersOf(signs: Signs): Providers {
  const addresses = [...signs.case.addresses.values()];
  const all = unique(addresses.map(({ provider }) => provider));
  const checksTell =
    !signs.failing.some(({ checksWell, checksFailed, state }) => checksWell > checksFailed && state !== "down") ||
    part(signs, ...AWAY) >= 0.5;
  const failed: string[] = [];
  const well: string[] = [];
  for (const provider of all) {
    const its = addresses.filter((address) => address.provider === provider);
    const failing = its.filter((address) => isFailing(signs, address));
    // Where checks hold though requests fail, a check that holds elsewhere says nothing.
    const working = its.filter((address) => signs.well.includes(address) && (checksTell || address.attempts >= 3));
    if (unique(failing.map(({ origin }) => origin)).length >= 2 && working.length <= failing.length * 0.1)
      failed.push(provider);
    else if (working.length > 0 && failing.length === 0) well.push(provider);
  }
  return { failed, well, all };
}

/** Also of services that are not counted as disturbed: two failures there are too few for an alarm, and enough for a hint. */
function isFailing(signs: Signs, address: AddressCase): boolean {
  return signs.failing.includes(address) || (address.failures >= 2 && address.failures >= address.attempts * 0.1);
}

function providerOut(signs: Signs): Claim[] {
  const { failed, well, all } = providersOf(signs);
  const [connect, app] = [part(signs, ...CONNECT), part(signs, "origin.app_5xx")];
  const claims: Weighing[] = [];
  const [only] = failed;
  if (failed.length === 1 && only !== undefined) {
    const where = wherePool(signs, only);
    const place = where["pool"] ?? only;
    const origins = unique(signs.failing.map(({ origin }) => origin));
    const together = figure(
      signs,
      `${origins.length} origins of ${only} fail together${sameMoment(signs) ? ", from the same seconds on" : ""}.`,
      {
        name: "failing origins",
        where,
        value: origins.length,
        unit: "origins",
      },
    );
    const others = figure(
      signs,
      well.length > 0
        ? `${well.join(", ")} ${well.length === 1 ? "is" : "are"} well.`
        : "No other provider is there to compare it with.",
      { name: "well providers", value: well.length, unit: "providers" },
    );
    const someRoutes = figure(signs, "Only some routes fail.", {
      name: "failing routes",
      value: signs.badRoutes.length,
      unit: "routes",
    });
    const names = part(signs, ...DNS);
    const pressed = pressedAt(signs, only);
    const shown = part(signs, ...SHOWN);
    const lost = signs.failRatio < 0.9 && part(signs, ...CONNECT, "net.mid_reset", "net.half_open") >= 0.8;
    const failing = unique(signs.failing.filter((one) => one.provider === only).map(({ origin }) => origin));
    const reached = rungSeen(signs, failing, "connect");
    const isReached = reached?.result === "holds";
    const isSomeRoutes = signs.byRoute !== null && signs.byRoute.exposure < 0.5 && signs.wellRoutes.length > 0;
    const isSilent = part(signs, ...SILENT) >= 0.5;
    const late = lateAnswers(signs, only);
    const isLate = isSilent && late > 0;
    // One may be of the moment in which it went.
    const latePoints = late >= LATE_MANY ? 3 : 1.5;
    const came = late === 1 ? "1 answer came" : `${late} answers came`;
    const answersLate = figure(signs, `${came} from there meanwhile, only late: it is there.`, {
      name: "late answers",
      where,
      value: late,
      unit: "answers",
    });
    const checked = checksAt(signs, only);
    const checksHold = figure(
      signs,
      `Its checks held for ${checked.well} s of ${checked.well + checked.failed}: the machines answer.`,
      { name: "checks that succeeded", where, value: checked.well, unit: "s" },
    );
    claims.push(
      new Weighing(
        "provider.outage",
        `${place === only ? `Provider ${only}` : `Pool ${place} (provider ${only})`} is out`,
        where,
      )
        .speaksFor(2.5, together)
        .speaksFor(1.5, others, well.length > 0)
        // What is merely slow answers in the end; all of a place that says nothing at once does not.
        .speaksFor(0.7, said(signs, SILENT), well.length > 0 && isSilent)
        .speaksAgainst(latePoints, answersLate, isLate)
        .speaksAgainst(1.5, checksHold, isSilent && checked.well >= CHECKS_MIN && checked.well > checked.failed * 3)
        .speaksAgainst(0.5, others, well.length === 0)
        .speaksAgainst(1, others, well.length === 0 && part(signs, ...AWAY) < 0.5)
        // Whoever refuses is there: machines of a provider that is out do not answer, unless another one's do better.
        .speaksAgainst(1.5, said(signs, ["origin.refused"]), well.length === 0 && part(signs, "origin.refused") >= 0.5)
        .speaksAgainst(1.5, said(signs, ["origin.app_5xx"]), app >= 0.5)
        .speaksAgainst(3, said(signs, DNS), names >= 0.5)
        .speaksAgainst(2.5, said(signs, PRESSED), pressed >= 0.5)
        // Whoever shows a certificate, or refuses ours, is there.
        .speaksAgainst(3, said(signs, SHOWN), shown >= 0.5)
        // A probe sees another moment than traffic does: it adds to what that says and does not outweigh it.
        .speaksFor(0.5, reached?.evidence ?? together, reached?.result === "breaks")
        .speaksAgainst(0.5, reached?.evidence ?? together, isReached)
        .speaksAgainst(3, someRoutes, isSomeRoutes),
    );
    const answers = said(signs, [
      "origin.refused",
      "origin.app_5xx",
      "origin.nested_gw_5xx",
      "origin.reset_before_response",
    ]);
    const answered = part(
      signs,
      "origin.refused",
      "origin.app_5xx",
      "origin.nested_gw_5xx",
      "origin.reset_before_response",
    );
    claims.push(
      new Weighing("net.path", `The way to ${only} is broken`, where)
        .speaksFor(1.5, together)
        .speaksAgainst(1, others, well.length === 0 && part(signs, ...AWAY) < 0.5)
        // Whoever refuses is there: machines of a provider that is out do not answer, unless another one's do better.
        .speaksAgainst(1.5, said(signs, ["origin.refused"]), well.length === 0 && part(signs, "origin.refused") >= 0.5)
        .speaksFor(0.8, said(signs, CONNECT), connect >= 0.5)
        // Machines that are out do not let every second connection through.
        .speaksFor(2, together, well.length > 0 && lost)
        .speaksAgainst(latePoints, answersLate, isLate)
        .speaksAgainst(3, said(signs, SHOWN), shown >= 0.5)
        .speaksAgainst(3, said(signs, DNS), names >= 0.5)
        .speaksAgainst(2.5, said(signs, PRESSED), pressed >= 0.5)
        .speaksAgainst(1.5, reached?.evidence ?? together, isReached)
        .speaksAgainst(2.5, answers, answered >= 0.5),
    );
  }
  const manyFail = failed.length >= 2 || (failed.length === 1 && all.length === 1);
  if (manyFail && connect >= 0.5) {
    const unrelated = figure(
      signs,
      `Origins of ${failed.length} provider${failed.length === 1 ? "" : "s"} (${failed.join(", ")}) do not let themselves be connected to.`,
      {
        name: "failing providers",
        value: failed.length,
        unit: "providers",
      },
    );
    const between = signs.failing.reduce((sum, { wellBetween }) => sum + wellBetween, 0);
    const open = figure(signs, `${between} attempts on open connections went well meanwhile.`, {
      name: "attempts that went well in between",
      value: between,
      unit: "attempts",
    });
    const local = new Weighing("net.local_drop", "This machine drops new connections", {})
      .speaksFor(1.5, unrelated)
      .speaksFor(2.5, unrelated, failed.length >= 2)
      .speaksFor(1, open, between >= 5);
    weighControl(signs, local);
    weighNodes(signs, local);
    claims.push(local);
  }
  return claims.map((weighing) => weighing.done());
}

/**
 * Answers that came late where others were not waited for: from machines that are out none comes. Not those of much later, when
 * what is back may still be cold.
 */
function lateAnswers({ failing }: Signs, provider: string): number {
  let late = 0;
  for (const address of failing)
    if (
      address.provider === provider &&
      address.firstSlowAt > 0 &&
      address.firstSlowAt <= address.lastFailureAt + SOON_MS
    )
      late += address.slow;
  return late;
}

function checksAt({ failing }: Signs, provider: string): { readonly well: number; readonly failed: number } {
  const its = failing.filter((address) => address.provider === provider);
  return {
    well: its.reduce((sum, { checksWell }) => sum + checksWell, 0),
    failed: its.reduce((sum, { checksFailed }) => sum + checksFailed, 0),
  };
}

const LATE_MANY = 3;
const SOON_MS = 10_000;
const CHECKS_MIN = 3;

/** Other nodes reach the same origins: nothing is wrong with those, nor with the way that all share. */
function weighNodes(signs: Signs, local: Weighing): void {
  const nodes = unique(signs.tellers.map(({ node }) => node));
  const bad = unique((signs.byTeller?.values ?? []).map((teller) => teller.split("/")[0] ?? ""));
  const [only] = bad;
  if (only === undefined || bad.length > 1 || nodes.length < 2) return;
  const others = nodes.length - 1;
  const split = figure(
    signs,
    `Only ${only} meets it; ${others} other node${others > 1 ? "s reach" : " reaches"} the same origins.`,
    {
      name: "failures",
      where: { node: only },
      value: signs.byTeller?.explained ?? 1,
      usual: signs.byTeller?.exposure ?? null,
      unit: "ratio",
    },
  );
  local.speaksFor(2, split);
}

/** An origin that was well a moment ago, connected to while the ladder was climbed elsewhere: the same machine, another way. */
function weighControl(signs: Signs, local: Weighing): void {
  const { probes } = signs.case;
  const probe = probes.findLast(({ rungs }) => rungs.some(({ rung }) => rung === OTHER_ORIGIN));
  const control = probe?.rungs.find(({ rung }) => rung === OTHER_ORIGIN);
  if (probe === undefined || control === undefined || control.result === "unknown") return;
  const doesAnswer = control.result === "holds";
  const evidence = cited(
    `The ladder: ${control.at}, which was well, ${doesAnswer ? "answers" : "does not answer"}.`,
    rungCite(probe, control),
  );
  local.speaksAgainst(2, evidence, doesAnswer).speaksFor(1.5, evidence, !doesAnswer);
}

const OTHER_ORIGIN = "control: other origin";

/** Part of what failed at a provider's addresses themselves because there was too much to do. What the gateway turned away does not count. */
function pressedAt(signs: Signs, provider: string): number {
  let pressed = 0;
  let all = 0;
  for (const address of signs.failing) {
    if (address.provider !== provider) continue;
    for (const [cause, count] of Object.entries(address.byCause)) {
      all += count;
      if (PRESSED.some((one) => one === cause)) pressed += count;
    }
  }
  return all === 0 ? 0 : pressed / all;
}

function wherePool(signs: Signs, provider: string): Record<string, string> {
  const pools = unique(signs.failing.filter((address) => address.provider === provider).map(({ pool }) => pool));
  const services = unique(signs.failing.map(({ service }) => service));
  const [pool] = pools;
  return {
    ...(services.length === 1 ? { service: services[0] ?? "" } : {}),
    ...(pools.length === 1 && pool !== undefined ? { pool } : {}),
    provider,
  };
}

function sameMoment(signs: Signs): boolean {
  const firsts = signs.failing.map(({ firstFailureAt }) => firstFailureAt).filter((at) => at > 0);
  return firsts.length >= 2 && Math.max(...firsts) - Math.min(...firsts) <= 10_000;
}

function families(signs: Signs): Claim[] {
  const split = oneFamily(signs);
  if (split === null) return [];
  const family = signs.failing[0]?.family ?? "";
  const isEven = unique(signs.failing.map(({ address }) => address)).length >= 2;
  return [
    new Weighing("net.address_family", `${family} does not get through`, { family })
      .speaksFor(isEven ? 4.5 : 1.5, split)
      .done(),
  ];
}

/** That addresses of one family cannot be connected to and those of the other can; null: it is not so. */
function oneFamily(signs: Signs): Evidence | null {
  const there = unique(signs.here.filter(({ attempts }) => attempts >= 3).map(({ family }) => family));
  const [failing = "", ...more] = unique(signs.failing.map(({ family }) => family));
  if (there.length < 2 || failing === "" || more.length > 0 || part(signs, ...CONNECT) < 0.5) return null;
  return figure(signs, `All failures to connect are at ${failing} addresses; those of the other family work.`, {
    name: "failures",
    where: { family: failing },
    value: signs.byFamily?.explained ?? 1,
    unit: "ratio",
  });
}

function idleDropped(signs: Signs): Claim[] {
  const half = part(signs, "net.half_open");
  if (half < 0.3) return [];
  const idles = signs.case.samples.flatMap(({ attempts }) =>
    attempts.filter(({ cause }) => cause === "net.half_open").map(({ connectionIdleMs }) => connectionIdleMs),
  );
  const least = idles.length === 0 ? 0 : Math.min(...idles);
  return [
    new Weighing("net.idle_dropped", "A device between forgets idle connections", {
      service: [...signs.services][0] ?? "",
      ...(signs.byOrigin === null ? {} : { [signs.byOrigin.dimension]: signs.byOrigin.values.join(", ") }),
    })
      .speaksFor(3, said(signs, ["net.half_open"]), half >= 0.5)
      .speaksFor(
        1,
        figure(signs, `The shortest idle time among them was ${least} ms.`, {
          name: "idle time at failure",
          value: least,
          unit: "ms",
        }),
        least > 5_000,
      )
      .speaksAgainst(1, said(signs, ["net.half_open"]), half < 0.5)
      .done(),
  ];
}

/**
 * A link that loses large packets, told from an origin that stands still in two ways: the ladder tries sizes, and bodies that stand
 * still do so before the first packet's worth has come, or after as much was sent, while small exchanges go well there.
 */
function largeLost(signs: Signs): Claim[] {
  if (part(signs, ...STALLS) < 0.5) return [];
  const origins = unique(signs.failing.map(({ origin }) => origin));
  const request = rungSeen(signs, origins, "large request");
  const response = rungSeen(signs, origins, "large response");
  const there = request?.result === "breaks";
  const back = response?.result === "breaks";
  const bySize = stallsOf(signs);
  const well = signs.failing.reduce((sum, { wellBetween }) => sum + wellBetween, 0);
  // Where nothing goes well, or most never get an answer at all, size has nothing to do with it.
  const isSize =
    bySize.all >= 3 &&
    bySize.atSize >= bySize.all * 0.9 &&
    well >= SMALL_WELL_MIN &&
    part(signs, "origin.stall_mid_body", "origin.write_stall") >= 0.5;
  if (!there && !back && !isSize) return [];
  const [first = "the origins"] = origins;
  const origin = theOrigin(signs);
  const where =
    origin !== null
      ? placeOf(signs, origin)
      : isProviders(signs)
        ? wherePool(signs, signs.failing[0]?.provider ?? "")
        : { service: [...signs.services].join(", ") };
  const sizes = figure(
    signs,
    `${bySize.atSize} of ${bySize.all} recorded bodies stood still before ${PACKET_BYTES} bytes of the answer, or beyond as many of the request.`,
    { name: "stalls at the size of a packet", where, value: bySize.atSize, usual: bySize.all, unit: "attempts" },
  );
  const others = figure(signs, `${well} smaller exchanges at the same addresses went well in between.`, {
    name: "attempts that went well in between",
    where,
    value: well,
    unit: "attempts",
  });
  const place = origin ?? (origins.length > 1 ? "the origins" : first);
  const lost = new Weighing(
    "net.mtu_blackhole",
    `Large packets ${there === back ? "between here and" : there ? "to" : "from"} ${place} vanish`,
    where,
  )
    .speaksFor(1.5, said(signs, STALLS), there || back)
    .speaksFor(3.5, sizes, isSize)
    .speaksFor(1.5, others, isSize);
  // Nothing but its size is different from the request that is answered. Of an answer the origin has a part too.
  if (there) lost.speaksFor(4.5, request.evidence);
  if (back) lost.speaksFor(there ? 2 : 3.5, response.evidence);
  return [lost.done()];
}

/** Recorded bodies that stood still, and those of them that did so at the size of a packet. */
function stallsOf({ case: { samples } }: Signs): { readonly all: number; readonly atSize: number } {
  let [all, atSize] = [0, 0];
  for (const { attempts, requestBytes } of samples) {
    for (const { cause, receivedBytes } of attempts) {
      const isAnswer = cause === "origin.stall_mid_body";
      if (!isAnswer && cause !== "origin.write_stall") continue;
      all += 1;
      if (isAnswer ? receivedBytes > 0 && receivedBytes <= PACKET_BYTES : requestBytes > PACKET_BYTES) atSize += 1;
    }
  }
  return { all, atSize };
}

const SMALL_WELL_MIN = 5;
/** What one packet carries on most links. */
const PACKET_BYTES = 1_460;
const STALLS: readonly CauseId[] = [...SILENT, "net.half_open", "tls.handshake_timeout"];

/** Resets on new connections at several origins: their crash and a device that resets look alike. */
function resets(signs: Signs): Claim[] {
  const reset = part(signs, "origin.reset_before_response", "net.mid_reset");
  const origins = unique(signs.failing.map(({ origin }) => origin));
  if (reset < 0.5 || origins.length < 2 || part(signs, "origin.poison", "origin.refused") > 0.05) return [];
  const where = { service: [...signs.services][0] ?? "" };
  const evidence = said(signs, ["origin.reset_before_response", "net.mid_reset"]);
  const many = figure(signs, `${origins.length} origins show it, none refuses connections.`, {
    name: "origins with resets",
    where,
    value: origins.length,
    unit: "origins",
  });
  return [
    new Weighing("net.mid_reset", "Something between resets the connections", where)
      .speaksFor(1.8, evidence)
      .speaksFor(0.7, many)
      .done(),
    new Weighing("origin.reset_before_response", "The origins break off without an answer", where)
      .speaksFor(1.8, evidence)
      .speaksFor(0.7, many)
      .done(),
  ];
}

function names(signs: Signs): Claim[] {
  const dns = part(signs, ...DNS);
  const events = signs.case.events.filter(({ event }) => event.kind === "resolution");
  const failedNames = unique([
    ...signs.rows
      .filter(({ cause }) => cause !== null && DNS.includes(cause))
      .map(({ origin, service }) => hostOf(origin) || service),
    ...events.map(({ event }) => (event.kind === "resolution" ? hostOf(event.origin) : "")),
  ]).filter((name) => name !== "");
  const isNames = dns >= 0.5 || (signs.kinds.has("names") && !signs.fails);
  if (!isNames || failedNames.length === 0) return [];
  const zones = unique(failedNames.map(zoneOf));
  const first = events[0]?.event;
  const evidence =
    dns >= 0.5 || first?.kind !== "resolution"
      ? said(signs, DNS)
      : cited(`A name of ${first.service} cannot be resolved: ${first.because}.`, {
          kind: "event",
          at: first.at,
          code: "resolution",
          text: first.because,
        });
  const spread = figure(
    signs,
    `${failedNames.length} name${failedNames.length === 1 ? "" : "s"} of ${zones.length} zone${zones.length === 1 ? "" : "s"} cannot be resolved (${failedNames.slice(0, 4).join(", ")}).`,
    {
      name: "names that fail",
      value: failedNames.length,
      unit: "names",
    },
  );
  const resolves = namesThatResolve(signs, failedNames);
  const others = figure(
    signs,
    `${resolves.length} names of other zones resolve (${resolves.slice(0, 3).join(", ")}).`,
    {
      name: "names that resolve",
      value: resolves.length,
      unit: "names",
    },
  );
  const definite = part(signs, "dns.nxdomain", "dns.empty_or_prohibited");
  const timeouts = part(signs, "dns.timeout");
  // Told by events alone: a resolver that says that there is no such name works.
  const isSaid =
    dns < 0.5 &&
    events.length > 0 &&
    events.every(({ event }) => event.kind === "resolution" && DEFINITE.some((id) => event.because.startsWith(id)));
  const asked = loadEvidence(signs);
  const isMuch = timeouts >= 0.5 && signs.roseFirst && signs.failed < signs.exchanges * 0.9;
  return [
    new Weighing("dns.resolver_down", "The resolver fails for every name", {})
      .speaksFor(2, evidence)
      .speaksFor(2, spread, zones.length >= 2)
      // Of several zones the one that was not asked for meanwhile says little.
      .speaksAgainst(zones.length >= 2 ? 1 : 2.5, others, resolves.length > 0)
      .speaksAgainst(2, said(signs, ["dns.nxdomain", "dns.empty_or_prohibited"]), definite >= 0.5 && zones.length < 2)
      // Of names of several zones it says so at once: then it has lost what it knew, or whom it asks.
      .speaksAgainst(zones.length >= 2 ? 1 : 3, evidence, isSaid)
      .speaksAgainst(1.5, asked, isMuch),
    new Weighing(
      "dns.zone_broken",
      isSaid ? `The zone ${zones[0] ?? ""} has no such name` : `The zone ${zones[0] ?? ""} does not answer`,
      { zone: zones.join(", ") },
    )
      .speaksFor(2, evidence)
      .speaksFor(1, evidence, isSaid)
      .speaksFor(1.5, others, resolves.length > 0)
      .speaksFor(1, said(signs, ["dns.nxdomain", "dns.empty_or_prohibited"]), definite >= 0.5)
      .speaksAgainst(2.5, spread, zones.length >= 2),
    new Weighing("dns.query_cap", "The resolver answers only so many questions a second", {})
      .speaksFor(1, evidence, timeouts >= 0.5 || (dns === 0 && !isSaid))
      .speaksFor(0.5, spread, zones.length >= 2)
      .speaksFor(3, asked, isMuch)
      .speaksAgainst(1, evidence, timeouts < 0.5),
  ]
    .map((weighing) => weighing.done())
    .filter((claim) => claim.points > 0);
}

const DEFINITE: readonly CauseId[] = ["dns.nxdomain", "dns.empty_or_prohibited"];

/** Names of origins that work though they would have to be asked for again and again. */
function namesThatResolve(signs: Signs, failed: readonly string[]): string[] {
  const zones = new Set(failed.map(zoneOf));
  return unique(signs.well.map(({ origin }) => hostOf(origin))).filter(
    (name) => name !== "" && !isAddress(name) && !zones.has(zoneOf(name)),
  );
}

export function hostOf(origin: string): string {
  const after = origin.slice(origin.indexOf("//") + 2);
  const host = after.startsWith("[") ? after.slice(0, after.indexOf("]") + 1) : (after.split(/[:/]/)[0] ?? "");
  return origin.includes("//") ? host : "";
}

function isAddress(host: string): boolean {
  return host.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/** The last two labels: as near to a zone as one comes without asking. */
function zoneOf(host: string): string {
  return host.split(".").slice(-2).join(".");
}
