/** The field lines of a response that are kept with it: all but those of the connection, and those said anew each time. */
import { FIELD } from "../../http1/field-ids.ts";
import type { MessageHead } from "../../http1/head.ts";
import { httpDate } from "../http-date.ts";

/** Complete lines, latin1. `wall`: for the Date of a response that has none (RFC 9110 §6.6.1). */
export function storedFields(head: MessageHead, wall: number): string {
  let lines = "";
  for (let index = 0; index < head.fieldCount; index += 1) {
    const id = head.id(index);
    if (head.hopByHop(index) || id === FIELD.AGE || id === FIELD.CONTENT_LENGTH || id === FIELD.X_REQUEST_ID) continue;
    lines += head.bytes.latin1Slice(head.lineStart(index), head.lineEnd(index));
  }
  return head.find(FIELD.DATE) === -1 ? `${lines}Date: ${httpDate(wall)}\r\n` : lines;
}
