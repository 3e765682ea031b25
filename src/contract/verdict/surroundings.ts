/**
 * What is known besides one record when a verdict on it is asked for: other exchanges that were kept from the same
 * minutes, what the origin's first byte usually takes, and how its name resolves. Failed exchanges are kept as far as
 * there is room, of those that went well only a sample is: so what is found counts, and what is not found is no proof.
 */
import { quantileUs } from "../../kernel/histogram.ts";
import type { AttemptRecord, ExchangeRecord } from "../record.ts";
import type { GatewayView } from "../view.ts";
import type { Other } from "./witness.ts";

export interface Surroundings {
  readonly others: readonly ExchangeRecord[];
  /** The median time to the first byte of the address of the last attempt, since the start, ms; null: not known. */
  readonly usualFirstByteMs: number | null;
  /** Since when that was measured: the start of the gateway, epoch ms. */
  readonly startedAt: number;
  /** When the addresses of the last attempt's origin, or of its service's, last changed, epoch ms; null: never since the start. */
  readonly answerChangedAt: number | null;
}

export const NOTHING_AROUND: Surroundings = {
  others: [],
  usualFirstByteMs: null,
  startedAt: 0,
  answerChangedAt: null,
};

/** Before and after the beginning of the exchange. */
const AROUND_MS = 60_000;
const OTHERS_MAX = 1_000;
/** A median of fewer is no custom. */
const USUAL_FROM = 20;

export function surroundingsOf(view: GatewayView, record: ExchangeRecord): Surroundings {
  const others = view
    .exchanges({ since: record.startedAt - AROUND_MS, limit: OTHERS_MAX })
    .filter((other) => other.id !== record.id && other.startedAt <= record.startedAt + AROUND_MS);
  return {
    others,
    usualFirstByteMs: usualFirstByteMs(view, record.attempts.at(-1)),
    startedAt: view.status().startedAt,
    answerChangedAt: answerChangedAt(view, record),
  };
}

interface TheirAttempt extends Other {
  readonly attempt: AttemptRecord;
}

/** Attempts of other exchanges for which this holds, each exchange once. */
export function othersWhere(
  { others }: Surroundings,
  holds: (attempt: AttemptRecord, record: ExchangeRecord) => boolean,
): TheirAttempt[] {
  const found: TheirAttempt[] = [];
  for (const record of others) {
    const attempt = record.attempts.find((each) => holds(each, record));
    if (attempt !== undefined) found.push({ record, attempt });
  }
  return found;
}

/** Epoch ms of something in a record. */
export function wallOf(record: ExchangeRecord, us: number): number {
  return record.startedAt + us / 1000;
}

function usualFirstByteMs(view: GatewayView, last: AttemptRecord | undefined): number | null {
  if (last === undefined) return null;
  const row = view
    .metrics()
    .origins.find(
      ({ origin, address, pool }) => origin === last.origin && address === last.address && pool === last.pool,
    );
  if (row === undefined || row.firstByte.count < USUAL_FROM) return null;
  return quantileUs(row.firstByte, 0.5) / 1000;
}

function answerChangedAt(view: GatewayView, record: ExchangeRecord): number | null {
  let newest: number | null = null;
  for (const { service, origin, addressesSince } of view.origins()) {
    const isMeant = record.origin === "" ? service === record.service : origin === record.origin;
    if (isMeant && addressesSince !== null && addressesSince > (newest ?? 0)) newest = addressesSince;
  }
  return newest;
}
