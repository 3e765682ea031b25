/** What a complete request head means, and the rules that need more than one of its lines. */
import { authorityShape } from "./authority.ts";
import { readConnection } from "./connection.ts";
import { FIELD } from "./field-ids.ts";
import { readFraming } from "./framing.ts";
import type { MessageHead } from "./head.ts";
import type { RefusalId } from "./refusals.ts";

const HOST = 1 << FIELD.HOST;
const EXPECT = 1 << FIELD.EXPECT;

/** Fills in framing, connection and expectation, or says why the request is refused. */
export function judgeRequestHead(head: MessageHead): RefusalId | null {
  const refusal = judgeHost(head) ?? readFraming(head);
  if (refusal !== null) return refusal;
  if (head.framing !== "none" && (head.method === "CONNECT" || head.method === "TRACE")) return "content-not-allowed";
  head.expectContinue = false;
  if ((head.seenLow & EXPECT) !== 0) {
    if (!expectsContinue(head)) return "expectation-unknown";
    // RFC 9110 §10.1.1: from an HTTP/1.0 client it is ignored; without content there is nothing to wait for.
    head.expectContinue = head.minorVersion === 1 && head.framing !== "none" && head.contentLength !== 0;
  }
  return readConnection(head);
}

/** RFC 9112 §3.2. An empty value is legal and means that the client knows no name. */
function judgeHost(head: MessageHead): RefusalId | null {
  if ((head.seenLow & HOST) === 0) return head.minorVersion === 1 ? "host-missing" : null;
  if ((head.repeatedLow & HOST) !== 0) return "host-repeated";
  const index = head.find(FIELD.HOST);
  return authorityShape(head.bytes, head.valueStart(index), head.valueEnd(index)) === "illegal" ? "host-illegal" : null;
}

/** An expectation that is not understood, passed on, makes origins and gateway wait for each other. */
function expectsContinue(head: MessageHead): boolean {
  for (let index = head.find(FIELD.EXPECT); index >= 0; index = head.next(index)) {
    if (head.value(index).toLowerCase() !== "100-continue") return false;
  }
  return true;
}
