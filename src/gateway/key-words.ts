/** What became of an Idempotency-Key, in the words and codes of records. */
import type { DecisionCode } from "../kernel/decisions.ts";
import type { LedgerEntry, LedgerFailure } from "../kernel/ledger.ts";
import type { concludeKey } from "../policies/idempotency.ts";
import { sizeInWords } from "../policies/words.ts";

export function codeOf(state: ReturnType<typeof concludeKey>["state"]): DecisionCode {
  if (state === null) return "key.freed";
  if (state.kind === "uncertain") return "key.uncertain";
  return state.kept ? "key.stored" : "key.not-kept";
}

/** A key that a person settled has no status. */
export function endOf({ state }: LedgerEntry): string {
  return state.kind === "answered" && state.status > 0 ? `was answered with ${state.status}` : "is settled";
}

export function tooLarge(bytes: number, bytesMax: number): string {
  return `it has ${sizeInWords(bytes)} or more, and ${sizeInWords(bytesMax)} are kept (idempotency.answer)`;
}

export function unstored(failure: LedgerFailure): string {
  return `the answer was given and could not be stored (${failure.code}: ${failure.detail})`;
}
