/**
 * Reply: the gateway's own answer to an exchange that failed, as its client and its route want it. reply.ts makes it
 * from plain facts; here they are gathered, and what was given goes on the record.
 */
import type { RouteSettings } from "../config/settings.ts";
import type { ExchangeRecord, Step } from "../contract/record.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { REFUSALS } from "../http1/refusals.ts";
import { writeResponse } from "../http1/serialise.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import type { ClientSide } from "./absent-client.ts";
import type { Core } from "./core.ts";
import { httpDate } from "./http-date.ts";
import { toUs } from "./origin-connection.ts";
import { respondToFailure, retryAfterSeconds } from "./reply.ts";
import { hstsLine } from "./secure-terms.ts";
import type { ServiceRuntime } from "./service-runtime.ts";
import type { WaitingOffer } from "./waiting.ts";

/** The exchange that failed. */
export interface Failed {
  readonly record: ExchangeRecord;
  readonly client: ClientSide;
  readonly request: { readonly grpc: boolean };
  readonly startedMs: number;
  readonly service: ServiceRuntime | null;
  readonly route: RouteSettings | null;
  readonly routeIndex: number;
  readonly accept: string | null;
  /** Complete lines that any answer gets. */
  readonly replyLines: string;
  readonly waitsSince: number;
  /** 0: what the cause says. */
  readonly retryAfterSeconds: number;
  /** Whether its key's request was carried out is not known. */
  readonly uncertain: boolean;
  decide(step: Step, code: DecisionCode, reason: string): void;
}

/** `status`: 0: the cause's own. */
export function writeFailure(
  core: Core,
  failed: Failed,
  cause: CauseId,
  status: number,
  keepAlive: boolean,
  now: number,
): void {
  const { record, client } = failed;
  if (record.id === "") record.id = core.newId();
  const refusal = record.reason === "" ? null : REFUSALS[record.reason as RefusalId];
  const afterSeconds = failed.retryAfterSeconds > 0 ? failed.retryAfterSeconds : retryAfterSeconds(cause);
  const reply = respondToFailure(
    {
      cause,
      status,
      reason: record.reason,
      reasonText: refusal?.meaning ?? "",
      retryAfterSeconds: afterSeconds,
      fallback: failed.service?.routeAt(failed.routeIndex)?.fallback ?? null,
      waiting: waitingOffer(core, failed, cause, afterSeconds),
      uncertain: failed.uncertain,
      reset: cause === "origin.h2_reset" ? (record.attempts.at(-1)?.signs?.detail ?? "") : "",
    },
    {
      requestId: record.id,
      accept: failed.accept,
      method: record.method,
      grpc: failed.request.grpc,
      keepAlive,
      date: httpDate(core.clock.wall()),
      name: core.identity.name,
      lines: client.tls === null ? failed.replyLines : failed.replyLines + hstsLine(client.listener.settings),
    },
  );
  if (reply.kind === "fallback") failed.decide("reply", "reply.fallback", "the route's fallback was given");
  if (reply.kind === "waiting page") failed.decide("reply", "reply.waiting-page", "a browser was asked to wait");
  record.status = reply.message.status;
  record.grpcStatus = reply.grpcStatus;
  record.responseBytes = reply.bodyBytes;
  record.replyUs = toUs(now - failed.startedMs);
  writeResponse(core.gather.to(client.socket), reply.message);
}

/** Null: what it failed of is not a lack of room, or its route has no waiting page. */
function waitingOffer(core: Core, failed: Failed, cause: CauseId, afterSeconds: number): WaitingOffer | null {
  if (CAUSES[cause].party !== "overload" || failed.route?.waitingPage === false) return null;
  return core.waiting.offer(failed.record.clientAddress, failed.waitsSince, afterSeconds);
}
