/**
 * May a failed attempt be repeated? The answer is yes only when that cannot run anything twice and cannot
 * add to an overload, and either answer comes with its reason.
 *
 * What decides is how far the attempt got (the retry class of its cause):
 * - R0, never sent: the origin cannot have begun, so any method may go elsewhere.
 * - R1, sent but unanswered: the origin may have acted, so only idempotent requests (RFC 9110 §9.2.2: "A
 *   proxy MUST NOT automatically retry non-idempotent requests").
 * - R2, a response had begun to come: as R1, as long as nothing of it has been passed on.
 * - RX, repeating is no cure: never.
 *
 * The order of the questions is the order of importance of the answers: first what makes a repeat
 * impossible, then what makes it unsafe, then what is used up. The budget comes last, so that nothing is
 * taken from it for a repeat that does not happen.
 */
import type { RetryClass } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import { sizeInWords } from "./words.ts";

/** What became of the request body: only the last two cannot be sent again. */
export type ReplayBody =
  /** There is none, or none of it was read from the client yet. */
  | "untouched"
  /** All that was read is kept. */
  | "kept"
  /** It exceeds the replay buffer of an exchange. */
  | "too-large"
  /** All replay buffers together were full. */
  | "not-kept";

export interface RetryInput {
  readonly retryClass: RetryClass;
  readonly method: string;
  /** The route declares its requests repeatable whatever the method. */
  readonly routeIdempotent: boolean;
  readonly body: ReplayBody;
  /** Body bytes known of (declared or seen), and the replay buffer; for the reason. */
  readonly bodyBytes: number;
  readonly replayBytes: number;
  /** Any byte of a final response was passed on. */
  readonly responseBegun: boolean;
  /** Attempts made, the failed one included. */
  readonly attempts: number;
  readonly attemptsMax: number;
  /** Usable origins that this exchange has not tried. */
  readonly othersLeft: number;
  /** The attempt failed because an idle connection had died: a new one to the same origin is another try. */
  readonly staleConnection: boolean;
  /** `retriesLeft` of retry-budget.ts is at least 1. */
  readonly budgetLeft: boolean;
  /** `budgetInWords`, needed only when nothing is left. */
  readonly budgetWords: string;
}

/** What the codes mean stands in kernel/decisions.ts. */
export type RetryCode = Extract<DecisionCode, `retry.${string}`>;

export interface RetryVerdict {
  readonly retry: boolean;
  /** Where to: `other` origin, or the `same` on a new connection. Only meaningful when `retry`. */
  readonly target: "other" | "same";
  readonly code: RetryCode;
  /** For people, a full clause: "not retried: …". */
  readonly reason: string;
}

/** Methods that RFC 9110 §9.2.2 defines as idempotent: PUT, DELETE and the safe ones. Case matters (§9.1). */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "PUT":
    case "DELETE":
    case "OPTIONS":
    case "TRACE":
      return true;
    default:
      return false;
  }
}

export function decideRetry(input: RetryInput): RetryVerdict {
  return refusalFor(input) ?? allow(input);
}

function refusalFor(input: RetryInput): RetryVerdict | null {
  if (input.responseBegun) {
    return refuse("retry.refused.response-begun", "the response had begun");
  }
  if (input.retryClass === "RX") return refuse("retry.refused.no-cure", "repeating does not cure this failure");
  if (input.retryClass !== "R0" && !input.routeIdempotent && !isIdempotent(input.method)) {
    return refuse(
      "retry.refused.not-idempotent",
      `${input.method} is not idempotent and may have reached the origin (RFC 9110 §9.2.2)`,
    );
  }
  if (input.body === "too-large") return refuse("retry.refused.body-too-large", tooLarge(input));
  if (input.body === "not-kept") {
    return refuse(
      "retry.refused.body-not-kept",
      "the body was not kept, because the memory for replay buffers was used up",
    );
  }
  if (input.attempts >= input.attemptsMax) {
    return refuse("retry.refused.attempts", `${input.attempts} of ${input.attemptsMax} attempts were made`);
  }
  if (input.othersLeft < 1 && !input.staleConnection) {
    return refuse("retry.refused.no-other-origin", "no usable origin is left that was not tried");
  }
  if (!input.budgetLeft) return refuse("retry.refused.budget", `the retry budget is used up (${input.budgetWords})`);
  return null;
}

function allow(input: RetryInput): RetryVerdict {
  if (input.othersLeft < 1) {
    return {
      retry: true,
      target: "same",
      code: "retry.allowed.fresh-connection",
      reason:
        "retried on a new connection to the same origin: the idle connection had died, and no other origin is left",
    };
  }
  if (input.retryClass === "R0") {
    return {
      retry: true,
      target: "other",
      code: "retry.allowed.never-sent",
      reason: "retried: nothing had reached the origin",
    };
  }
  const why = isIdempotent(input.method) ? `${input.method} is idempotent` : "its route declares it repeatable";
  return {
    retry: true,
    target: "other",
    code: "retry.allowed.idempotent",
    reason: `retried: ${why} and nothing of a response had been passed on`,
  };
}

function refuse(code: RetryCode, why: string): RetryVerdict {
  return { retry: false, target: "other", code, reason: `not retried: ${why}` };
}

function tooLarge(input: RetryInput): string {
  const body = input.bodyBytes > input.replayBytes ? `body of ${sizeInWords(input.bodyBytes)}` : "body";
  return `${body} exceeds the replay buffer of ${sizeInWords(input.replayBytes)}`;
}
