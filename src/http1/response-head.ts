/** What a complete response head means, which depends on the request that it answers (RFC 9112 §6.3). */
import { readConnection } from "./connection.ts";
import { FIELD } from "./field-ids.ts";
import { readFraming } from "./framing.ts";
import type { MessageHead } from "./head.ts";
import type { RefusalId } from "./refusals.ts";

const LENGTH = 1 << FIELD.CONTENT_LENGTH;

/** Fills in framing and connection for the answer to a request with `method`, or says why it is refused. */
export function judgeResponseHead(head: MessageHead, method: string): RefusalId | null {
  head.expectContinue = false;
  const refusal = readFraming(head) ?? readConnection(head);
  if (refusal !== null) return refusal;
  const { status } = head;
  if (leavesHttp(head, method) || status < 200 || status === 204) {
    // None of these may carry either field (RFC 9110 §8.6, §9.3.6, RFC 9112 §6.1), and none has content whatever
    // it declares. A server that declares some all the same probably sends it too: its connection is not used again.
    if (head.framing !== "none" && head.contentLength !== 0) head.keepAlive = false;
    head.dropLow = LENGTH;
    head.framing = "none";
  } else if (status === 205 && head.contentLength > 0 && method !== "HEAD") return "reset-content-with-content";
  else if (status === 304 || method === "HEAD") head.framing = "none";
  else if (head.framing === "none") {
    head.framing = "close";
    head.keepAlive = false;
  }
  return null;
}

/** After such a head the connection speaks another protocol (RFC 9110 §7.8, §9.3.6). */
export function leavesHttp(head: MessageHead, method: string): boolean {
  return head.status === 101 || (method === "CONNECT" && head.status >= 200 && head.status < 300);
}
