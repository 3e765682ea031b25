/**
 * The deadline of one request at work: what its client or its route allows, what is left of it for the origin, and
 * whom its end is to be told. policies/deadline.ts says how it is read and written.
 */
import type { ExchangeRecord } from "../contract/record.ts";
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import type { CauseId } from "../kernel/causes.ts";
import {
  deadlineInWords,
  parseGrpcTimeout,
  parseRequestTimeout,
  writeGrpcTimeout,
  writeRequestTimeout,
} from "../policies/deadline.ts";
import type { DeadlineOf } from "../policies/deadline.ts";
import { durationInWords } from "../policies/words.ts";

export class RequestDeadline {
  /** Monotonic ms. */
  readonly at: number;
  readonly #allowedMs: number;
  readonly #of: DeadlineOf;
  readonly #grpc: boolean;

  constructor(startedMs: number, allowedMs: number, of: DeadlineOf, grpc: boolean) {
    this.at = startedMs + allowedMs;
    this.#allowedMs = allowedMs;
    this.#of = of;
    this.#grpc = grpc;
  }

  leftMs(now: number): number {
    return this.at - now;
  }

  /** For the origin: what is left, in the words in which the client said it. */
  lines(now: number): string {
    const left = this.leftMs(now);
    const line = `X-Request-Timeout: ${writeRequestTimeout(left)}\r\n`;
    return this.#grpc ? `${line}grpc-timeout: ${writeGrpcTimeout(left)}\r\n` : line;
  }

  /** It is over: who had the request meanwhile. */
  judge(record: ExchangeRecord): { readonly cause: CauseId; readonly evidence: string } {
    const over = deadlineInWords(this.#allowedMs, this.#of);
    const last = record.attempts.at(-1);
    if (last === undefined) return { cause: "gw.deadline", evidence: `${over}, and no origin had been asked yet` };
    if (last.endedUs !== -1)
      return { cause: "gw.deadline", evidence: `${over}; the last attempt, at ${last.address}, had failed` };
    const hadMs = this.#allowedMs - last.startedUs / 1000;
    if (last.sentUs === -1)
      return { cause: "gw.deadline", evidence: `${over}; there was no connection to ${last.address} yet` };
    return {
      cause: "origin.deadline",
      evidence: `${over}; ${last.address} had the request for ${durationInWords(hadMs)} of them and had not answered`,
    };
  }
}

/** What the request and its route allow, whichever is less; null when neither says anything that can be read. */
export function deadlineOf(head: MessageHead, startedMs: number, routeMs: number): RequestDeadline | null {
  const asked = head.find(FIELD.X_REQUEST_TIMEOUT);
  const grpcAsked = head.find(FIELD.GRPC_TIMEOUT);
  if (asked === -1 && grpcAsked === -1 && routeMs === 0) return null;
  const own = asked === -1 ? null : parseRequestTimeout(head.value(asked));
  const grpc = grpcAsked === -1 ? null : parseGrpcTimeout(head.value(grpcAsked));
  const client = Math.min(own ?? Infinity, grpc ?? Infinity);
  const route = routeMs === 0 ? Infinity : routeMs;
  const allowed = Math.min(client, route);
  if (allowed === Infinity) return null;
  return new RequestDeadline(startedMs, allowed, client <= route ? "client" : "route", grpc !== null);
}
