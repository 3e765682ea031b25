/**
 * What the admin surface and the HTTP server under it say to each other. `admin/` answers plain values
 * and never sees a socket; `net/admin-server.ts` adapts `node:http` to this and adds nothing of its own
 * but `Date` and the connection's fields. GET and HEAD change nothing; the few paths that change something take POST
 * and nothing else.
 */
export interface AdminRequest {
  /** As sent, upper case by the grammar: `GET`. */
  readonly method: string;
  /** The path of the request target as sent, still percent-encoded, without the query: `/api/v1/status`. */
  readonly path: string;
  /** What follows the first `?` as sent, without it; empty when there is none. Repeated names stay visible. */
  readonly query: string;
  /** Lower-case field name to value; fields that came more than once are joined with `, ` (RFC 9110 §5.3). */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of POST, read as UTF-8 and at most `bodyBytesMax` of its path; empty for every other method. */
  readonly body: string;
}

/** What a person tells a gateway is a few sentences; the server refuses more with 413. */
const BODY_BYTES_MAX = 64 * 1024;
/** A configuration has a million characters at most, nearly all of one byte. */
const TEXT_BYTES_MAX = 1_250_000;

export function bodyBytesMax(path: string): number {
  return path === "/api/v1/config" ? TEXT_BYTES_MAX : BODY_BYTES_MAX;
}

/** A body that is not JSON of the API's: sent as it is, as this type. */
export class TextBody {
  readonly type: string;
  readonly text: string;

  constructor(type: string, text: string) {
    this.type = type;
    this.text = text;
  }
}

/** A whole answer. `content-length` is among `headers`, so that HEAD can tell it without a body. */
export interface AdminResponse {
  readonly kind: "response";
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty for HEAD. Sent as UTF-8. */
  readonly body: string;
  /** Sent in place of `body` when it is not text: a compressed file. */
  readonly bytes?: Uint8Array;
}

/** An answer without an end: the server sends the head, then calls `start` once. */
export interface AdminStream {
  readonly kind: "stream";
  readonly status: number;
  /** Lower-case names; no `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * `write` returns false when it did not take the chunk, because what already waits for this client has
   * reached the server's bound; the stream then drops it, counts it and says so later. It is never kept:
   * the only buffer is the server's. `onClose` is called once, before `start` returns, with
   * what must happen when the client has gone or the server closes (at once, if it has already); no `write`
   * comes after that.
   */
  start(write: (chunk: string) => boolean, onClose: (stop: () => void) => void): void;
}

/** A promise only where a disk has to be asked. */
export type AdminAnswer = AdminResponse | AdminStream | Promise<AdminResponse>;

export type AdminHandler = (request: AdminRequest) => AdminAnswer;
