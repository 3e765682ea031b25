/**
 * The head of a request of HTTP/2 into one of HTTP/1.1 (RFC 9113 §8.3.1, RFC 8441). What it says is read again by the
 * parser that reads all other requests, so a translated request has no meaning that the gateway did not look at.
 *
 * Refused here is all that could mean something else in HTTP/1.1 than where it came from: a line end in a value, a
 * space in a path, a name with a colon, two framings, two hosts. Nothing is repaired. What is malformed in both
 * (a host with two ports, a length of letters) is left to the parser, which has a reason for each.
 *
 * The bytes stand in one buffer for all connections, with the rooms around them that a socket's bytes have
 * (kernel/socket.ts); they are valid until the next head is begun.
 */
import { isToken, VALUE } from "../http1/grammar.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { ByteWriter } from "../http1/writer.ts";
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { HeaderField } from "./header-field.ts";

export interface RequestLimits {
  /** Of the head as HTTP/1.1. */
  readonly headBytes: number;
  readonly fields: number;
}

/** `HeaderField.kind`. */
const PLAIN = 0;
const METHOD = 1;
const SCHEME = 2;
const PATH = 3;
const AUTHORITY = 4;
const PROTOCOL = 5;
const HOST = 6;
const CONTENT_LENGTH = 7;
const COOKIE = 8;
const TE = 9;
const WEBSOCKET_KEY = 10;
const PRIORITY = 11;
/** From here on: a reason of `FAULTS`. */
const FAULTY = 16;

const FAULTS: readonly RefusalId[] = [
  "h2-pseudo-unknown",
  "h2-field-name",
  "h2-field-name-upper-case",
  "h2-field-value-line-end",
  "h2-field-value-whitespace",
  "field-value-nul",
  "field-value-control",
  "h2-connection-field",
  "h2-te",
];

const KINDS: ReadonlyMap<string, number> = new Map([
  [":method", METHOD],
  [":scheme", SCHEME],
  [":path", PATH],
  [":authority", AUTHORITY],
  [":protocol", PROTOCOL],
  ["host", HOST],
  ["content-length", CONTENT_LENGTH],
  ["cookie", COOKIE],
  ["te", TE],
  // A stream has no handshake of its own; the one with the origin is made by us (RFC 8441 §5).
  ["sec-websocket-key", WEBSOCKET_KEY],
  ["priority", PRIORITY],
]);

/** RFC 9113 §8.2.2. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** More than the limits allow is not kept; the parser says which of them it was. */
const OVER = 64;

export class RequestHead {
  /** What a value can be told by: the length of the content, -1: unknown. */
  contentLength = -1;
  method = "";
  /** It asks for a tunnel to a WebSocket (RFC 8441). */
  asksForTunnel = false;
  /** The content goes on in chunks, because nobody said how long it is. */
  chunked = false;
  /** The `priority` fields, as one list; empty: there is none. */
  priority = "";
  refusal: RefusalId | null = null;
  readonly #writer = new ByteWriter(HEAD_ROOM + 16 * 1024 + TAIL_ROOM);
  #limits: RequestLimits = { headBytes: 0, fields: 0 };
  #scheme: string | null = null;
  #path: string | null = null;
  #authority: string | null = null;
  #protocol: string | null = null;
  #hasMethod = false;
  /** The first field that is none of the above has come. */
  #lineWritten = false;
  #cookies = "";
  #fields = 0;

  begin(limits: RequestLimits): void {
    this.contentLength = -1;
    this.method = "";
    this.asksForTunnel = false;
    this.chunked = false;
    this.priority = "";
    this.refusal = null;
    this.#limits = limits;
    this.#scheme = null;
    this.#path = null;
    this.#authority = null;
    this.#protocol = null;
    this.#hasMethod = false;
    this.#lineWritten = false;
    this.#cookies = "";
    this.#fields = 0;
    this.#writer.length = HEAD_ROOM;
  }

  /** Where the head begins in `bytes`. */
  get start(): number {
    return HEAD_ROOM;
  }

  get end(): number {
    return this.#writer.length;
  }

  get bytes(): Buffer {
    return this.#writer.bytes;
  }

  onField(field: HeaderField): void {
    if (this.refusal !== null) return;
    if (field.kind === -1) field.kind = kindOf(field);
    const { kind } = field;
    if (kind === PLAIN) this.#line(field.name, field.value);
    else if (kind >= FAULTY) this.refusal = FAULTS[kind - FAULTY] ?? "h2-field-name";
    else if (kind <= PROTOCOL) this.#pseudo(kind, field.value);
    else this.#special(kind, field);
  }

  /** All fields have come. `ends`: so has the request. `websocketKey` is asked for a tunnel only. */
  finish(ends: boolean, websocketKey: () => string): RefusalId | null {
    if (this.refusal === null && !this.#lineWritten) this.#requestLine();
    if (this.refusal !== null) return this.refusal;
    const writer = this.#writer;
    if (this.#cookies !== "") this.#line("cookie", this.#cookies);
    if (this.asksForTunnel) {
      writer.ascii("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ");
      writer.ascii(websocketKey());
      writer.crlf();
    } else if (ends) {
      if (this.contentLength > 0) this.refusal = "h2-length-differs";
    } else if (this.contentLength === -1 && this.method !== "CONNECT") {
      this.chunked = true;
      writer.ascii("transfer-encoding: chunked\r\n");
    }
    writer.crlf();
    writer.ensure(TAIL_ROOM);
    return this.refusal;
  }

  /** §8.3: before all others, once each. */
  #pseudo(kind: number, value: string): void {
    if (this.#lineWritten) {
      this.refusal = "h2-pseudo-late";
      return;
    }
    let isSecond = false;
    switch (kind) {
      case METHOD:
        isSecond = this.#hasMethod;
        this.#hasMethod = true;
        this.method = value;
        break;
      case SCHEME:
        isSecond = this.#scheme !== null;
        this.#scheme = value;
        break;
      case PATH:
        isSecond = this.#path !== null;
        this.#path = value;
        break;
      case AUTHORITY:
        isSecond = this.#authority !== null;
        this.#authority = value;
        break;
      default:
        isSecond = this.#protocol !== null;
        this.#protocol = value;
    }
    if (isSecond) this.refusal = "h2-pseudo-repeated";
  }

  #special(kind: number, field: HeaderField): void {
    if (!this.#lineWritten) this.#requestLine();
    if (this.refusal !== null) return;
    switch (kind) {
      case HOST:
        // §8.3.1: both name the same host, or whoever routes by one is deceived by the other.
        if (this.#authority === null) this.#line(field.name, field.value);
        else if (!isSameHost(field.value, this.#authority, this.#scheme)) this.refusal = "h2-host-differs";
        return;
      case CONTENT_LENGTH:
        // What is no number, or too large a one, the parser refuses with its own reason.
        this.contentLength = /^\d{1,15}$/.test(field.value) ? Number(field.value) : 0;
        this.#line(field.name, field.value);
        return;
      case COOKIE:
        // §8.2.3: crumbs become one field again.
        if (this.#cookies.length > this.#limits.headBytes) return;
        this.#cookies += this.#cookies === "" ? field.value : `; ${field.value}`;
        return;
      case TE:
        this.#line(field.name, field.value);
        return;
      case PRIORITY:
        this.priority = this.priority === "" ? field.value : `${this.priority}, ${field.value}`;
        this.#line(field.name, field.value);
        return;
      default:
        if (!this.asksForTunnel) this.#line(field.name, field.value);
    }
  }

  #line(name: string, value: string): void {
    if (!this.#lineWritten) this.#requestLine();
    if (this.refusal !== null) return;
    const writer = this.#writer;
    this.#fields += 1;
    if (this.#fields > this.#limits.fields + 1) {
      this.refusal = "too-many-fields";
      return;
    }
    if (writer.length + name.length + value.length > HEAD_ROOM + this.#limits.headBytes + OVER) {
      this.refusal = "head-too-large";
      return;
    }
    writer.ascii(name);
    writer.ascii(": ");
    writer.ascii(value);
    writer.crlf();
  }

  #requestLine(): void {
    this.#lineWritten = true;
    this.refusal = this.#judgeTarget();
    if (this.refusal !== null) return;
    const writer = this.#writer;
    if (this.asksForTunnel) writer.ascii("GET");
    else writer.ascii(this.method);
    writer.ascii(" ");
    writer.ascii(this.#path ?? this.#authority ?? "");
    writer.ascii(" HTTP/1.1\r\n");
    const authority = this.#authority;
    if (authority === null) return;
    writer.ascii("host: ");
    writer.ascii(authority);
    writer.crlf();
  }

  #judgeTarget(): RefusalId | null {
    const path = this.#path;
    const authority = this.#authority;
    const size = this.method.length + (path?.length ?? 0) + 2 * (authority?.length ?? 0);
    if (size > this.#limits.headBytes) return "head-too-large";
    if (!this.#hasMethod) return "h2-pseudo-missing";
    if (!isToken(this.method)) return "h2-method";
    // An empty authority is none (§8.3.1), but it must not take the place of a Host field either.
    if (authority !== null && !isVisible(authority)) return "h2-authority";
    const protocol = this.#protocol;
    if (protocol !== null) {
      if (this.method !== "CONNECT") return "h2-pseudo-unknown";
      if (protocol !== "websocket") return "h2-protocol";
      this.asksForTunnel = true;
    }
    if (this.method === "CONNECT" && protocol === null) {
      if (authority === null) return "h2-pseudo-missing";
      return this.#scheme === null && path === null ? null : "h2-connect";
    }
    if (this.#scheme === null || path === null) return "h2-pseudo-missing";
    if (this.#scheme !== "http" && this.#scheme !== "https") return "h2-scheme";
    // `*` is judged by the parser. Anything else that is no path it would take for another form.
    return (path.startsWith("/") || path === "*") && isVisible(path) ? null : "h2-path";
  }
}

/** §8.3.1: they are compared as RFC 3986 §6.2.3 has it, with the port that the scheme has by itself left out. */
function isSameHost(one: string, other: string, scheme: string | null): boolean {
  if (one === other) return true;
  const port = scheme === "https" ? /:(?:443)?$/ : /:(?:80)?$/;
  return one.toLowerCase().replace(port, "") === other.toLowerCase().replace(port, "");
}

/** Nothing that ends a word of a request line, or the line. */
function isVisible(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return text.length > 0;
}

function kindOf({ name, value }: HeaderField): number {
  const fault = faultOf(name, value);
  return fault === null ? (KINDS.get(name) ?? PLAIN) : FAULTY + FAULTS.indexOf(fault);
}

/** What is wrong with a field by itself (RFC 9113 §8.2); trailers and responses have the same rules. */
export function faultOf(name: string, value: string): RefusalId | null {
  const isPseudo = name.startsWith(":");
  if (isPseudo && !KINDS.has(name)) return "h2-pseudo-unknown";
  if (!isToken(isPseudo ? name.slice(1) : name)) return "h2-field-name";
  if (/[A-Z]/.test(name)) return "h2-field-name-upper-case";
  const inValue = faultInValue(value);
  if (inValue !== null) return inValue;
  if (OF_CONNECTIONS.has(name)) return "h2-connection-field";
  if (name === "te" && value.toLowerCase() !== "trailers") return "h2-te";
  return null;
}

function faultInValue(value: string): RefusalId | null {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (VALUE[code] === 1) continue;
    if (code === 0) return "field-value-nul";
    return code === 10 || code === 13 ? "h2-field-value-line-end" : "field-value-control";
  }
  return /^[ \t]|[ \t]$/.test(value) ? "h2-field-value-whitespace" : null;
}
