/** How an exchange ends for a client that is gone, or was answered, whether the exchange ends with it or goes on. */
import type { ExchangeRecord, Outcome, Step } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { ClientRequest } from "./client-request.ts";

export interface Leaving {
  readonly outcome: Outcome;
  readonly cause: CauseId;
  readonly evidence: string;
  readonly step: Step;
}

/** The client closed its connection, by FIN or by an error. */
export function leavingOf(how: string, request: ClientRequest, begun: boolean, record: ExchangeRecord): Leaving {
  const uploading = !request.complete && request.bodyBytes > 0;
  const where = begun
    ? `after ${record.responseBytes} body bytes of the response`
    : uploading
      ? `after ${request.bodyBytes} bytes of its own body`
      : "before the response";
  return {
    outcome: "aborted",
    cause: begun || uploading ? "client.abort_body" : "client.abort_wait",
    evidence: `the client closed the connection (${how}) ${where}`,
    step: begun ? "relay" : uploading ? "receive" : "attempt",
  };
}
