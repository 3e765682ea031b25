/**
 * What people see of one origin address: its state in one word and the reason in a sentence. These are the
 * words for what availability.ts decides, kept apart from the decision.
 */
import { drainBecause } from "./drain.ts";
import type { Drain } from "./drain.ts";
import type { EjectionPhase } from "./ejection-state.ts";
import type { TrafficEvidence } from "./ejection.ts";
import type { HealthState } from "./health.ts";
import type { IdentityState } from "./origin-identity.ts";
import { durationInWords } from "./words.ts";

/** The part of `OriginAddressView` (contract/view.ts) that is a judgement. */
export interface Standing {
  readonly state: "up" | "down" | "ejected" | "probation" | "ramping" | "drained";
  /** Monotonic ms of the last change of state. */
  readonly since: number;
  /** Monotonic ms when it ends by itself: an ejected one may be tried, a ramp is over, a drain ends. -1: not told by time. */
  readonly until: number;
  readonly usable: boolean;
  readonly share: number;
  readonly because: string;
  /** Set while checks and traffic say opposite things; otherwise empty. */
  readonly disagreement: string;
}

/** What the judgement rests on. */
export interface Facts {
  readonly phase: EjectionPhase;
  /** Null: no active checks are configured. */
  readonly health: HealthState | null;
  readonly traffic: TrafficEvidence;
  /** The length of time that `traffic` speaks of. */
  readonly windowMs: number;
  /** Whose word takes it out; `both`: checks and traffic agree. */
  readonly accusedBy: "" | "checks" | "traffic" | "both" | "identity" | "person";
  readonly identity: IdentityState;
  readonly drain: Drain | null;
  /** Monotonic ms when it may be tried; -1: it is not ejected. */
  readonly trialAt: number;
  /** Its traffic succeeds although its checks fail. */
  readonly vouched: boolean;
  /** Checks fail, one after the other, and traffic succeeds. */
  readonly checksContradicted: boolean;
  /** Traffic fails, and a check has succeeded since. */
  readonly trafficContradicted: boolean;
  /** It should be out by its failures or its slowness, and is held in use. */
  readonly held: boolean;
  /** Why it is held. */
  readonly heldBecause: string;
}

/** `openBecause`: why it is used although it is accused; otherwise empty. */
export function standingOf(facts: Facts, share: number, openBecause: string): Standing {
  const { phase, health, accusedBy } = facts;
  const rest = { usable: share > 0, share, until: -1, disagreement: disagreementOf(facts) };
  const { identity, drain } = facts;
  if (identity.kind === "unproven" || identity.kind === "foreign") {
    return { ...rest, state: "down", since: identity.since, because: identity.because };
  }
  if (drain !== null) {
    return { ...rest, state: "drained", since: drain.since, until: drain.until, because: drainBecause(drain) };
  }
  const though = openBecause === "" ? "" : `; ${openBecause}`;
  switch (phase.kind) {
    case "ejected":
      return {
        ...rest,
        state: "ejected",
        since: phase.since,
        until: facts.trialAt,
        because: `${phase.because}${though}`,
      };
    case "probation": {
      const because = `${phase.because}; one request is trying it now${though}`;
      return { ...rest, state: "probation", since: phase.since, because };
    }
    case "up":
    case "ramping":
      break;
  }
  if (health?.kind === "down" && accusedBy !== "") {
    const agreed = accusedBy === "both" ? ", and requests to it fail too" : "";
    return { ...rest, state: "down", since: health.since, because: `${health.because}${agreed}${though}` };
  }
  if (phase.kind === "ramping") {
    return { ...rest, state: "ramping", since: phase.since, until: phase.until, because: phase.because };
  }
  const since = Math.max(phase.upSince, health?.kind === "up" ? health.since : 0);
  return { ...rest, state: "up", since, because: `${upBecause(facts)}${though}` };
}

function upBecause(facts: Facts): string {
  const { health, traffic } = facts;
  if (facts.held) return facts.heldBecause;
  if (traffic.failing) return trafficInWords(facts);
  if (facts.vouched && health !== null)
    return `${health.because}, but ${trafficInWords(facts)}, and traffic outranks checks`;
  if (traffic.total > 0) return trafficInWords(facts);
  return health === null ? "no requests lately, and no checks are configured" : health.because;
}

function disagreementOf(facts: Facts): string {
  const { phase } = facts;
  if (facts.checksContradicted) return `checks fail, but ${trafficInWords(facts)}`;
  if (!facts.trafficContradicted) return "";
  if (phase.kind === "ejected" || phase.kind === "probation") return `checks succeed, but ${phase.because}`;
  return `checks succeed, but only ${trafficInWords(facts)}`;
}

function trafficInWords(facts: Facts): string {
  const { succeeded, total } = facts.traffic;
  return `${succeeded} of ${total} requests in the last ${durationInWords(facts.windowMs)} succeeded`;
}
