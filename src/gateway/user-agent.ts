/** What a client calls itself, as far as that is worth keeping. It is nearly always what it said the last time. */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";

const KEPT = 256;

/** Of a request: `known` is what the last one on its connection said. Empty: it says nothing. */
export function userAgentOf(head: MessageHead, known: string): string {
  const index = head.find(FIELD.USER_AGENT);
  if (index === -1) return "";
  if (head.valueIs(index, known)) return known;
  const start = head.valueStart(index);
  return head.bytes.latin1Slice(start, Math.min(head.valueEnd(index), start + KEPT));
}
