/** Whether a record is one of those that a filter asks for. */
import type { ExchangeRecord } from "./record.ts";
import type { ExchangeFilter } from "./view.ts";

export const LIST_DEFAULT = 50;
export const LIST_MAX = 1000;

export function matchesFilter(record: ExchangeRecord, filter: ExchangeFilter): boolean {
  if (
    filter.cause !== undefined &&
    record.cause !== filter.cause &&
    !record.attempts.some((attempt) => attempt.cause === filter.cause)
  )
    return false;
  if (filter.origin !== undefined && !record.attempts.some((attempt) => attempt.origin === filter.origin)) return false;
  if (filter.service !== undefined && record.service !== filter.service) return false;
  if (filter.route !== undefined && record.route !== filter.route) return false;
  if (filter.outcome !== undefined && record.outcome !== filter.outcome) return false;
  if (filter.since !== undefined && record.startedAt < filter.since) return false;
  if (filter.status === undefined) return true;
  return filter.status.endsWith("xx")
    ? String(record.status).startsWith(filter.status.slice(0, 1)) && record.status >= 100
    : String(record.status) === filter.status;
}
