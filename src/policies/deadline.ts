/**
 * Until when an answer is of use to anybody: the time that the client says it will wait, or that the route allows,
 * whichever is less. It bounds every wait of the exchange, its rest goes on to the origin, and work whose time is
 * over is dropped instead of begun: a queue of requests that nobody waits for any more is how an overload outlives
 * its trigger.
 *
 * Two fields say it: `X-Request-Timeout`, decimal seconds, and gRPC's `grpc-timeout` (up to eight digits and a unit,
 * "PROTOCOL-HTTP2" of gRPC). Anybody may send them, because they can only make the time shorter. What cannot be read
 * is no deadline; it goes on as it came.
 *
 * A deadline ends with the head of the response. After it bytes are on their way to somebody who can judge better
 * than a gateway whether to go on waiting; silence is bounded then by the limit between bytes.
 */
import { durationInWords } from "./words.ts";

/** Whose time it is. */
export type DeadlineOf = "client" | "route";

/** More than this is no limit; it also keeps sums finite. */
const LONGEST_MS = 86_400_000;

/** `X-Request-Timeout: 1.5` → 1500; null when it is not a number of seconds above 0. */
export function parseRequestTimeout(value: string): number | null {
  if (!/^\d{1,8}(?:\.\d{1,9})?$/.test(value)) return null;
  return bounded(Number(value) * 1000);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** `grpc-timeout: 100m` → 100; null when it is not of that form. */
export function parseGrpcTimeout(value: string): number | null {
  if (!/^\d{1,8}[HMSmun]$/.test(value)) return null;
  return bounded(Number(value.slice(0, -1)) * (UNIT_MS[value.slice(-1)] ?? 0));
}

/** What is left for the origin, as `X-Request-Timeout` writes it: seconds, to the millisecond, never 0. */
export function writeRequestTimeout(leftMs: number): string {
  return (atLeastOne(leftMs) / 1000).toFixed(3);
}

/** The same for `grpc-timeout`. */
export function writeGrpcTimeout(leftMs: number): string {
  const left = atLeastOne(leftMs);
  // Eight digits are all that there may be.
  return left < 100_000_000 ? `${left}m` : `${Math.floor(left / 1000)}S`;
}

/** For the evidence: "the 500 ms that the client allows are over". */
export function deadlineInWords(allowedMs: number, of: DeadlineOf): string {
  return `the ${durationInWords(allowedMs)} that the ${of} allows are over`;
}

function bounded(ms: number): number | null {
  if (!(ms > 0)) return null;
  return Math.min(ms, LONGEST_MS);
}

/** An origin that reads 0 could take it for "no limit". */
function atLeastOne(leftMs: number): number {
  return Math.max(1, Math.floor(leftMs));
}
