/**
 * What goes between the supervisor and a worker: plain data over the channel that Node opens between a process and the
 * one that it forks. The channel copies by structured clone, so numbers in typed arrays and bytes arrive as what they
 * are; classes and functions do not pass.
 *
 * One worker hears of another through the supervisor only. What workers tell each other of origins, limits and keys
 * travels in `share`, which neither end of this channel looks into.
 */
import type { AcmeMaterial } from "./acme.ts";
import type { Bind, Settings } from "../config/settings.ts";
import type { PutResult } from "./config-desk.ts";
import type { Fact } from "./facts.ts";
import type { FromHub, ToHub } from "./shared-knowledge.ts";
import type { DrainOrder, DrainResult, ExchangeFilter, GatewayEvent, MetricsView } from "./view.ts";
import type { OriginView, PurgeResult, PurgeTarget, RestoreOrder, StatusView } from "./view.ts";
import type { ExchangeRecord } from "./record.ts";
import type { Revision } from "./revision.ts";

export type ToWorker =
  /** First of all. */
  | { readonly kind: "begin"; readonly setup: WorkerSetup }
  /**
   * Accept for a sibling that is gone or hangs, or that has left a listener of the settings before; the listening socket
   * comes with the message. By its address: two workers may have been given different lists of listeners.
   */
  | { readonly kind: "cover"; readonly bind: Bind; readonly worker: number; readonly isLeaving: boolean }
  /** The sibling, or its replacement, accepts again. */
  | { readonly kind: "uncover"; readonly worker: number }
  | { readonly kind: "ask"; readonly number: number; readonly question: WorkerQuestion }
  /** Somebody looks at single exchanges: only then are they told. */
  | { readonly kind: "watched"; readonly on: boolean }
  | { readonly kind: "share"; readonly message: FromHub }
  /** Other settings, of the whole node. `revision` null: only whether they could be put into effect. */
  | { readonly kind: "put"; readonly number: number; readonly settings: Settings; readonly revision: Revision | null }
  /** What is obtained by itself, and proofs for who gives it. */
  | { readonly kind: "acme"; readonly material: AcmeMaterial }
  /** The access log was moved away. */
  | { readonly kind: "reopen" }
  /** Accept no more and finish what is under way. Connections that ask nothing for `idleMs` may be closed. */
  | { readonly kind: "drain"; readonly idleMs: number }
  /** At once. */
  | { readonly kind: "stop" };

export type FromWorker =
  /** It accepts connections. */
  | { readonly kind: "ready" }
  | { readonly kind: "not started"; readonly what: string; readonly where: string; readonly code: string }
  /** Once a second, from the event loop that serves. */
  | { readonly kind: "alive" }
  | { readonly kind: "answer"; readonly number: number; readonly answer: WorkerAnswers[WorkerQuestion["ask"]] }
  | { readonly kind: "put"; readonly number: number; readonly result: PutResult }
  | { readonly kind: "event"; readonly event: GatewayEvent }
  | { readonly kind: "fact"; readonly fact: Fact }
  /** For a collector of traces. */
  | { readonly kind: "traces"; readonly records: readonly ExchangeRecord[]; readonly leftOut: number }
  | { readonly kind: "share"; readonly message: ToHub }
  /** A defect of ours that cost one exchange. */
  | { readonly kind: "fault"; readonly text: string };

export interface WorkerSetup {
  readonly version: string;
  readonly node: string;
  /** 1, 2, …; a replacement has the number of the one that it replaces. */
  readonly worker: number;
  readonly workers: number;
  /** Which life of this number, 1, 2, … */
  readonly life: number;
  /** Of the whole node; how much of each limit is this worker's is for `settingsForWorker` to say. */
  readonly settings: Settings;
  readonly revision: string;
  /** 64 hex digits of chance: for what all workers have to make alike, and nobody else may. */
  readonly seed: string;
  readonly acme: AcmeMaterial;
  /** Null: nothing outlives the process. */
  readonly stateDirectory: string | null;
  /** The listening sockets that are its own, for each listener of the settings, in their order. */
  readonly sockets: readonly WorkerSockets[];
}

export interface WorkerSockets {
  /** As configured. */
  readonly bind: Bind;
  /** Descriptors that it inherited. */
  readonly descriptors: readonly number[];
}

/** What is asked of one worker, in the words of GatewayView and GatewayActions. */
export type WorkerQuestion =
  /** All that the view of the node is put together from, of one moment. */
  | { readonly ask: "look" }
  | { readonly ask: "status" }
  | { readonly ask: "origins" }
  | { readonly ask: "metrics" }
  | { readonly ask: "exchanges"; readonly filter: ExchangeFilter }
  | { readonly ask: "exchange"; readonly id: string }
  | { readonly ask: "purge"; readonly target: PurgeTarget }
  | { readonly ask: "drain origin"; readonly order: DrainOrder }
  | { readonly ask: "restore origin"; readonly order: RestoreOrder };

/** What one worker shows. */
export interface WorkerLook {
  readonly status: StatusView;
  readonly origins: OriginView[];
  readonly metrics: MetricsView;
}

export interface WorkerAnswers {
  readonly look: WorkerLook;
  readonly status: StatusView;
  readonly origins: OriginView[];
  readonly metrics: MetricsView;
  readonly exchanges: ExchangeRecord[];
  readonly exchange: ExchangeRecord | null;
  readonly purge: PurgeResult | null;
  readonly "drain origin": DrainResult;
  readonly "restore origin": DrainResult;
}

/** A place for a worker, and how it is with the process that holds it. */
export interface WorkerLife {
  readonly worker: number;
  /** 0: there is no process now. */
  readonly pid: number;
  /** `waiting`: it ended and is started again after a while. `crashing`: that again and again. */
  readonly state: "starting" | "serving" | "draining" | "waiting" | "crashing";
  /** Epoch ms. */
  readonly since: number;
  readonly because: string;
  readonly restarts: number;
}

/** One worker's channel as the supervisor's parts see it: what is sent into a channel that is closed is dropped. */
export interface WorkerChannel {
  readonly worker: number;
  readonly life: number;
  readonly pid: number;
  send(message: ToWorker): void;
  /** Called for every message until the worker is gone. */
  onMessage(hear: (message: FromWorker) => void): void;
  /** Once, when it accepts no more: it finishes what is under way. Not for one that ends without that. */
  onRetire(hear: () => void): void;
  /** Once, when it has ended: what was under way there is over. `why`: `exit code 1`, `SIGKILL`. */
  onEnd(hear: (why: string) => void): void;
}
