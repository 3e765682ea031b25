/**
 * From signs to ranked hypotheses. Every hypothesis is weighed by itself (hypotheses-*.ts); here they are compared. Points
 * become confidences as logarithms of odds do, with room for "something else" in every sum. Decided is what leads by far;
 * otherwise the answer is "undecided between A and B", with the check that would tell them apart. A party is named also without
 * a cause, when all that is likely has the same.
 */
import type { Evidence } from "../contract/evidence.ts";
import type { Hypothesis, Verdict } from "../contract/incident.ts";
import type { CauseId, Party } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { AnyCause, Claim } from "./claim.ts";
import { firstStepOf, Weighing } from "./claim.ts";
import { changeClaims } from "./hypotheses-change.ts";
import { atSomeWorkers, crashClaims, gatewayClaims } from "./hypotheses-gateway.ts";
import { loadClaims } from "./hypotheses-load.ts";
import { isProviders, networkClaims } from "./hypotheses-network.ts";
import { originClaims, placeOf, said, theOrigin } from "./hypotheses-origin.ts";
import type { Signs } from "./signs.ts";
import { figure, unique } from "./signs.ts";
import { tellApart } from "./tell-apart.ts";

export interface Diagnosis {
  readonly verdict: Verdict;
  readonly cause: AnyCause | null;
  readonly party: Party | null;
  readonly where: Readonly<Record<string, string>>;
  readonly hypotheses: readonly [Hypothesis, ...Hypothesis[]];
}

const HYPOTHESES_MAX = 5;
/** Points of "something else". */
const ELSE_POINTS = 0.6;
const LEAD_POINTS = 0.8;
const POINTS_MIN = 1.5;

export function diagnose(signs: Signs): Diagnosis {
  const claims = weighAll(signs);
  const [best, second] = claims;
  if (best === undefined || best.points < POINTS_MIN) return notEnough(signs, claims);
  const weights = claims.map(({ points }) => Math.exp(points));
  const all = weights.reduce((sum, weight) => sum + weight, Math.exp(ELSE_POINTS));
  const hypotheses = claims
    .slice(0, HYPOTHESES_MAX)
    .map((claim, index) =>
      toHypothesis(claim, (weights[index] ?? 0) / all, claims[index + 1] ?? (index > 0 ? best : undefined)),
    );
  const [first, ...rest] = hypotheses;
  if (first === undefined) return notEnough(signs, claims);
  const isDecided = second === undefined || best.points - second.points >= LEAD_POINTS;
  const rivals = claims.filter(({ points }) => best.points - points < LEAD_POINTS);
  const isOneParty = rivals.every(({ party }) => party === best.party);
  return {
    verdict: isDecided ? "decided" : "undecided",
    cause: isDecided ? best.cause : null,
    party: isOneParty ? best.party : null,
    where: isDecided ? best.where : { ...undisputedPlace(signs, rivals), ...sharedPlace(rivals) },
    hypotheses: [first, ...rest],
  };
}

/**
 * Where it is, as far as no rival says otherwise: the service, and the pool that the failures are confined to. Which pool
 * that is, is no question of the cause. Where few attempts went elsewhere, as when there is no budget for second ones, no pool
 * surprises; then it counts where those are that fail.
 */
function undisputedPlace(signs: Signs, rivals: readonly Claim[]): Record<string, string> {
  const { byOrigin } = signs;
  const surprising = byOrigin?.dimension === "pool" && byOrigin.values.length === 1 ? byOrigin.values : [];
  const place = Object.entries({
    ...wherePlain(signs),
    ...Object.fromEntries(surprising.map((pool) => ["pool", pool])),
  });
  return Object.fromEntries(
    place.filter(([key, value]) => value !== "" && rivals.every(({ where }) => (where[key] ?? value) === value)),
  );
}

function weighAll(signs: Signs): Claim[] {
  // What fails at the same time is another incident, and explains no end of a process.
  if (signs.kinds.size === 1 && signs.kinds.has("crash")) return crashClaims(signs);
  const claims = [
    ...originClaims(signs),
    ...networkClaims(signs),
    ...gatewayClaims(signs),
    ...loadClaims(signs),
    ...changeClaims(signs),
  ];
  const known = new Map<AnyCause, Claim>();
  for (const claim of [...claims, ...plain(signs)]) {
    if (claim.for.length === 0 || claim.points <= 0) continue;
    const other = known.get(claim.cause);
    if (other === undefined || other.points < claim.points) known.set(claim.cause, claim);
  }
  return [...known.values()].toSorted((a, b) => b.points - a.points || (a.cause < b.cause ? -1 : 1));
}

/** Causes that say all there is to say where they prevail, and no conclusion explains more. */
const SPEAKING: ReadonlySet<CauseId> = new Set<CauseId>([
  "origin.nested_gw_5xx",
  "origin.malformed",
  "origin.framing",
  "origin.header_too_big",
  "origin.truncated",
  "origin.truncated_unframed",
  "origin.upgrade_failed",
  "origin.h2_handshake",
  "origin.h2_protocol",
  "tls.not_tls",
  "tls.alert",
  "tls.protocol",
  "tls.cert_time",
  "tls.cert_trust",
  "tls.cert_name",
  "tls.cert_pin",
  "tls.client_cert",
  "tls.files",
  "gw.internal",
  "gw.loop",
  "gw.key_unprotected",
  "dns.wrong_tenant",
  "dns.stale_ip",
]);

/** The cause that most failures have, as a hypothesis of its own: better than nothing, worse than a reason. */
function plain(signs: Signs): Claim[] {
  const [most] = signs.causes;
  if (most === undefined) return [];
  const [cause, count] = most;
  const share = count / signs.bad;
  if (share < 0.5 || !signs.fails || signs.bad < 3) return [];
  const origin = theOrigin(signs);
  const apart = SPEAKING.has(cause) ? atSomeWorkers(signs) : null;
  const where = origin === null ? wherePlain(signs) : placeOf(signs, origin);
  const route = signs.byRoute !== null && signs.wellRoutes.length > 0 ? { route: signs.byRoute.values.join(", ") } : {};
  return [
    new Weighing(cause, plainClaim(cause, where["pool"]), { ...where, ...route })
      .speaksFor(
        SPEAKING.has(cause)
          ? isProviders(signs) && !cause.startsWith("tls.")
            ? 2.5
            : 4.5
          : origin === null
            ? 1.6
            : 0.8,
        said(signs, [cause]),
      )
      .speaksFor(SPEAKING.has(cause) ? 0.5 : 0.2, said(signs, [cause]), share >= 0.9)
      // Such a cause says what is wrong there; that others do the same with the same origins and do well says why.
      .speaksAgainst(3, apart?.split ?? said(signs, [cause]), apart !== null && !cause.startsWith("gw."))
      .done(),
  ];
}

/** Down to the pool, when all that fails is in one. */
function wherePlain(signs: Signs): Record<string, string> {
  const service = [...signs.services].join(", ");
  const [pool, ...more] = unique(signs.failing.map((address) => address.pool));
  return pool === undefined || more.length > 0 || signs.services.size !== 1 ? { service } : { service, pool };
}

function plainClaim(cause: CauseId, pool: string | undefined): string {
  return cause === "origin.refused" && pool !== undefined
    ? `Connections to pool ${pool} are refused`
    : CAUSES[cause].title;
}

function toHypothesis(claim: Claim, confidence: number, rival: Claim | undefined): Hypothesis {
  const [first, ...more] = claim.for;
  return {
    cause: claim.cause,
    party: claim.party,
    claim: `${claim.claim}.`,
    confidence: Math.round(confidence * 1000) / 1000,
    // A claim without evidence for it was dropped before.
    for: first === undefined ? [NOTHING] : [first, ...more],
    against: claim.against,
    tellApart: rival === undefined ? "" : tellApart(claim.cause, rival.cause),
    firstStep: firstStepOf(claim.cause),
  };
}

const NOTHING: Evidence = {
  text: "Nothing was recorded.",
  cites: [{ kind: "figure", figure: "failures", where: {}, from: 0, to: 0, value: 0, usual: null, unit: "exchanges" }],
};

function notEnough(signs: Signs, claims: readonly Claim[]): Diagnosis {
  const seen = figure(signs, `${signs.bad} failures of attempts and ${signs.failed} failed exchanges do not say why.`, {
    name: "failures",
    value: signs.bad,
    unit: "attempts",
  });
  const others = claims
    .slice(0, HYPOTHESES_MAX - 1)
    .map((claim) => toHypothesis(claim, 0.2 / claims.length, undefined));
  const unknown: Hypothesis = {
    cause: null,
    party: null,
    claim: "Not enough evidence for any cause.",
    confidence: 0.5,
    for: [seen],
    against: [],
    tellApart: "",
    firstStep: "Look at the recorded exchanges of this time, and climb the probe ladder at the origins concerned.",
  };
  return {
    verdict: "not enough evidence",
    cause: null,
    party: null,
    where: wherePlain(signs),
    hypotheses: [unknown, ...others],
  };
}

/** What all that are likely agree on. */
function sharedPlace(rivals: readonly Claim[]): Record<string, string> {
  const [first, ...rest] = rivals;
  if (first === undefined) return {};
  return Object.fromEntries(
    Object.entries(first.where).filter(([dimension, value]) => rest.every(({ where }) => where[dimension] === value)),
  );
}
