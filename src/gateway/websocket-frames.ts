/**
 * Where frames of a WebSocket end (RFC 6455 §5.2), for one direction of a tunnel: so that a gateway that ends can say so
 * between two of them. Nothing of what they carry is looked at, and nothing is checked: what is no frame is passed on
 * like all else, and is none of the gateway's business.
 *
 * Most reads lie inside one frame or hold a few whole ones, so this is a few comparisons for each head.
 */
const CLOSE = 0x8;
const MASK_BYTES = 4;
const GOING_AWAY = 1001;

export class FrameBounds {
  /** Bytes of the frame's content that are still to come. */
  #left = 0;
  /** Of its head: bytes seen, how many there are, and what they say of the content's length. */
  #seen = 0;
  #headBytes = 2;
  #lengthEnds = 2;
  #length = 0;
  /** A Close frame has begun: nothing may follow it. */
  closing = false;

  get between(): boolean {
    return this.#left === 0 && this.#seen === 0;
  }

  /** What is in `[start, end)` goes by. */
  follow(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end;) at = this.#step(bytes, at, end);
  }

  /** The same, up to where a frame ends: the first offset between two of them, or -1 when there is none. */
  boundary(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (!this.between) {
      if (at >= end) return -1;
      at = this.#step(bytes, at, end);
    }
    return at;
  }

  #step(bytes: Buffer, at: number, end: number): number {
    if (this.#left > 0) {
      const passed = Math.min(this.#left, end - at);
      this.#left -= passed;
      return at + passed;
    }
    this.#head(bytes[at] ?? 0);
    return at + 1;
  }

  #head(byte: number): void {
    const index = this.#seen;
    this.#seen += 1;
    if (index === 0) {
      if ((byte & 0x0f) === CLOSE) this.closing = true;
      this.#headBytes = 2;
    } else if (index === 1) {
      const short = byte & 0x7f;
      this.#lengthEnds = short === 126 ? 4 : short === 127 ? 10 : 2;
      this.#headBytes = this.#lengthEnds + ((byte & 0x80) === 0 ? 0 : MASK_BYTES);
      this.#length = this.#lengthEnds === 2 ? short : 0;
    } else if (index < this.#lengthEnds) this.#length = this.#length * 256 + byte;
    if (this.#seen < this.#headBytes) return;
    this.#left = this.#length;
    this.#seen = 0;
  }
}

/** 1001, "going away" (§7.4.1), as a server says it. */
export function closeForClient(): Buffer {
  return Buffer.from([0x80 | CLOSE, 2, GOING_AWAY >> 8, GOING_AWAY & 0xff]);
}

/** And as a client says it, who has to mask (§5.3). `roll`: [0, 1). */
export function closeForOrigin(roll: number): Buffer {
  const frame = Buffer.alloc(8);
  frame[0] = 0x80 | CLOSE;
  frame[1] = 0x80 | 2;
  frame.writeUInt32BE(Math.floor(roll * 2 ** 32), 2);
  frame[6] = (frame[2] ?? 0) ^ (GOING_AWAY >> 8);
  frame[7] = (frame[3] ?? 0) ^ (GOING_AWAY & 0xff);
  return frame;
}
