/**
 * Pick, before an origin is: whether a request is like one that broke origins. Asked only while there is such a one.
 */
import type { ExchangeRecord, Step } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import type { ClientRequest } from "./client-request.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { PoisonWatch } from "./poison-watch.ts";

/** The exchange whose request it is. */
export interface Suspect {
  readonly record: ExchangeRecord;
  readonly request: ClientRequest;
  retryAfterSeconds: number;
  decide(step: Step, code: DecisionCode, reason: string): void;
  fail(cause: CauseId, evidence: string, step: Step, status: number): void;
}

/** `more`: more of its body has to come before one request can be told from another. An address: there and nowhere else. */
export type Way = "any" | "more" | "refused" | OriginAddress;

export function wayPast(poison: PoisonWatch, suspect: Suspect, head: MessageHead | null, now: number): Way {
  const { request, record } = suspect;
  // It may come by here more than once: after a name was asked for, after it waited for room.
  if (record.attempts.length > 0 || request.onTrial) return "any";
  const verdict = poison.admit(request, record, now);
  switch (verdict?.kind) {
    case undefined:
      request.keepHead(head);
      return "more";
    case "pass":
      return "any";
    case "try":
      request.onTrial = true;
      suspect.decide("pick", "poison.trial", verdict.because);
      return verdict.address ?? "any";
    case "refuse":
      suspect.decide("pick", "poison.refused", verdict.because);
      suspect.retryAfterSeconds = Math.ceil(verdict.untilMs / 1000);
      suspect.fail("origin.poison", verdict.because, "pick", 0);
      return "refused";
  }
}
