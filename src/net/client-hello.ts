/**
 * The first message of a TLS client, read before anything is answered (RFC 8446 §4.1.2): whose certificate it wants and
 * which protocols it speaks. Read here and not in OpenSSL's callbacks, because then the right context is there from
 * the first moment (its rules for sessions and for clients' certificates too), a name that nobody has gets the alert
 * that is made for it, and what is no TLS at all can be answered in words.
 *
 * It judges nothing: what it cannot read it leaves to OpenSSL, which knows the alert for it.
 */

/** Larger ones are made by nobody: ours to refuse before they fill the memory. */
export const HELLO_BYTES_MAX = 64 * 1024;

export type FirstBytes =
  /** Not all of it is there. */
  | { readonly kind: "part" }
  | { readonly kind: "hello"; readonly hello: ClientHello }
  /** It begins like a request of HTTP/1; `line` is as much of its first line as came. */
  | { readonly kind: "http"; readonly line: string }
  | { readonly kind: "other" };

export interface ClientHello {
  /** Lower case, without a dot at its end; empty: none. */
  readonly serverName: string;
  /** Empty: none. */
  readonly alpn: readonly string[];
  /** The newest version that it can speak, as on the wire: 0x0304 is TLS 1.3. */
  readonly version: number;
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEAD = 5;
const EXTENSION = { serverName: 0, alpn: 16, versions: 43 };
const LINE_KEPT = 80;

export function readFirstBytes(bytes: Buffer): FirstBytes {
  const [type = HANDSHAKE, major = 3] = bytes;
  if (type !== HANDSHAKE || major !== 3) return notTls(bytes);
  const body = helloBody(bytes);
  if (body === "part" || body === "unreadable") return { kind: body === "part" ? "part" : "other" };
  const hello = readHello(body);
  return hello === null ? { kind: "other" } : { kind: "hello", hello };
}

/** A method of RFC 9110 or of anybody: a word in capitals, and a target. */
function notTls(bytes: Buffer): FirstBytes {
  const start = bytes.latin1Slice(0, Math.min(LINE_KEPT, bytes.length));
  const [line = ""] = start.split(/[\r\n]/, 1);
  if (/^[A-Z]{3,16} [!-~]/.test(line)) return { kind: "http", line };
  return /^[A-Z]{1,16}$/.test(line) || /^[A-Z]{3,16} $/.test(line) ? { kind: "part" } : { kind: "other" };
}

/** The message without the heads of the records that it may be spread over (RFC 8446 §5.1). */
function helloBody(bytes: Buffer): Buffer | "part" | "unreadable" {
  const parts: Buffer[] = [];
  let have = 0;
  let wanted = -1;
  let at = 0;
  while (wanted < 0 || have < wanted) {
    if (at + RECORD_HEAD > bytes.length) return "part";
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== HANDSHAKE || length === 0) return "unreadable";
    const part = bytes.subarray(at + RECORD_HEAD, at + RECORD_HEAD + length);
    parts.push(part);
    have += part.length;
    if (wanted < 0 && have >= 4) {
      const head = parts.length === 1 ? part : Buffer.concat(parts);
      if (head[0] !== CLIENT_HELLO) return "unreadable";
      wanted = 4 + head.readUIntBE(1, 3);
      if (wanted > HELLO_BYTES_MAX) return "unreadable";
    }
    at += RECORD_HEAD + length;
    if (at > bytes.length && have < wanted) return "part";
    if (at > bytes.length && wanted < 0) return "part";
  }
  const message = parts.length === 1 ? parts[0] : Buffer.concat(parts);
  return message === undefined ? "unreadable" : message.subarray(4, wanted);
}

/** Null: it cannot be read. */
function readHello(body: Buffer): ClientHello | null {
  try {
    // Version, random, then three lists, each with its length before it.
    let at = 2 + 32;
    at += 1 + body.readUInt8(at);
    at += 2 + body.readUInt16BE(at);
    at += 1 + body.readUInt8(at);
    const hello = { serverName: "", alpn: [] as string[], version: body.readUInt16BE(0) };
    if (at === body.length) return hello;
    const end = at + 2 + body.readUInt16BE(at);
    at += 2;
    if (end > body.length) return null;
    while (at < end) {
      const type = body.readUInt16BE(at);
      const length = body.readUInt16BE(at + 2);
      const extension = body.subarray(at + 4, at + 4 + length);
      at += 4 + length;
      if (at > end) return null;
      if (type === EXTENSION.serverName) hello.serverName = serverNameIn(extension);
      else if (type === EXTENSION.alpn) hello.alpn = protocolsIn(extension);
      else if (type === EXTENSION.versions) hello.version = newestIn(extension, hello.version);
    }
    return hello;
  } catch {
    // A length led beyond the end.
    return null;
  }
}

/** RFC 6066 §3: a list that has had one kind of name ever since. */
function serverNameIn(extension: Buffer): string {
  if (extension.readUInt8(2) !== 0) return "";
  const length = extension.readUInt16BE(3);
  const name = extension.subarray(5, 5 + length);
  if (name.length !== length) return "";
  return name.latin1Slice().toLowerCase().replace(/\.$/, "");
}

/** RFC 7301 §3.1. */
function protocolsIn(extension: Buffer): string[] {
  const protocols: string[] = [];
  for (let at = 2; at < extension.length; at += 1 + extension.readUInt8(at)) {
    protocols.push(extension.latin1Slice(at + 1, at + 1 + extension.readUInt8(at)));
  }
  return protocols;
}

/** RFC 8446 §4.2.1. Numbers that stand for nothing are sent on purpose (RFC 8701); they are no versions. */
function newestIn(extension: Buffer, otherwise: number): number {
  let newest = 0;
  for (let at = 1; at + 1 < extension.length; at += 2) {
    const version = extension.readUInt16BE(at);
    if (version >> 8 === 3 && version > newest) newest = version;
  }
  return newest === 0 ? otherwise : newest;
}
