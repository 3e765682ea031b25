/** What an attempt needs of its exchange, and what it tells it. */
import type { TimeoutSettings } from "../config/settings.ts";
import type { ExchangeRecord, Step } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import type { Attempt } from "./attempt.ts";
import type { ClientRequest } from "./client-request.ts";
import type { Ending, Judgement } from "./judge.ts";
import type { OriginConnection } from "./origin-connection.ts";
import type { RouteCounters } from "./telemetry.ts";

/** The missing part of a response that broke. */
export interface RequestedPart {
  /** `bytes=100-199`. */
  readonly range: string;
  /** For If-Range. */
  readonly validator: string;
}

/** Hears what becomes of a response whose head has come. */
export interface ResponseHearer {
  onResponseBody(attempt: Attempt, bytes: Buffer, start: number, end: number): void;
  /** The response is complete; the connection has gone back to its address. */
  onResponseEnd(attempt: Attempt, connection: OriginConnection, now: number): void;
  onOriginTurnEnd(attempt: Attempt, connection: OriginConnection, now: number): void;
  /** It ended before its response was complete. Its record and its address know. */
  onAttemptFailed(attempt: Attempt, judgement: Judgement, now: number): void;
  onFault(error: unknown): void;
}

/** What an exchange tells its attempts, and hears from them. */
export interface AttemptHost extends ResponseHearer {
  readonly record: ExchangeRecord;
  readonly request: ClientRequest;
  /** Only this part is asked for; null: what the client asked for. */
  readonly part: RequestedPart | null;
  /** Monotonic ms of the start of the exchange; times in the record count from it. */
  readonly startedMs: number;
  readonly timeouts: TimeoutSettings;
  /** What the origin sees as Host: the client's, or its own. */
  readonly hostHeader: "preserve" | "origin";
  /** The route's number in its service, and its counters. */
  readonly routeIndex: number;
  readonly counters: RouteCounters | null;
  /** The client's body flows through `attempt` from now on, as far as it has not come yet. */
  onRequestHeadSent(attempt: Attempt): void;
  /** All of the request has been handed to the connection. */
  onRequestSent(attempt: Attempt, now: number): void;
  onInterim(attempt: Attempt, head: MessageHead): void;
  onUpgrade(attempt: Attempt, connection: OriginConnection, head: MessageHead, now: number): boolean;
  /** The final head. False: the attempt is over and its connection will be closed. */
  onResponseHead(attempt: Attempt, connection: OriginConnection, head: MessageHead, now: number): boolean;
  /** The origin's side of a tunnel is closed. */
  onTunnelEnd(attempt: Attempt, ending: Ending, now: number, limitMs: number): void;
  onOriginDrain(attempt: Attempt, now: number): void;
  /** A complete line that tells an origin to do with less; empty: nothing to tell. */
  modeLine(now: number): string;
  /** After how long without an answer `onLate` is called; 0: never. */
  readonly lateMs: number;
  onLate(attempt: Attempt, waitedMs: number, now: number): void;
  /** Its whole pool says nothing any more. */
  onPoolSilent(attempt: Attempt, now: number): void;
  decide(step: Step, code: DecisionCode, reason: string): void;
}
