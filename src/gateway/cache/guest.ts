/** The exchange, as the cache sees it that it visits (visit.ts). */
import type { ExchangeRecord, Outcome, Step } from "../../contract/record.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { DecisionCode } from "../../kernel/decisions.ts";
import type { TimerWheel } from "../../kernel/timer-wheel.ts";
import type { ClientHost } from "../client-host.ts";
import type { ClientRequest } from "../client-request.ts";
import type { ClientResponse } from "../client-response.ts";
import type { StoredAnswer } from "../stored-answer.ts";
import type { Entry } from "./entry.ts";
import type { FlightLeader } from "./flight.ts";
import type { Slot } from "./store.ts";

export interface Guest extends FlightLeader {
  readonly record: ExchangeRecord;
  readonly host: ClientHost;
  /** What its request was looked up as, and found; null: nothing, or it was not looked up. */
  slot: Slot | null;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly startedMs: number;
  decide(step: Step, code: DecisionCode, reason: string): void;
  serve(answer: StoredAnswer, outcome: Outcome, now: number): void;
  later(step: (now: number) => void): void;
  /** Goes on to an origin. */
  forward(now: number): void;
  /** Fetches anew what was just given away stale, with nobody waiting for it. */
  refresh(entry: Entry, now: number): void;
  onFault(error: unknown): void;
}

export interface VisitPorts {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}
