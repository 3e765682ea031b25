/**
 * What did not go as it should, of late, grouped by cause: the part of the status page that thinks. It ranks by
 * what clients felt: failures before rescues, and both before what clients did themselves.
 */
import { causeOf } from "../kernel/causes.ts";
import type { Cause, CauseId } from "../kernel/causes.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { GatewayView } from "../contract/view.ts";

/** What is older explains nothing that is wrong now. */
export const RECENT_MINUTES = 15;
/** Of each outcome. */
export const RECENT_MAX = 200;

export interface Trouble {
  readonly cause: Cause;
  failed: number;
  rescued: number;
  /** Refused or aborted. */
  others: number;
  readonly latest: ExchangeRecord;
}

/** The latest exchanges that did not simply go well, newest first, of any age. */
export function latestTroubled(view: GatewayView): ExchangeRecord[] {
  const outcomes = ["failed", "rescued", "refused", "aborted"] as const;
  const records = outcomes.flatMap((outcome) => view.exchanges({ outcome, limit: RECENT_MAX }));
  return records.sort((one, other) => other.startedAt - one.startedAt);
}

/** `records`: newest first. `now`: epoch ms. */
export function troublesByCause(records: readonly ExchangeRecord[], now: number): Trouble[] {
  const troubles = new Map<CauseId, Trouble>();
  for (const record of records) {
    const id = causeBehind(record);
    if (id === null || now - record.startedAt > RECENT_MINUTES * 60_000) continue;
    const trouble = troubles.get(id) ?? { cause: causeOf(id), failed: 0, rescued: 0, others: 0, latest: record };
    troubles.set(id, trouble);
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

function failedAttempt(record: ExchangeRecord): ExchangeRecord["attempts"][number] | undefined {
  return record.attempts.find((attempt) => attempt.cause !== null);
}
