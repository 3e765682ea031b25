/**
 * The request head as the origin gets it. Field lines that need no change are copied as they came, in runs;
 * what belongs to one hop (RFC 9110 §7.6.1), what only a trusted proxy may say, and what this gateway says
 * itself is left out and written anew.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { writeFirstTraceparent } from "../http1/trace-context.ts";
import type { ByteWriter } from "../http1/writer.ts";

/** What is written that the client did not send, or not with authority. */
export interface RequestAdditions {
  /** Complete lines: X-Forwarded-*, Forwarded. */
  readonly identity: string;
  readonly requestId: string;
  /** The trace that starts here; empty: the client's traceparent goes on. */
  readonly newTrace: string;
  /** Complete lines that this gateway says of itself: Via, and Goodgate-Attempt where it repeats what fails. */
  readonly gateway: string;
  /** Complete lines that say how much time is left; they replace the client's. Empty: what the client says goes on. */
  readonly deadline: string;
  /** Put before the path; empty for most origins. */
  readonly basePath: string;
  /** Replaces Host; null keeps the client's. */
  readonly host: string | null;
  /** The origin's own, for an HTTP/1.0 request without any: what is sent is HTTP/1.1 and must have one (RFC 9112 §3.2). */
  readonly ownHost: string;
  /** Complete lines in place of the client's own conditions and ranges; null keeps those. */
  readonly conditions: string | null;
  /** The peer is a trusted proxy: what it says beside the fields that are written anew goes on. */
  readonly trusted: boolean;
  /** Only this part is asked for, under whatever conditions the client's whole request stood; null: all of it. */
  readonly part: { readonly range: string; readonly validator: string } | null;
}

/** Fields that this gateway writes itself: never copied. Hop-by-hop ones are asked of the head. */
const REPLACED = new Uint8Array(256);
for (const id of [
  FIELD.X_FORWARDED_FOR,
  FIELD.X_FORWARDED_PROTO,
  FIELD.X_FORWARDED_HOST,
  FIELD.X_FORWARDED_PORT,
  FIELD.X_REAL_IP,
  FIELD.FORWARDED,
  FIELD.X_REQUEST_ID,
  FIELD.GOODGATE_ATTEMPT,
  FIELD.GOODGATE_MODE,
]) {
  REPLACED[id] = 1;
}
/** Only where a deadline holds: what cannot be read as one is not ours to replace. */
const DEADLINE = 2;
for (const id of [FIELD.X_REQUEST_TIMEOUT, FIELD.GRPC_TIMEOUT]) REPLACED[id] = DEADLINE;

/** What asks for less than the whole response: replaced when a whole one, or the word that ours holds, is wanted. */
const CONDITIONS = new Uint8Array(256);
for (const id of [FIELD.IF_NONE_MATCH, FIELD.IF_MODIFIED_SINCE, FIELD.IF_RANGE, FIELD.RANGE]) CONDITIONS[id] = 1;

export function writeRequestHead(writer: ByteWriter, head: MessageHead, additions: RequestAdditions): void {
  writeRequestLine(writer, head, additions.basePath);
  const host = additions.host ?? authorityOf(head) ?? (head.find(FIELD.HOST) === -1 ? additions.ownHost : null);
  if (host !== null) {
    writer.ascii("Host: ");
    writer.ascii(host);
    writer.crlf();
  }
  copyFields(writer, head, host !== null, additions);
  writer.ascii(additions.identity);
  writeRequestId(writer, additions.requestId);
  if (additions.newTrace !== "") writeFirstTraceparent(writer, additions.newTrace);
  if (additions.conditions !== null && additions.part === null) writer.ascii(additions.conditions);
  writer.ascii(additions.gateway);
  if (additions.deadline !== "") writer.ascii(additions.deadline);
  if (additions.part !== null) {
    // RFC 9110 §13.1.5: the part, if it is still that of the same representation; otherwise all of the new one.
    writer.ascii(`Range: ${additions.part.range}\r\nIf-Range: ${additions.part.validator}\r\n`);
  } else if (forwardsUpgrade(head)) {
    writer.ascii("Connection: Upgrade\r\nUpgrade: ");
    writer.ascii(head.valueOf(FIELD.UPGRADE) ?? "");
    writer.crlf();
  } else if (acceptsTrailers(head)) {
    writer.ascii("Connection: TE\r\nTE: trailers\r\n");
  }
  if (head.framing === "chunked") writer.ascii("Transfer-Encoding: chunked\r\n");
  else if (!head.contentLengthPlain) writeContentLength(writer, head.contentLength);
  writer.crlf();
}

/**
 * Whether the request's Upgrade goes on to the origin. Not for `h2c`: the origin would speak HTTP/2 inside a
 * tunnel that this gateway does not look into, around its routes and limits. Not with a body, whose end would be
 * unknown on the new protocol's side.
 */
export function forwardsUpgrade(head: MessageHead): boolean {
  if (!head.upgrade || head.minorVersion === 0 || head.framing === "chunked" || head.contentLength > 0) return false;
  const protocol = (head.valueOf(FIELD.UPGRADE) ?? "").toLowerCase();
  return protocol !== "" && !/\bh2c?\b/.test(protocol);
}

/** Whether trailers may be passed to this client (RFC 9110 §6.5.1). */
export function acceptsTrailers(head: MessageHead): boolean {
  for (let te = head.find(FIELD.TE); te !== -1; te = head.next(te)) {
    if (/(?:^|[\s,])trailers(?:$|[\s,;])/i.test(head.value(te))) return true;
  }
  return false;
}

function writeRequestLine(writer: ByteWriter, head: MessageHead, basePath: string): void {
  const { bytes } = head;
  if (basePath === "" && head.targetForm === "origin" && head.minorVersion === 1) {
    writer.copy(bytes, head.headStart, head.fieldsStart);
    return;
  }
  writer.ascii(head.method);
  writer.ascii(" ");
  writer.ascii(head.targetForm === "asterisk" ? "" : basePath);
  if (head.targetForm === "absolute") {
    // Origin form towards the origin (RFC 9112 §3.2.1); an empty path is `/`, but `*` for OPTIONS (§3.2.4).
    const from = head.pathStart;
    if (from === head.targetEnd || bytes[from] !== 0x2f)
      writer.ascii(head.method === "OPTIONS" && from === head.targetEnd ? "*" : "/");
    writer.copy(bytes, from, head.targetEnd);
  } else {
    writer.copy(bytes, head.targetStart, head.targetEnd);
  }
  writer.ascii(" HTTP/1.1\r\n");
}

/** The authority of an absolute-form target replaces Host (RFC 9112 §3.2.2). */
function authorityOf(head: MessageHead): string | null {
  if (head.targetForm !== "absolute") return null;
  return head.bytes.latin1Slice(head.authorityStart, head.authorityEnd);
}

/**
 * Whether a field that has no id of its own says who the client is, and the peer has no say in that. All of
 * X-Forwarded-* (origins authenticate by `-User`, trust `-Ssl`), and spellings with `_`, which CGI-style origins
 * cannot tell from those with `-`. `Proxy` becomes the variable HTTP_PROXY there (httpoxy, CVE-2016-5385): nobody
 * has a say in that.
 */
function claimsIdentity(head: MessageHead, index: number, trusted: boolean): boolean {
  const start = head.nameStart(index);
  const first = (head.bytes[start] ?? 0) | 0x20;
  // x, p, c: nearly every field is passed by here with a few comparisons.
  if (first !== 0x78 && first !== 0x70 && first !== 0x63) return false;
  const written = head.name(index).toLowerCase();
  if (written === "proxy") return true;
  const name = written.replaceAll("_", "-");
  // Only who saw the certificate may tell of it (RFC 9440 §4); a chain of proxies has no word for "I believe the one before".
  if (name === "client-cert" || name === "client-cert-chain") return true;
  if (name === "x-real-ip" || name === "x-request-id") return true;
  if (!name.startsWith("x-forwarded")) return false;
  return !trusted || written !== name;
}

function copyFields(
  writer: ByteWriter,
  head: MessageHead,
  withoutHost: boolean,
  { newTrace, trusted, part, deadline, conditions }: RequestAdditions,
): void {
  const { bytes, fieldCount } = head;
  let runStart = -1;
  let runEnd = -1;
  for (let i = 0; i < fieldCount; i += 1) {
    const id = head.id(i);
    const dropped =
      REPLACED[id] === 1 ||
      (REPLACED[id] === DEADLINE && deadline !== "") ||
      head.hopByHop(i) ||
      (id === FIELD.HOST && withoutHost) ||
      (id === FIELD.CONTENT_LENGTH && !head.contentLengthPlain) ||
      (id === FIELD.OTHER && claimsIdentity(head, i, trusted)) ||
      (conditions !== null && CONDITIONS[id] === 1) ||
      (newTrace !== "" && (id === FIELD.TRACEPARENT || id === FIELD.TRACESTATE)) ||
      (part !== null && asksForPart(head, i)) ||
      id === FIELD.MAX_FORWARDS;
    if (dropped) {
      if (runStart !== -1) writer.copy(bytes, runStart, runEnd);
      runStart = -1;
      if (id === FIELD.MAX_FORWARDS && !head.hopByHop(i)) writeMaxForwards(writer, head, i);
      continue;
    }
    if (runStart === -1) runStart = head.lineStart(i);
    runEnd = head.lineEnd(i);
  }
  if (runStart !== -1) writer.copy(bytes, runStart, runEnd);
}

/**
 * Whether a field selects a part or makes the request conditional (RFC 9110 §13.1, §14.2). The client's conditions were
 * met when its response began; asked again for the rest, they would be asked about another state of things.
 */
function asksForPart(head: MessageHead, index: number): boolean {
  return PART_FIELDS.some((name) => head.named(index, name));
}

const PART_FIELDS = ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

export function writeRequestId(writer: ByteWriter, id: string): void {
  writer.ascii("X-Request-Id: ");
  writer.ascii(id);
  writer.crlf();
}

/** As a number, where the text had leading zeros that the next reader might take for octal. */
export function writeContentLength(writer: ByteWriter, length: number): void {
  writer.ascii("Content-Length: ");
  writer.decimal(length);
  writer.crlf();
}

/** RFC 9110 §7.6.2: one less with each hop for OPTIONS and TRACE; zero never gets here. Other methods: as it is. */
function writeMaxForwards(writer: ByteWriter, head: MessageHead, index: number): void {
  const counted = head.method === "OPTIONS" || head.method === "TRACE";
  const value = head.value(index);
  const number = Number(value);
  writer.ascii("Max-Forwards: ");
  writer.ascii(counted && Number.isSafeInteger(number) && number > 0 ? String(number - 1) : value);
  writer.crlf();
}
