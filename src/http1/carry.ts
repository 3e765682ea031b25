/**
 * The bytes of a head or trailer section that came in pieces, put together so that offsets stay valid. It exists
 * only from the first cut to the end of the section, so a connection that sends whole heads never owns one.
 */
const FIRST_SIZE = 1024;

export class Carry {
  bytes: Buffer;
  length = 0;
  readonly #max: number;

  /** Holds at most `max` bytes. */
  constructor(max: number) {
    this.#max = max;
    this.bytes = Buffer.allocUnsafeSlow(Math.min(FIRST_SIZE, max));
  }

  /** Takes as much of `[start, end)` as there is room for and returns how much that is. */
  append(source: Buffer, start: number, end: number): number {
    const taken = Math.min(end - start, this.#max - this.length);
    const needed = this.length + taken;
    if (needed > this.bytes.length) {
      // Doubling keeps the copying linear however small the pieces are.
      const wider = Buffer.allocUnsafeSlow(Math.min(this.#max, Math.max(needed, this.bytes.length * 2)));
      this.bytes.copy(wider, 0, 0, this.length);
      this.bytes = wider;
    }
    source.copy(this.bytes, this.length, start, start + taken);
    this.length = needed;
    return taken;
  }
}
