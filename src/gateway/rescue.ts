/**
 * Rescue: whether a failed attempt is repeated. Gathers what policies/retry.ts needs to decide, and takes the token
 * from the budget when it said yes; the decision and its reason go to the record.
 */
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import { budgetInWords, retriesLeft, takeRetry } from "../policies/retry-budget.ts";
import { decideRetry } from "../policies/retry.ts";
import type { ReplayBody, RetryVerdict } from "../policies/retry.ts";
import type { ReplayBuffer } from "./replay-buffer.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

export interface FailedAttempt {
  readonly cause: CauseId;
  readonly method: string;
  readonly routeIdempotent: boolean;
  readonly attempts: number;
  /** A part of a response has been passed on to the client. */
  readonly responseBegun: boolean;
  readonly service: ServiceRuntime;
  readonly replay: ReplayBuffer | null;
  /** Body bytes received so far. */
  readonly requestBytes: number;
  /** It was a used connection, and it ended without a byte: a new one to the same origin is another try. */
  readonly staleConnection: boolean;
  /** Usable origins that were not tried. */
  readonly othersLeft: number;
  readonly now: number;
}

export function rescue(failed: FailedAttempt): RetryVerdict {
  const { service, now } = failed;
  const options = service.settings.retry;
  const budgetLeft = retriesLeft(options, service.budget, now) >= 1;
  const verdict = decideRetry({
    retryClass: CAUSES[failed.cause].retryClass,
    method: failed.method,
    routeIdempotent: failed.routeIdempotent,
    body: bodyOf(failed.replay, failed.requestBytes),
    bodyBytes: failed.requestBytes,
    replayBytes: options.replayBytes,
    responseBegun: failed.responseBegun,
    attempts: failed.attempts,
    attemptsMax: options.attemptsMax,
    othersLeft: failed.othersLeft,
    staleConnection: failed.staleConnection,
    budgetLeft,
    budgetWords: budgetLeft ? "" : budgetInWords(options, service.budget, now),
  });
  if (verdict.retry) takeRetry(options, service.budget, now);
  return verdict;
}

/** What has been received can be sent again when every byte of it is still here, however large it is. */
function bodyOf(replay: ReplayBuffer | null, requestBytes: number): ReplayBody {
  if (requestBytes === 0) return "untouched";
  if (replay !== null && replay.bytes === requestBytes) return "kept";
  return replay?.replayable === "buffers-full" ? "not-kept" : "too-large";
}
