/**
 * What did not go as it should, of late, grouped by cause: what can be said without the control plane. It ranks by what
 * clients felt: failures before rescues, and both before what clients did themselves.
 */
import type { AttemptRecord, ExchangeRecord } from "../../src/contract/record.ts";
import type { CauseId } from "../../src/kernel/causes.ts";

/** What is older explains nothing that is wrong now. */
export const RECENT_MINUTES = 15;

export interface Trouble {
  readonly cause: CauseId;
  failed: number;
  rescued: number;
  /** Refused or aborted. */
  others: number;
  /** The newest of them. */
  readonly latest: ExchangeRecord;
}

/** `now`: epoch ms. */
export function troublesByCause(records: readonly ExchangeRecord[], now: number): Trouble[] {
  const troubles = new Map<CauseId, Trouble>();
  for (const record of records.toSorted((one, other) => other.startedAt - one.startedAt)) {
    const cause = causeBehind(record);
    if (cause === null || now - record.startedAt > RECENT_MINUTES * 60_000) continue;
    const trouble = troubles.get(cause) ?? { cause, failed: 0, rescued: 0, others: 0, latest: record };
    troubles.set(cause, trouble);
    if (record.outcome === "failed") trouble.failed += 1;
    else if (record.outcome === "rescued") trouble.rescued += 1;
    else trouble.others += 1;
  }
  return [...troubles.values()].sort(
    (one, other) => other.failed - one.failed || other.rescued - one.rescued || other.others - one.others,
  );
}

/** The exchange's own cause, or that of the attempt from which it was rescued. */
export function causeBehind(record: ExchangeRecord): CauseId | null {
  return record.cause ?? failedAttempt(record)?.cause ?? null;
}

export function evidenceBehind(record: ExchangeRecord): string {
  return record.evidence === "" ? (failedAttempt(record)?.evidence ?? "") : record.evidence;
}

function failedAttempt(record: ExchangeRecord): AttemptRecord | undefined {
  return record.attempts.find((attempt) => attempt.cause !== null);
}
