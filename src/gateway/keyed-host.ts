/** What an exchange does for its Idempotency-Key (keyed-exchange.ts). */
import type { ExchangeRecord, Outcome, Step } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import type { StoredAnswer } from "./stored-answer.ts";
import type { WithheldAnswer } from "./withheld-answer.ts";

/** What the exchange does for its key. */
export interface KeyedHost {
  readonly record: ExchangeRecord;
  /** What has come of it so far. */
  readonly request: { readonly complete: boolean };
  /** It has ended, with its record. */
  readonly over: boolean;
  /** It goes on to its end when the client leaves. */
  outlivesClient: boolean;
  decide(step: Step, code: DecisionCode, reason: string): void;
  fail(cause: CauseId, evidence: string, step: Step, status: number): void;
  later(step: (now: number) => void): void;
  /** What still comes of its body is read and not kept. */
  readOn(): void;
  /** Goes on to pick an origin. */
  forward(now: number): void;
  /** Gives an answer that is at hand. */
  serve(answer: StoredAnswer, outcome: Outcome, now: number): void;
  /** The answer of its own attempt, which was withheld, is to be given; nobody may be there to take it. */
  giveWithheld(answer: StoredAnswer, now: number): void;
  /** What was withheld goes on as it comes. `ended`: all of it is there. */
  relayWithheld(answer: WithheldAnswer, ended: boolean, now: number): void;
  /** The client is answered; the attempt goes on. */
  answerAndGoOn(cause: CauseId, evidence: string, step: Step, now: number): void;
  onFault(error: unknown): void;
}
