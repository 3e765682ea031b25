/**
 * A header block that comes in several frames (RFC 9113 §6.10). Nothing else may stand between them, so there is at most
 * one on a connection, and both its bytes and its frames have a bound: a flood of CONTINUATION costs no more than what a
 * head may have (CVE-2024-27316).
 */
/** Frames of one header block: a browser's fits into one. */
const FRAMES_MAX = 16;

export class HeaderPieces {
  /** The stream that it is of, and the flags of its HEADERS. */
  stream = 0;
  flags = 0;
  #pieces: Buffer[] | null = null;
  #bytes = 0;

  /** CONTINUATION is due. */
  get isOpen(): boolean {
    return this.#pieces !== null;
  }

  begin(stream: number, flags: number, bytes: Buffer, start: number, end: number): void {
    this.stream = stream;
    this.flags = flags;
    this.#pieces = [Buffer.from(bytes.subarray(start, end))];
    this.#bytes = end - start;
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.#pieces?.push(Buffer.from(bytes.subarray(start, end)));
    this.#bytes += end - start;
  }

  /** What is larger than a head may be, compressed, is never going to be one. Empty: it can still be. */
  excess(headBytes: number): string {
    const frames = this.#pieces?.length ?? 0;
    if (this.#bytes <= headBytes && frames <= FRAMES_MAX) return "";
    return `a header block of ${this.#bytes} bytes in ${frames} frames has not come to its end (heads.head)`;
  }

  /** It is whole. */
  take(): Buffer {
    const whole = Buffer.concat(this.#pieces ?? []);
    this.#pieces = null;
    return whole;
  }
}
