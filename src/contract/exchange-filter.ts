/** The records that a filter asks for, wherever they are kept. */
import type { ExchangeRecord } from "./record.ts";
import type { ExchangeFilter } from "./view.ts";

const LIST_DEFAULT = 50;
const LIST_MAX = 1000;

function matchesFilter(record: ExchangeRecord, filter: ExchangeFilter): boolean {
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

/** Those that match, newest first, as many as are asked for. */
export function listMatching(records: Iterable<ExchangeRecord>, filter: ExchangeFilter): ExchangeRecord[] {
  const limit = Math.min(Math.max(1, filter.limit ?? LIST_DEFAULT), LIST_MAX);
  return [...records]
    .filter((record) => matchesFilter(record, filter))
    .sort((a, b) => b.startedAt - a.startedAt || b.doneUs - a.doneUs)
    .slice(0, limit);
}
