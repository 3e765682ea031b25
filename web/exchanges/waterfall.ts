/** Where the time of one exchange went: its steps and attempts as rows of stretches, in µs since the first byte. */
import { durationText } from "../../src/contract/quantities.ts";
import type { AttemptRecord, ExchangeRecord } from "../../src/contract/record.ts";

export type StretchKind =
  | "client"
  | "gateway"
  | "waiting room"
  | "connect"
  | "handshake"
  | "send"
  | "wait"
  | "receive"
  | "failed";

export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly kind: StretchKind;
}

export interface WaterfallRow {
  readonly name: string;
  readonly note: string;
  readonly startUs: number;
  readonly tookUs: number;
  readonly stretches: readonly Stretch[];
}

export const STRETCH_WORDS: Readonly<Record<StretchKind, string>> = {
  client: "bytes of the client",
  gateway: "the gateway",
  "waiting room": "waiting for room",
  connect: "connecting",
  handshake: "TLS",
  send: "sending",
  wait: "waiting for the first byte",
  receive: "receiving",
  failed: "ended in failure",
};

export function waterfallOf(record: ExchangeRecord): WaterfallRow[] {
  const { headUs, routedUs, requestEndUs, queuedUs, replyUs, doneUs } = record;
  const rows: WaterfallRow[] = [];
  const add = (name: string, note: string, from: number, to: number, kind: StretchKind): void => {
    if (from < 0 || to < from) return;
    rows.push({ name, note, startUs: from, tookUs: to - from, stretches: [{ from, to, kind }] });
  };
  add("Request head", "until the head of the request was complete", 0, headUs, "client");
  add("Identify, route, admit", record.route === "" ? "" : `route ${record.route}`, headUs, routedUs, "gateway");
  if (requestEndUs > headUs && headUs >= 0) add("Request body", "beside what follows", headUs, requestEndUs, "client");
  if (queuedUs > 0 && routedUs >= 0) {
    add("Waiting for room", "no origin could take it yet", routedUs, routedUs + queuedUs, "waiting room");
  }
  rows.push(...record.attempts.map(rowOfAttempt));
  if (replyUs >= 0) add("Reply", `status ${record.status}, to the client`, replyUs, doneUs, "client");
  return rows;
}

function rowOfAttempt(attempt: AttemptRecord): WaterfallRow {
  const { startedUs, endedUs } = attempt;
  const end = Math.max(startedUs, endedUs);
  const how = attempt.reused
    ? `on a connection that had carried ${attempt.connectionUses} and was idle for ${durationText(attempt.connectionIdleMs * 1000)}`
    : "on a new connection";
  return {
    name: `Attempt ${attempt.number} at ${attempt.address}`,
    note: attempt.cause === null ? `status ${attempt.status}, ${how}` : `${attempt.cause}: ${attempt.evidence}`,
    startUs: startedUs,
    tookUs: end - startedUs,
    stretches: stretchesOf(attempt, end),
  };
}

function stretchesOf(attempt: AttemptRecord, end: number): Stretch[] {
  const stretches: Stretch[] = [];
  let from = attempt.startedUs;
  const until = (at: number, kind: StretchKind): void => {
    const to = at < 0 ? end : Math.min(Math.max(at, from), end);
    if (to > from) stretches.push({ from, to, kind });
    from = to;
  };
  if (!attempt.reused) until(attempt.connectedUs, "connect");
  if (attempt.securedUs >= 0 && !attempt.reused) until(attempt.securedUs, "handshake");
  if (attempt.connectedUs >= 0) {
    if (attempt.sentUs >= 0) until(attempt.sentUs, "send");
    until(attempt.firstByteUs, "wait");
    if (attempt.firstByteUs >= 0) until(end, "receive");
  }
  if (attempt.cause !== null) stretches.push({ from: end, to: end, kind: "failed" });
  return stretches;
}
