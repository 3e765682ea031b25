/**
 * What is known of an attempt that has ended, in the form in which its end is judged (judge.ts), and what its record says
 * of the connection that it was on.
 */
import type { AttemptRecord, ExchangeRecord } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import { isUnix } from "../kernel/ip-text.ts";
import type { TimerWheel } from "../kernel/timer-wheel.ts";
import type { AttemptFacts } from "./judge.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { OriginConnection } from "./origin-connection.ts";

export function factsOf(
  { attempt, address, startedMs, beganMs, requestSent }: Ended,
  connection: OriginConnection | null,
  wheel: TimerWheel,
  brokeNew: boolean,
  now: number,
  limitMs: number,
): AttemptFacts {
  const sentMs = attempt.sentUs === -1 ? beganMs : startedMs + attempt.sentUs / 1000;
  return {
    connected: attempt.connectedUs !== -1 && (address.transport === null || attempt.sentUs !== -1),
    reached: attempt.connectedUs !== -1,
    overTls: address.transport !== null && address.transport.tls !== null,
    tls: attempt.tls?.version ?? "",
    reused: attempt.reused,
    idleMs: attempt.connectionIdleMs,
    sinceSentMs: Math.max(0, now - sentMs),
    requestSent,
    receivedBytes: connection?.answering === true ? attempt.receivedBytes : 0,
    headSeen: connection?.headSeen ?? false,
    framing: connection?.framing ?? "none",
    stallMs: wheel.stallEndedAt > sentMs ? Math.min(wheel.stallMs, wheel.stallEndedAt - sentMs) : 0,
    limitMs,
    leftAnswer: address.leftAnswer,
    unix: isUnix(address.ip),
    brokeNewConnection: brokeNew,
  };
}

/** What of an attempt its end is judged by. */
interface Ended {
  readonly attempt: AttemptRecord;
  readonly address: OriginAddress;
  readonly startedMs: number;
  readonly beganMs: number;
  readonly requestSent: boolean;
}

export function brokeNewConnection({ attempts }: ExchangeRecord): boolean {
  return attempts.some(({ cause, reused }) => cause === "origin.reset_before_response" && !reused);
}

/** It was a used connection, and it ended without a byte: a new one to the same origin is another try. */
export function wasStale({ cause, reused, receivedBytes, signs }: AttemptRecord): boolean {
  if (cause === "origin.h2_refused") return signs?.detail === "GOAWAY";
  return cause === "net.half_open" || (reused && receivedBytes === 0 && cause !== null && CLOSED.has(cause));
}

/** Causes that a used connection shows when it was closed before the request met it. */
const CLOSED: ReadonlySet<CauseId> = new Set(["origin.keepalive_race", "origin.reset_before_response"]);
