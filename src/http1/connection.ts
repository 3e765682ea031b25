/**
 * The Connection field (RFC 9110 §7.6.1): whether the connection stays, whether it leaves HTTP, and which
 * fields end at this hop.
 *
 * A client can name any field here and so have it removed on the way: its Host, its Content-Length, or what a
 * proxy before us added (X-Forwarded-For, Via, traceparent). RFC 9110 says that a field meant for all
 * recipients must not be named. The answer here: a name that the gateway knows and that is not hop-by-hop by
 * itself is ignored, the field stays and travels on; unknown fields that are named are removed, as the RFC asks.
 * Refusing the message instead would punish clients for a mistake that is harmless when ignored.
 */
import { FIELD, fieldIdOf } from "./field-ids.ts";
import { TOKEN } from "./grammar.ts";
import type { MessageHead } from "./head.ts";
import type { RefusalId } from "./refusals.ts";

const CONNECTION = 1 << FIELD.CONNECTION;
const UPGRADE = 1 << FIELD.UPGRADE;
/** Each option is compared with each field name; without a bound that is quadratic in the size of the head. */
const OPTIONS_MAX = 32;

/** Sets `keepAlive` and `upgrade` and marks nominated fields. */
export function readConnection(head: MessageHead): RefusalId | null {
  head.keepAlive = head.minorVersion === 1;
  head.upgrade = false;
  if ((head.seenLow & CONNECTION) === 0) return null;
  return readOptions(head);
}

function readOptions(head: MessageHead): RefusalId | null {
  const { bytes } = head;
  let close = false;
  let keep = false;
  let upgrade = false;
  let options = 0;
  for (let index = head.find(FIELD.CONNECTION); index >= 0; index = head.next(index)) {
    const end = head.valueEnd(index);
    let at = head.valueStart(index);
    while (at < end) {
      while (at < end && TOKEN[bytes[at] ?? 0] === 0) at += 1;
      const start = at;
      while (at < end && TOKEN[bytes[at] ?? 0] !== 0) at += 1;
      if (at === start) break;
      options += 1;
      if (options > OPTIONS_MAX) return "connection-options";
      if (equals(bytes, start, at, "close")) close = true;
      else if (equals(bytes, start, at, "keep-alive")) keep = true;
      else if (equals(bytes, start, at, "upgrade")) upgrade = true;
      else if (fieldIdOf(bytes, start, at) === FIELD.OTHER) nominate(head, start, at);
    }
  }
  head.keepAlive = !close && (head.minorVersion === 1 || keep);
  head.upgrade = upgrade && head.minorVersion === 1 && asksForMoreThanH2c(head);
  return null;
}

/**
 * RFC 9113 §3.1 withdrew the upgrade to HTTP/2, and passing one on lets a client speak to the origin past every
 * rule of the gateway. An HTTP/1.0 message cannot ask for an upgrade at all (RFC 9110 §7.8).
 */
function asksForMoreThanH2c(head: MessageHead): boolean {
  if ((head.seenLow & UPGRADE) === 0) return false;
  for (let index = head.find(FIELD.UPGRADE); index >= 0; index = head.next(index)) {
    if (/(?:^|[\s,])(?:h2c|http\/2)/i.test(head.value(index))) return false;
  }
  return head.valueOf(FIELD.UPGRADE) !== "";
}

/** Marks every field with the name in `[start, end)` of the same bytes. */
function nominate(head: MessageHead, start: number, end: number): void {
  const { bytes } = head;
  const length = end - start;
  for (let index = 0; index < head.fieldCount; index += 1) {
    const nameStart = head.nameStart(index);
    if (head.nameEnd(index) - nameStart !== length) continue;
    let at = 0;
    while (at < length && lower(bytes[nameStart + at] ?? 0) === lower(bytes[start + at] ?? 0)) at += 1;
    if (at === length) head.nominate(index);
  }
}

function equals(bytes: Buffer, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) {
    if (lower(bytes[start + at] ?? 0) !== word.charCodeAt(at)) return false;
  }
  return true;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte | 0x20 : byte;
}
