/**
 * An incident: one disturbance, whatever the number of its symptoms. Opened, grown, merged and closed by the engine
 * (control/), annotated by people, told by alerts, shown by the dashboard; all of them read this.
 *
 * Times are epoch ms.
 */
import type { CauseId, Party } from "../kernel/causes.ts";
import type { ConclusionId } from "../kernel/conclusions.ts";
import type { Evidence } from "./evidence.ts";

/** `critical`: clients are being failed at a rate that will not do. `warning`: they are spared, or few. `notice`: nobody felt it. */
export type Severity = "critical" | "warning" | "notice";

export type IncidentState =
  /** It goes on. */
  | "open"
  /** Nothing wrong is seen any more; closed when that lasts. */
  | "recovering"
  | "closed"
  /** Part of another one. */
  | "merged";

export interface Incident {
  /** `inc-` and the epoch second of its first failure and a counter: the same at every replay. */
  readonly id: string;
  readonly state: IncidentState;
  readonly severity: Severity;
  /** A headline: "Pool aws of shop refuses connections". */
  readonly title: string;
  /** Two sentences for a person woken at night: what is broken and for whom, what was done about it. */
  readonly summary: string;
  readonly services: readonly string[];
  /** Where it is: dimension → value, the narrowest that explains it. */
  readonly where: Readonly<Record<string, string>>;
  /** Null while undecided. */
  readonly cause: CauseId | ConclusionId | null;
  readonly party: Party | null;
  readonly verdict: Verdict;
  /** Likeliest first; never empty: "not enough evidence" is one. */
  readonly hypotheses: readonly [Hypothesis, ...Hypothesis[]];
  readonly firstFailureAt: number;
  readonly detectedAt: number;
  /** When nothing wrong was seen any more; null: it goes on. */
  readonly recoveredAt: number | null;
  readonly closedAt: number | null;
  readonly impact: Impact;
  readonly timeline: readonly TimelineEntry[];
  /** What a person should do next, one or two sentences. */
  readonly nextStep: string;
  readonly acknowledged: { readonly by: string; readonly at: number } | null;
  /** Who took over; empty: nobody. */
  readonly owner: string;
  /** Of incidents that were merged into this one. */
  readonly merged: readonly string[];
  /** The incident that this one is part of; empty when it stands alone. */
  readonly parent: string;
  /** Who was told, newest last; at most 50. */
  readonly told: readonly { readonly at: number; readonly to: string; readonly text: string }[];
}

export type Verdict = "decided" | "undecided" | "not enough evidence";

export interface Hypothesis {
  /** Null: "something else". */
  readonly cause: CauseId | ConclusionId | null;
  readonly party: Party | null;
  /** One sentence: "The process behind http://a1:3000 is not running". */
  readonly claim: string;
  /** 0–1; those of one incident sum to at most 1. */
  readonly confidence: number;
  readonly for: readonly [Evidence, ...Evidence[]];
  readonly against: readonly Evidence[];
  /** The check that would tell it from the next one; empty when there is none to tell it from. */
  readonly tellApart: string;
  readonly firstStep: string;
}

export interface Impact {
  readonly failed: number;
  readonly rescued: number;
  /** Failed, by class: critical, normal, background. */
  readonly failedByClass: Readonly<Record<string, number>>;
  /** All exchanges of its services while it lasted. */
  readonly exchanges: number;
  /** Client networks that saw failures; a lower bound when `clientNetworksMore`. */
  readonly clientNetworks: number;
  readonly clientNetworksMore: boolean;
  /** Part of the 30-day error budget that it spent, by service; empty without objectives. */
  readonly budgetSpent: Readonly<Record<string, number>>;
  /** p95 of the exchanges of its services, ms: before, and at its worst. Null: not known. */
  readonly latencyP95Ms: { readonly before: number; readonly worst: number } | null;
}

export interface TimelineEntry {
  readonly at: number;
  readonly kind:
    | "first failure"
    | "detected"
    | "grew"
    | "automation"
    | "effect"
    | "change"
    | "probe"
    | "verdict"
    | "recovered"
    | "closed"
    | "person"
    | "told";
  readonly text: string;
}

/** Something that is going to happen unless somebody acts. */
export interface Forecast {
  /** Stable: kind and subject. */
  readonly id: string;
  readonly kind:
    | "certificate"
    | "dns drift"
    | "keep-alive margin"
    | "latency trend"
    | "error trend"
    | "descriptors"
    | "ports"
    | "memory"
    | "disk"
    | "capacity"
    | "objective"
    | "standby unproven"
    | "standby unequal";
  readonly severity: Severity;
  /** "The 1,024 descriptors of this process will be used up". */
  readonly title: string;
  readonly where: Readonly<Record<string, string>>;
  /** When it happens; null: it is so already, or no time can be told. */
  readonly when: number | null;
  /** 0–1. */
  readonly confidence: number;
  readonly evidence: readonly [Evidence, ...Evidence[]];
  /** What to do. */
  readonly advice: string;
  readonly since: number;
}
