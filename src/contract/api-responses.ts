/**
 * The bodies of the API's answers under `/api/v1`, for whoever reads them: the CLI, the dashboard, tests.
 * Lists are wrapped in an object, so that a later field does not break a reader.
 */
import type { AcmeCertificateView } from "./acme.ts";
import type { FleetView } from "./fleet.ts";
import type { ConfigProblem } from "../config/problems.ts";
import type { SettingChange } from "../config/setting-changes.ts";
import type { Cause, CauseId } from "../kernel/causes.ts";
import type { ConfigState } from "./config-desk.ts";
import type { ControlState } from "./control-port.ts";
import type { CacheWord, ExchangeRecord } from "./record.ts";
import type { Revision } from "./revision.ts";
import type { ToldVerdict } from "./story.ts";
import type { ToldCode } from "./told-code.ts";
import type { CacheView, OriginView, ProcessView, StatusView } from "./view.ts";

/** `GET /status`. */
export interface StatusResponse extends StatusView {
  /** Epoch ms on the gateway's clock when this was said; ages are counted from it, not from the reader's clock. */
  now: number;
  /** The state of the gateway in one sentence, as the dashboard says it. */
  sentence: string;
  process: ProcessView;
  /** Of the process that draws conclusions; serving does not depend on it. */
  control: ControlState;
  /** Null: it is not known here. */
  configuration: ConfigState | null;
}

/** `GET /origins`. */
export interface OriginsResponse {
  now: number;
  origins: OriginView[];
}

/** `GET /exchanges`, newest first. */
export interface ExchangesResponse {
  exchanges: ExchangeRecord[];
}

/** Of a service or of one of its routes, over the window of the answer. */
export interface Figures {
  /** Empty: what no route took. */
  service: string;
  exchanges: number;
  perSecond: number;
  failed: number;
  rescued: number;
  refusedOrAborted: number;
  retries: number;
  /** ms; null when nothing ended. Known to within 25 %. */
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

/** `GET /figures`. */
export interface FiguresResponse {
  now: number;
  /** What the figures cover: about ten seconds while somebody asks again and again. */
  seconds: number;
  /** True when nobody asked before, so that they cover everything. */
  isSinceStart: boolean;
  services: Figures[];
  routes: (Figures & { route: string })[];
}

/** `GET /cache`. */
export interface CacheResponse extends CacheView {
  routes: { service: string; route: string; answers: Record<Exclude<CacheWord, "">, number> }[];
}

/** `GET /exchanges/{id}` and `GET /exchanges/last`. */
export interface JudgedExchange extends ExchangeRecord {
  /** Null: nothing went wrong. */
  verdict: ToldVerdict | null;
}

// `GET /exchanges/{id}/story` answers a `Story` of story.ts, `GET /causes/{id}` a `Cause`, as they are.

/** What `POST /origins/restore` takes. */
export interface RestoreBody {
  service: string;
  /** As configured. */
  origin: string;
  by: string;
  reason: string;
}

/** What `POST /origins/drain` takes. */
export interface DrainBody extends RestoreBody {
  /** `30m`; an hour when left out. */
  for?: string;
}

/** What both answer. */
export interface DrainedResponse {
  /** Epoch ms when it ends by itself; null: it has ended. */
  until: number | null;
}

/** `GET /certificates`. */
export interface CertificatesResponse {
  certificates: AcmeCertificateView[];
  fleet: FleetView | null;
}

/** What `POST /certificates/renew` takes, and what it answers. */
export interface RenewBody {
  name: string;
}

export type RenewedResponse = RenewBody;

/** `POST /upgrade`. */
export interface UpgradedResponse {
  /** The process that serves from now on. */
  pid: number;
}

/** `GET /config`. */
export interface ConfigResponse extends ConfigState {
  /** `Settings`, with everything hidden that must stay unknown. */
  settings: Record<string, unknown>;
}

/** `POST /config` and `POST /config/reload`. */
export interface AppliedResponse {
  outcome: "applied" | "unchanged" | "would apply";
  /** What is in effect now; null: of a dry run. */
  revision: Revision | null;
  changes: readonly SettingChange[];
}

/** `GET /causes`. */
export interface CausesResponse {
  causes: Cause[];
}

/** `GET /codes/{code}`. */
export interface CodeResponse {
  /** As asked for. */
  code: string;
  /** One for each system that knows it. */
  meanings: ToldCode[];
  /** What it may be besides when it is written so short; empty: nothing. */
  hint: string;
  /** Kept exchanges that show what it can be here, newest first. */
  latest: { id: string; startedAt: number; cause: CauseId; headline: string }[];
}

/**
 * What `GET /events` says beside the events of view.ts when its stream has a hole, so that a reader never
 * takes silence for calm: the reader was slow, there were more exchanges than a stream carries, or it came
 * back too late.
 */
export interface EventsLost {
  kind: "lost";
  /** Null when it is not known how many. */
  count: number | null;
  because: string;
}

/** Every error, as `application/problem+json` (RFC 9457). `type` is absent, which means `about:blank`. */
export interface Problem {
  /** The phrase of the status code. */
  title: string;
  status: number;
  /** Stable, for programs. */
  code: ProblemCode;
  /** For people: what is wrong and what would be right. */
  detail: string;
  /** The query parameter at fault. */
  parameter?: string;
  /** The known name that is nearest to the one given. */
  nearest?: string;
  /** All names that would have been understood. */
  known?: string[];
  /** What is wrong with a configuration, each with its place. */
  problems?: ConfigProblem[];
}

export type ProblemCode =
  | "unauthorised"
  | "unknown-path"
  | "unknown-parameter"
  | "bad-parameter"
  | "unknown-exchange"
  | "no-exchange-yet"
  | "unknown-cause"
  | "unknown-code"
  | "method-not-allowed"
  | "not-json"
  | "bad-body"
  | "foreign-origin"
  | "unknown-origin"
  | "last-origin"
  | "not-drained"
  | "workers-silent"
  | "unknown-certificate"
  | "renewal-waits"
  | "unknown-key"
  | "key-not-uncertain"
  | "keys-unavailable"
  | "control-unavailable"
  | "unknown-incident"
  | "unknown-silence"
  | "unknown-pool"
  | "no-samples"
  | "refused"
  | "config-invalid"
  | "config-removes"
  | "config-unusable"
  | "config-needs-restart"
  | "draining"
  | "no-config-file"
  | "upgrade-failed"
  | "too-many-streams";
