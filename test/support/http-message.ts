/**
 * The smallest reader of HTTP/1.1 responses that tests need: it shares no code with the gateway's codec,
 * so a mistake there cannot hide here. It believes well-formed input only.
 */
export interface Message {
  readonly status: number;
  readonly statusLine: string;
  /** The head as it came, without the empty line. */
  readonly head: string;
  /** Lower-case name → value; several lines of one name are joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Trailer fields of a chunked message. */
  readonly trailers: Readonly<Record<string, string>>;
  /** All bytes of the message on the wire. */
  readonly bytes: number;
}

/**
 * The message at the start of `text`, or null while it is not complete. `atEnd` says that the connection was
 * closed in order, which completes a message without framing (RFC 9112 §6.3, rule 8).
 */
export function readMessage(text: string, method: string, atEnd: boolean): Message | null {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const head = text.slice(0, headEnd);
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = readFields(lines);
  const status = Number(statusLine.split(" ")[1]);
  const bodyAt = headEnd + 4;
  const done = (body: string, bytes: number, trailers: Record<string, string> = {}): Message => ({
    status,
    statusLine,
    head,
    headers,
    body,
    trailers,
    bytes,
  });

  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return done("", bodyAt);
  if (/chunked\s*$/i.test(headers["transfer-encoding"] ?? "")) {
    const chunked = readChunked(text, bodyAt);
    return chunked === null ? null : done(chunked.body, chunked.end, chunked.trailers);
  }
  const length = headers["content-length"];
  if (length !== undefined) {
    const end = bodyAt + Number(length);
    return text.length < end ? null : done(text.slice(bodyAt, end), end);
  }
  return atEnd ? done(text.slice(bodyAt), text.length) : null;
}

export function readFields(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`;
  }
  return fields;
}

function readChunked(
  text: string,
  start: number,
): { body: string; end: number; trailers: Record<string, string> } | null {
  let at = start;
  let body = "";
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const lines: string[] = [];
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === "") return { body, end: at, trailers: readFields(lines) };
    lines.push(line);
  }
}
