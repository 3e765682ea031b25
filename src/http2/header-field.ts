/**
 * One field of an HTTP/2 header list, as HPACK gives it. A field in a table is the same object each time it comes, so
 * whatever a reader concludes from it (`kind`) is concluded once for a connection and not once for a request.
 */
export class HeaderField {
  /** Each byte is one character (latin1), so nothing is lost or invented. */
  readonly name: string;
  readonly value: string;
  /** What it is as a field of a request (request-head.ts); -1: it has not been looked at. */
  kind = -1;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
  }

  /** As tables and `SETTINGS_MAX_HEADER_LIST_SIZE` count (RFC 7541 §4.1, RFC 9113 §6.5.2). */
  get size(): number {
    return this.name.length + this.value.length + 32;
  }
}
