/**
 * Lines on their way to a file, as bytes in a bounded chain of blocks. A line is copied into the block that is being
 * filled, so one that waits costs its bytes and no object; blocks are used again, so a busy log makes no garbage.
 *
 * A line never crosses blocks: what waits can be cut between any two of them, and a line of which a file took a
 * part is still here from its beginning. That costs the end of a block now and then; a line larger than a block
 * gets one of its own.
 *
 * The bound counts whole blocks, the spare ones too, because those are what occupies memory.
 */
const BLOCK_BYTES = 64 * 1024;
/** Kept for use again: about what a busy gateway fills during one write. After a burst the rest goes back. */
const SPARE_BLOCKS_MAX = 8;
const NEWLINE = 10;

interface Block {
  readonly bytes: Buffer;
  /** Taken by the file up to here, filled up to there. */
  from: number;
  to: number;
}

export class LineBuffer {
  readonly #boundBytes: number;
  readonly #blockBytes: number;
  /** In order; the last is being filled. None is empty. */
  readonly #blocks: Block[] = [];
  readonly #spare: Block[] = [];
  /** What `#blocks` occupy. */
  #bytes = 0;

  constructor(boundBytes: number) {
    this.#boundBytes = Math.max(boundBytes, 1);
    this.#blockBytes = Math.min(BLOCK_BYTES, this.#boundBytes);
  }

  /** The first `length` of `line`, which end with its only newline. False when it does not fit any more: nothing of it was kept. */
  append(line: Buffer, length: number): boolean {
    const block = this.#blockFor(length);
    if (block === null) return false;
    line.copy(block.bytes, block.to, 0, length);
    block.to += length;
    return true;
  }

  get empty(): boolean {
    return this.#blocks.length === 0;
  }

  /** True when a whole block waits: worth a write without waiting for more. */
  get batchReady(): boolean {
    return this.#blocks.length > 1;
  }

  /** True when the file took the beginning of a line and not its end. */
  get midLine(): boolean {
    const first = this.#blocks[0];
    return first !== undefined && first.from > 0 && first.bytes[first.from - 1] !== NEWLINE;
  }

  /** All that waits, oldest first, in pieces of whole lines but for the first's beginning. They stay in place until `taken`. */
  waiting(): Buffer[] {
    return this.#blocks.map((block) => block.bytes.subarray(block.from, block.to));
  }

  /** The oldest line, or what is left of it; nothing when none waits. It stays in place until `taken`. */
  oldestLine(): Buffer[] {
    const first = this.#blocks[0];
    if (first === undefined) return [];
    return [first.bytes.subarray(first.from, first.bytes.indexOf(NEWLINE, first.from) + 1)];
  }

  /** The file took the oldest `bytes` of those that wait. */
  taken(bytes: number): void {
    let left = bytes;
    for (let first = this.#blocks[0]; first !== undefined && left > 0; first = this.#blocks[0]) {
      const step = Math.min(left, first.to - first.from);
      first.from += step;
      left -= step;
      if (first.from === first.to) this.#freeFirst(first);
    }
  }

  /** The line of which a part was taken waits whole again. */
  restoreLine(): void {
    const first = this.#blocks[0];
    if (first !== undefined && this.midLine) first.from = first.bytes.lastIndexOf(NEWLINE, first.from - 1) + 1;
  }

  /** Forgets all that waits and tells how many lines that were, one that was partly taken included. */
  discard(): number {
    let lines = 0;
    for (const block of this.#blocks) {
      for (let at = block.from; at < block.to; at += 1) if (block.bytes[at] === NEWLINE) lines += 1;
    }
    this.#blocks.length = 0;
    this.#bytes = 0;
    return lines;
  }

  /** The block with room for a line of `bytes`, or null when there is none and the bound allows no other. */
  #blockFor(bytes: number): Block | null {
    const last = this.#blocks[this.#blocks.length - 1];
    if (last !== undefined && this.#blockBytes - last.to >= bytes) return last;
    const size = Math.max(bytes, this.#blockBytes);
    if (this.#bytes + size > this.#boundBytes) return null;
    // For a large line the spare blocks are too small, and beside its own they might be more than the bound.
    if (size > this.#blockBytes) this.#spare.length = 0;
    const block = this.#spare.pop() ?? { bytes: Buffer.allocUnsafeSlow(size), from: 0, to: 0 };
    this.#blocks.push(block);
    this.#bytes += size;
    return block;
  }

  #freeFirst(first: Block): void {
    this.#blocks.shift();
    this.#bytes -= first.bytes.length;
    if (first.bytes.length > this.#blockBytes || this.#spare.length === SPARE_BLOCKS_MAX) return;
    first.from = 0;
    first.to = 0;
    this.#spare.push(first);
  }
}
