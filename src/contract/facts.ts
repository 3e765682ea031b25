/**
 * Facts: what the data plane tells the control plane, as plain data that can be written to a file line by line and
 * replayed (`goodgate replay`). The engine of diagnosis is a function of these and of nothing else.
 *
 * A worker tells one `second` per second: counts, not exchanges, so that 50,000 exchanges a second cost the control
 * plane no more than 50. The few exchanges that went wrong come along as samples, within a bound. Everything has a
 * bound, and what a bound dropped is counted in `lost`: missing facts are said, never taken for health.
 */
import type { CauseId, Party } from "../kernel/causes.ts";
import type { ExchangeRecord, Outcome } from "./record.ts";
import type { CertificateView, GatewayEvent, OriginAddressView } from "./view.ts";

/** Durations in µs as sparse buckets of kernel/histogram.ts: [bucket, count] pairs in ascending order. */
export type SparseHistogram = readonly (readonly [bucket: number, count: number])[];

export type Fact = SecondFact | EventFact | ChangeFact | ProbeFact | TopologyFact | PersonFact;

/** Who tells it. */
export interface Teller {
  /** The machine's name, or what the configuration calls it. */
  readonly node: string;
  /** 0 for the first data-plane process of the node. */
  readonly worker: number;
  /** Hash of the configuration that it serves by. */
  readonly revision: string;
}

export interface SecondFact extends Teller {
  readonly kind: "second";
  /** Epoch ms of its begin. A second without traffic is told too: silence and absence are different things. */
  readonly at: number;
  /** Usually 1000; longer when the teller's loop was late. */
  readonly lengthMs: number;
  readonly traffic: readonly TrafficRow[];
  readonly origins: readonly OriginRow[];
  readonly failures: readonly FailureRow[];
  readonly clients: readonly ClientRow[];
  /** Exchanges that failed, were rescued, or were the slowest of this second; at most `SAMPLES_MAX`. */
  readonly samples: readonly ExchangeRecord[];
  readonly own: OwnRow;
  /** What the listeners show. Told once a minute, and left out in between. */
  readonly certificates?: readonly CertificateView[];
  /** What origins showed in their newest full handshakes. Told with the former. */
  readonly originCertificates?: readonly OriginCertificateRow[];
  /** Rows and samples that did not fit into their bounds. */
  readonly lost: number;
}

/** The certificate of an origin at one of its addresses. */
export interface OriginCertificateRow {
  readonly service: string;
  readonly pool: string;
  readonly origin: string;
  readonly address: string;
  readonly names: readonly string[];
  readonly issuer: string;
  /** Epoch ms. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** When the first of those above it ends that the origin sends; epoch ms, 0: it sends none. */
  readonly chainUntil: number;
}

export const SAMPLES_MAX = 20;
export const FAILURE_ROWS_MAX = 512;
export const CLIENT_ROWS_MAX = 64;

/** What a route got in this second. Rows without any exchange are left out. */
export interface TrafficRow {
  readonly service: string;
  readonly route: string;
  /** `critical`, `normal` or `background`. */
  readonly class: string;
  readonly byOutcome: Readonly<Record<Outcome, number>>;
  readonly byCause: Readonly<Partial<Record<CauseId, number>>>;
  readonly duration: SparseHistogram;
  /** Whole duration of what was counted, µs. */
  readonly durationSumUs: number;
  readonly retries: number;
  readonly retriesRefusedByBudget: number;
}

/** What an address of an origin did in this second, and how it stands at its end. Idle addresses are told too. */
export interface OriginRow {
  readonly service: string;
  readonly pool: string;
  /** Who runs the pool, as configured; the pool's name when nothing is. */
  readonly provider: string;
  readonly origin: string;
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly attempts: number;
  readonly byCause: Readonly<Partial<Record<CauseId, number>>>;
  readonly firstByte: SparseHistogram;
  readonly connectionsMade: number;
  readonly inFlight: number;
  readonly held: number;
  /** 0: no limit. */
  readonly limit: number;
  /** It was set by hand; left out where it is learned. */
  readonly limitSet?: true;
  readonly state: OriginAddressView["state"];
  readonly share: number;
  /** What the active check says; null: none, or not yet. */
  readonly checkOk: boolean | null;
  readonly keepAliveMs: number;
}

/** Exchanges that did not go as they should (failed, rescued, refused, aborted), counted by all dimensions at once. */
export interface FailureRow {
  readonly outcome: Exclude<Outcome, "served">;
  readonly cause: CauseId | null;
  readonly party: Party | null;
  readonly service: string;
  readonly route: string;
  readonly class: string;
  /** Of the last attempt that failed, or of the last one; empty when there was none. */
  readonly pool: string;
  readonly origin: string;
  readonly address: string;
  readonly family: "" | "IPv4" | "IPv6";
  /** /24 or /48 of the client. Empty: of all those for which this second had no row of their own left. */
  readonly clientNetwork: string;
  /**
   * What the answer shows of a gateway behind this one and what that says (contract/record.ts, GatewayMark): `made:
   * Server: awselb/2.0`, `between: cf-ray`; empty when it shows none.
   */
  readonly innerGateway: string;
  readonly count: number;
}

/** The busiest client networks of this second. Where there is much traffic, served exchanges are estimated from a sample. */
export interface ClientRow {
  readonly network: string;
  readonly exchanges: number;
  readonly failed: number;
}

/** The teller itself. */
export interface OwnRow {
  /** Within this second. */
  readonly loopDelayMaxMs: number;
  readonly loopUtilisation: number;
  /** CPU time used in this second. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly memoryMax: number;
  readonly descriptorsOpen: number;
  readonly descriptorsMax: number;
  readonly connections: number;
  readonly connectionsMax: number;
  readonly exchangesActive: number;
  /** Local ports in use towards the busiest origin address, and how many there are; 0: not known. */
  readonly portsUsed: number;
  readonly portsMax: number;
  readonly accessLogDropped: number;
  /** Free bytes where the state directory and the access log are; 0: not known. */
  readonly diskFreeBytes: number;
  readonly diskBytes: number;
}

/** Something that the gateway told as it happened. Exchanges come as samples and counts instead. */
export interface EventFact extends Teller {
  readonly kind: "event";
  readonly at: number;
  readonly event: Exclude<GatewayEvent, { kind: "exchange" }>;
}

/** Something was changed, by a person, by automation or by the world. */
export interface ChangeFact {
  readonly kind: "change";
  readonly at: number;
  /** Unique: cited by evidence. */
  readonly id: string;
  readonly what:
    | "gateway started"
    | "gateway stopped"
    | "configuration applied"
    | "origins changed"
    | "dns answer changed"
    | "certificate changed"
    | "drill"
    | "deploy announced"
    | "action";
  /** What it touches: dimension → value; empty: everything. */
  readonly where: Readonly<Record<string, string>>;
  readonly text: string;
  /** Who or what did it; empty when not known. */
  readonly by: string;
}

/** The outcome of one climb of the probe ladder. */
export interface ProbeFact {
  readonly kind: "probe";
  readonly at: number;
  readonly id: string;
  readonly service: string;
  readonly pool: string;
  readonly origin: string;
  /** In the order in which they were climbed. */
  readonly rungs: readonly ProbeRung[];
  /** What the rungs together say; empty when they say nothing. */
  readonly located: string;
}

export interface ProbeRung {
  /** `resolve`, `connect`, `request`, `health path`, `same request`, `large request`, `control: gateway itself`, … */
  readonly rung: string;
  /** What it was done to: a resolver, an address, a path. */
  readonly at: string;
  readonly result: "holds" | "breaks" | "unknown";
  readonly ms: number;
  /** What was seen. */
  readonly text: string;
}

/** What there is: told at the start and when it changes, so that a replay knows pools, routes and objectives. */
export interface TopologyFact extends Teller {
  readonly kind: "topology";
  readonly at: number;
  readonly services: readonly {
    readonly name: string;
    /** Those it answers for; left out by older versions. */
    readonly hosts?: readonly string[];
    /** Null: none configured. */
    readonly objective: Objective | null;
    readonly routes: readonly { readonly name: string; readonly class: string }[];
    readonly pools: readonly {
      readonly name: string;
      readonly provider: string;
      readonly origins: readonly string[];
    }[];
  }[];
}

export interface Objective {
  /** Part of exchanges that go well, 0–1, e.g. 0.9995. */
  readonly availability: number;
  /** Null: latency is no part of it. ms within which `latencyRatio` of the exchanges end. */
  readonly latencyMs: number | null;
  readonly latencyRatio: number;
}

/** What a person did to an incident: acknowledged, wrote, merged, split, took over, closed. */
export interface PersonFact {
  readonly kind: "person";
  readonly at: number;
  readonly by: string;
  readonly incident: string;
  readonly act:
    | { readonly do: "acknowledge" }
    | { readonly do: "take over" }
    | { readonly do: "annotate"; readonly text: string }
    | { readonly do: "merge"; readonly into: string }
    | { readonly do: "split"; readonly where: Readonly<Record<string, string>> }
    | { readonly do: "close"; readonly text: string };
}
