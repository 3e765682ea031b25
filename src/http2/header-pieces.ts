/**
 * A header block that comes in several frames (RFC 9113 §6.10). Nothing else may stand between them, so there is at most
 * one on a connection. Whoever reads it bounds its bytes and its frames, because neither ends by itself: a flood of
 * CONTINUATION must cost no more than a head may (CVE-2024-27316).
 */
export class HeaderPieces {
  /** The stream that it is of, and the flags of its HEADERS. */
  stream = 0;
  flags = 0;
  /** What has come of it. */
  bytes = 0;
  readonly #pieces: Buffer[] = [];

  get frames(): number {
    return this.#pieces.length;
  }

  /** CONTINUATION is due. */
  get isOpen(): boolean {
    return this.#pieces.length > 0;
  }

  begin(stream: number, flags: number, bytes: Buffer, start: number, end: number): void {
    this.stream = stream;
    this.flags = flags;
    this.bytes = 0;
    this.add(bytes, start, end);
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.bytes += end - start;
  }

  /** It is whole. */
  take(): Buffer {
    const whole = Buffer.concat(this.#pieces);
    this.#pieces.length = 0;
    return whole;
  }
}
