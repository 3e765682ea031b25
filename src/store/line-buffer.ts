/**
 * Lines on their way to a file, as bytes in a bounded chain of blocks. Text is encoded straight into the block
 * that is being filled, so a line that waits costs its bytes and no object; blocks are used again, so a busy
 * log makes no garbage.
 *
 * The bound counts blocks, because those are what occupies memory.
 */
const BLOCK_BYTES = 64 * 1024;
/** A UTF-16 code unit becomes at most three bytes of UTF-8. */
const BYTES_PER_UNIT_MAX = 3;
const NEWLINE = 10;

interface Block {
  readonly bytes: Buffer;
  /** Taken by the file up to here, filled up to there. */
  from: number;
  to: number;
}

export interface Piece {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

export class LineBuffer {
  readonly #blockBytes: number;
  readonly #blocksMax: number;
  /** The first is being written, the last is being filled; often the same one. */
  readonly #blocks: Block[] = [];
  #spare: Block | null = null;
  /** True when the last byte that was taken is not the end of a line. */
  #midLine = false;

  constructor(boundBytes: number) {
    this.#blockBytes = Math.min(BLOCK_BYTES, Math.max(boundBytes, 1));
    this.#blocksMax = Math.max(1, Math.floor(boundBytes / this.#blockBytes));
  }

  /** `line` ends with a newline. False when it does not fit any more: nothing of it was kept. */
  append(line: string): boolean {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#blockBytes - last.to >= line.length * BYTES_PER_UNIT_MAX) {
      last.to += last.bytes.write(line, last.to);
      return true;
    }
    return this.#appendAcross(Buffer.from(line));
  }

  /** True when a whole block waits: worth a write without waiting for more. */
  get batchReady(): boolean {
    return this.#blocks.length > 1;
  }

  /** The oldest bytes, as many as lie together; null when there are none. They stay in place until `taken`. */
  first(): Piece | null {
    const first = this.#blocks[0];
    return first === undefined || first.from === first.to ? null : first;
  }

  /** The file took the oldest `bytes` of what `first` gave. */
  taken(bytes: number): void {
    const first = this.#blocks[0];
    if (first === undefined || bytes === 0) return;
    first.from += bytes;
    this.#midLine = first.bytes[first.from - 1] !== NEWLINE;
    if (first.from === first.to) this.#free(first);
  }

  /** Drops the rest of a line of which a part was taken. False when there was no such line. */
  skipRestOfLine(): boolean {
    if (!this.#midLine) return false;
    this.#midLine = false;
    for (let first = this.#blocks[0]; first !== undefined; first = this.#blocks[0]) {
      const end = first.bytes.subarray(0, first.to).indexOf(NEWLINE, first.from);
      first.from = end === -1 ? first.to : end + 1;
      if (first.from === first.to) this.#free(first);
      if (end !== -1) break;
    }
    return true;
  }

  /** Forgets all that waits and tells how many lines that were, one that was partly taken included. */
  discard(): number {
    let lines = 0;
    for (const block of this.#blocks) {
      for (let at = block.from; at < block.to; at += 1) if (block.bytes[at] === NEWLINE) lines += 1;
    }
    this.#blocks.length = 0;
    this.#midLine = false;
    return lines;
  }

  #appendAcross(line: Buffer): boolean {
    const last = this.#blocks.at(-1);
    const room = last === undefined ? 0 : this.#blockBytes - last.to;
    if (line.length > room + (this.#blocksMax - this.#blocks.length) * this.#blockBytes) return false;
    let copied = 0;
    while (copied < line.length) {
      let block = this.#blocks.at(-1);
      if (block === undefined || block.to === this.#blockBytes) block = this.#add();
      const step = line.copy(block.bytes, block.to, copied);
      block.to += step;
      copied += step;
    }
    return true;
  }

  #add(): Block {
    const block = this.#spare ?? { bytes: Buffer.allocUnsafeSlow(this.#blockBytes), from: 0, to: 0 };
    this.#spare = null;
    this.#blocks.push(block);
    return block;
  }

  #free(first: Block): void {
    first.from = 0;
    first.to = 0;
    // The only block stays where it is, to be filled again.
    if (this.#blocks.length === 1) return;
    this.#blocks.shift();
    this.#spare = first;
  }
}
