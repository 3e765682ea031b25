/**
 * Which origins of a pool may be used now, and for each one the state and the reason that people see.
 *
 * Three kinds of evidence meet here, and they do not weigh the same:
 * - Real traffic outranks checks. An origin whose requests succeed since its checks began to fail stays in
 *   use; an origin whose checks fail and whose requests fail too is out beyond doubt.
 * - Checks alone may take out at most the share of a pool that ejection may (`ejectedRatioMax`). When they
 *   want more, the checks are the likelier culprit (a dependency of the health page died): all whom only
 *   checks accuse are used again, visibly.
 * - An empty list helps nobody. When nothing else is left, all are used; only strangers never are, because their
 *   answers are worse than none (origin-identity.ts), and those that a person took out (drain.ts).
 *
 * `assess` is not for every request: call it after each verdict of ejection.ts or health.ts that is not
 * `none`, when the members change, and when `nextAt` has come. It writes `share` into the members, which
 * the balancer and the ejection read. `probationTurn` is for every request and costs one comparison.
 */
import { settleDrain } from "./drain.ts";
import type { Drain } from "./drain.ts";
import { beginProbation, ejectionShare, isProbationDue, settleEjection } from "./ejection-phase.ts";
import { trafficEvidence } from "./ejection.ts";
import type { EjectionMember, EjectionOptions, EjectionPhase, EjectionState } from "./ejection-state.ts";
import type { TrafficEvidence } from "./ejection.ts";
import { settleHealth, staleAfterMs } from "./health.ts";
import type { HealthOptions, HealthState } from "./health.ts";
import { isStranger } from "./origin-identity.ts";
import type { IdentityState } from "./origin-identity.ts";
import { standingOf } from "./standing.ts";
import type { Facts, Standing } from "./standing.ts";

/** `ServiceSettings` of config/settings.ts has this shape. */
export interface AvailabilityOptions {
  readonly ejection: EjectionOptions;
  /** Null: no active checks. */
  readonly health: HealthOptions | null;
}

/** One address of the pool. */
export interface Member extends EjectionMember {
  /** Relative share as configured, above 0. */
  readonly weight: number;
  /** Replaced by the owner with each result of a check. */
  readonly health: HealthState;
  readonly identity: IdentityState;
  /** Set by whoever a person asked; ended here when its time is over. Null: nobody took it out. */
  drain: Drain | null;
  /** Written by `assess`. */
  share: number;
}

/** Every code of this policy with its meaning. */
export const AVAILABILITY_CODES = {
  "available.normal": "The pool is used as checks and traffic say.",
  "available.fail-open.held":
    "An origin fails and should be out, but its peers fail alike or too many are out already; it is used all the same.",
  "available.fail-open.checks":
    "Checks alone would take out too much of the pool; whom only checks accuse is used all the same.",
  "available.fail-open.all": "Nothing in the pool is known to work; all its origins are used all the same.",
  "available.unidentified": "No address of the pool has shown that it is the one that is wanted; none is used.",
  "available.drained": "All addresses of the pool that could be used were taken out by a person; none is used.",
  "available.empty": "The pool has no address at all: no name of it was ever resolved.",
} as const satisfies Record<string, string>;

export interface Availability<M extends Member> {
  readonly kind: "normal" | "fail-open" | "empty";
  readonly code: keyof typeof AVAILABILITY_CODES;
  readonly because: string;
  /** Empty only when the pool has no members, or strangers alone. */
  readonly usable: readonly M[];
  /** All usable ones have the same weight and their full share: choose-two.ts needs no scan. */
  readonly even: boolean;
  /** One for each member, in their order. */
  readonly standings: readonly Standing[];
  /** Weight that is known to work or worth a try, as a part of all weight, 0–1; what pool-preference.ts compares. */
  readonly liveShare: number;
  /** Monotonic ms when time alone will change the answer; -1: it will not. */
  readonly nextAt: number;
  /** Monotonic ms when the first ejected origin may be tried; -1: none is ejected. */
  readonly probationAt: number;
}

/** Failed checks in a row, while traffic succeeds, that are worth telling, whether they take the origin down or not. */
const DOUBTED_FROM = 2;
/** A ramp is followed in this many steps. */
const RAMP_STEPS = 20;
/** While a pool fails open, its evidence is looked at this often. */
const FAIL_OPEN_LOOK_MS = 1_000;

export function assess<M extends Member>(
  options: AvailabilityOptions,
  members: readonly M[],
  now: number,
): Availability<M> {
  const findings = members.map((member) => find(options, member, now));
  const { kind, code, because } = open(options, findings);

  const usable: M[] = [];
  const standings: Standing[] = [];
  let liveWeight = 0;
  let allWeight = 0;
  let nextAt = kind === "fail-open" ? now + FAIL_OPEN_LOOK_MS : -1;
  let probationAt = -1;
  members.forEach((member, index) => {
    const finding = findings[index];
    if (finding === undefined) return;
    const admitted =
      (code === "available.fail-open.all" && !isKeptOut(finding)) ||
      (code === "available.fail-open.checks" && finding.accusedBy === "checks");
    const share = finding.accusedBy === "" ? finding.share : admitted ? 1 : 0;
    member.share = share;
    if (share > 0) usable.push(member);
    standings.push(standingOf(finding, share, admitted ? because : ""));
    allWeight += member.weight;
    liveWeight += member.weight * finding.live;
    nextAt = earlier(nextAt, finding.nextAt);
    if (finding.phase.kind === "ejected" && !isKeptOut(finding)) probationAt = earlier(probationAt, finding.trialAt);
  });
  return {
    kind,
    code,
    because,
    usable,
    even: isEven(usable),
    standings,
    liveShare: allWeight > 0 ? liveWeight / allWeight : 0,
    nextAt,
    probationAt,
  };
}

/**
 * Should this exchange be the one request that tries an ejected origin? Returns its index in `members` and
 * has begun its probation (then assess the pool again), or -1. Worth asking for preferred pools that are
 * not in use now as well: it is how their ejected origins come back. `may`: asked last of one that is due; where
 * several workers serve the same origins, only one of them tries.
 */
export function probationTurn<M extends Member>(
  options: AvailabilityOptions,
  members: readonly M[],
  available: Availability<M>,
  repeatable: boolean,
  now: number,
  may: ((member: M) => boolean) | null = null,
): number {
  if (available.probationAt < 0 || now < available.probationAt) return -1;
  for (let index = 0; index < members.length; index += 1) {
    const member = members[index];
    if (member === undefined) continue;
    const phase = settleEjection(member.ejection, now);
    if (phase.kind !== "ejected" || isStranger(member.identity) || member.drain !== null) continue;
    if (now < trialAt(options, member, phase, now)) continue;
    if (!isProbationDue(member.ejection, repeatable, now)) continue;
    if (may !== null && !may(member)) continue;
    beginProbation(member.ejection, now);
    return index;
  }
  return -1;
}

/** All that is known of one member, before the pool as a whole is looked at. */
interface Finding extends Facts {
  readonly share: number;
  /** Part of its weight that counts as live. */
  readonly live: number;
  /** It should be out by its failures or its slowness, and is held in use. */
  readonly held: boolean;
  readonly nextAt: number;
}

/** Whatever else fails: a stranger, and whom a person took out. */
function isKeptOut({ accusedBy }: Finding): boolean {
  return accusedBy === "identity" || accusedBy === "person";
}

function find(options: AvailabilityOptions, member: Member, now: number): Finding {
  const state = member.ejection;
  const drain = settleDrain(options.ejection, member, now);
  const phase = settleEjection(state, now);
  const health = options.health === null ? null : settleHealth(options.health, member.health, now);
  const traffic = trafficEvidence(options.ejection, state, now);
  const isOut = phase.kind === "ejected" || phase.kind === "probation";

  const down = health?.kind === "down";
  const failingSince = failingSinceOf(options, health);
  const vouchedUntil = failingSince < 0 ? -1 : vouchEnd(options.ejection, member, failingSince, traffic);
  const isVouched = now < vouchedUntil;
  const vouched = down && isVouched;
  // A run of failures that no success ended does not grow old while checks go on failing: otherwise a dead
  // origin would be tried with real requests again each time its evidence leaves the window.
  const agreed = down && state.run >= options.ejection.consecutiveFailures;
  const isStrange = isStranger(member.identity);
  const accusedBy = isStrange
    ? "identity"
    : drain !== null
      ? "person"
      : isOut
        ? down
          ? "both"
          : "traffic"
        : down && !vouched
          ? agreed
            ? "both"
            : "checks"
          : "";

  const trial = phase.kind === "ejected" ? trialAt(options, member, phase, now) : -1;
  const share = ejectionShare(phase, now);
  const due = phase.kind === "ejected" && !isStrange && drain === null && now >= trial;
  const live = due ? 1 : accusedBy !== "" || traffic.failing ? 0 : share;

  let nextAt = -1;
  const lookAt = (at: number): void => {
    if (at > now) nextAt = earlier(nextAt, at);
  };
  if (phase.kind !== "up") lookAt(phase.until);
  if (phase.kind === "ramping") lookAt(now + (phase.until - phase.since) / RAMP_STEPS);
  lookAt(trial);
  lookAt(vouchedUntil);
  if (drain !== null) lookAt(drain.until);
  if (traffic.failing) lookAt(now + options.ejection.windowMs / 10);
  if (options.health !== null && health?.kind === "down") lookAt(health.at + staleAfterMs(options.health));

  return {
    phase,
    health,
    traffic,
    windowMs: options.ejection.windowMs,
    accusedBy,
    identity: member.identity,
    drain,
    trialAt: trial,
    vouched,
    checksContradicted: isVouched,
    trafficContradicted: isTrafficContradicted(state, phase, health, traffic),
    heldBecause: state.heldBecause,
    held: state.heldBecause !== "" && (traffic.failing || state.latencies?.accused === true),
    share,
    live,
    nextAt,
  };
}

/** Since when checks fail, as far as that is more than a single one; -1: they do not. */
function failingSinceOf(options: AvailabilityOptions, health: HealthState | null): number {
  if (health?.kind === "down") return health.failingSince;
  const enough = Math.min(DOUBTED_FROM, options.health?.down ?? DOUBTED_FROM);
  return health?.kind === "up" && health.failed >= enough ? health.failingSince : -1;
}

/** A check succeeded although traffic had begun to fail by then: one from before the trouble contradicts nothing. */
function isTrafficContradicted(
  state: EjectionState,
  phase: EjectionPhase,
  health: HealthState | null,
  traffic: TrafficEvidence,
): boolean {
  if (health?.kind !== "up" || health.failed > 0) return false;
  if (phase.kind === "ejected" || phase.kind === "probation") return health.at > phase.since;
  return traffic.failing && (!traffic.dead || health.at > state.lastSuccessAt);
}

/**
 * Until when traffic vouches for an origin whose checks fail since `failingSince`: a request that began
 * after that succeeded, lately, and most do. Requests that began before prove nothing about now.
 */
function vouchEnd(options: EjectionOptions, member: Member, failingSince: number, traffic: TrafficEvidence): number {
  const state = member.ejection;
  if (state.lastSuccessBegan < failingSince || state.run >= options.consecutiveFailures) return -1;
  if (traffic.succeeded < options.successRatioMin * traffic.total) return -1;
  return state.lastSuccessAt + options.windowMs;
}

/**
 * When an ejected origin may be tried. While its checks fail too, a request would be wasted on it; but not
 * for ever, because the check itself may be what is broken.
 */
function trialAt(
  options: AvailabilityOptions,
  member: Member,
  phase: Extract<EjectionPhase, { kind: "ejected" }>,
  now: number,
): number {
  if (options.health === null) return phase.until;
  const health = settleHealth(options.health, member.health, now);
  return health.kind === "down" ? phase.until + options.ejection.returnAfterMaxMs : phase.until;
}

interface Opening {
  readonly kind: "normal" | "fail-open" | "empty";
  readonly code: keyof typeof AVAILABILITY_CODES;
  readonly because: string;
}

function open(options: AvailabilityOptions, findings: readonly Finding[]): Opening {
  const size = findings.filter((finding) => !isKeptOut(finding)).length;
  if (findings.length === 0) return { kind: "empty", code: "available.empty", because: "the pool has no address" };
  if (size === 0 && findings.some(({ accusedBy }) => accusedBy === "person")) {
    const because = "its origins were taken out by hand, so none is used";
    return { kind: "empty", code: "available.drained", because };
  }
  if (size === 0) {
    const because = "no address of the pool has shown that it is the one that is wanted, so none is used";
    return { kind: "empty", code: "available.unidentified", because };
  }
  let working = 0;
  let used = 0;
  let accusedByChecks = 0;
  for (const finding of findings) {
    if (finding.accusedBy === "checks") accusedByChecks += 1;
    if (finding.accusedBy !== "") continue;
    used += 1;
    if (!finding.traffic.dead) working += 1;
  }
  if (
    accusedByChecks > 0 &&
    (working === 0 || accusedByChecks > Math.max(1, options.ejection.ejectedRatioMax * size))
  ) {
    const because =
      working === 0
        ? `checks fail at ${accusedByChecks} of ${size} and no other origin is known to work, so those are used all the same`
        : `checks alone would take out ${accusedByChecks} of ${size}, more than they may, so those are used all the same`;
    return { kind: "fail-open", code: "available.fail-open.checks", because };
  }
  if (working === 0) {
    const because =
      size === 1
        ? `the only origin ${findings.length > 1 ? "that may be used " : ""}fails; it is used all the same`
        : size === 2
          ? "both origins fail, so both are used all the same"
          : `all ${size} origins fail, so all are used all the same`;
    return { kind: "fail-open", code: "available.fail-open.all", because };
  }
  const held = findings.find((finding) => finding.accusedBy === "" && finding.held);
  if (held !== undefined) {
    return {
      kind: "fail-open",
      code: "available.fail-open.held",
      because: `an origin is used although it should be out: ${held.heldBecause}`,
    };
  }
  return { kind: "normal", code: "available.normal", because: inUse(used, findings) };
}

function inUse(used: number, findings: readonly Finding[]): string {
  const size = findings.length;
  const drained = findings.filter(({ accusedBy }) => accusedBy === "person").length;
  const byHand = drained === 0 ? "" : `, ${drained} ${drained === 1 ? "was" : "were"} taken out by hand`;
  if (used < size) return `${used} of ${size} origins ${used === 1 ? "is" : "are"} in use${byHand}`;
  if (size === 1) return "the only origin is in use";
  return size === 2 ? "both origins are in use" : `all ${size} origins are in use`;
}

function isEven(usable: readonly Member[]): boolean {
  const weight = usable[0]?.weight;
  return usable.every((member) => member.weight === weight && member.share === 1);
}

function earlier(known: number, at: number): number {
  if (at < 0) return known;
  return known < 0 || at < known ? at : known;
}
