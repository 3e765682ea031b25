/** What a call of gRPC that is sent again says of those before it. */
import type { ExchangeRecord } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import { CAUSES } from "../kernel/causes.ts";

/** How often a call was sent before (gRPC's proposal A6), unless its client counts itself. */
export function earlierLine(head: MessageHead, { attempts }: ExchangeRecord): string {
  const earlier = attempts.filter(({ cause, sentUs }) => cause !== null && sentUs !== -1);
  const sent = earlier.filter(({ cause }) => cause !== null && CAUSES[cause].retryClass !== "R0").length;
  if (sent === 0 || head.get(PREVIOUS_ATTEMPTS) !== null) return "";
  return `${PREVIOUS_ATTEMPTS}: ${sent}\r\n`;
}

const PREVIOUS_ATTEMPTS = "grpc-previous-rpc-attempts";
