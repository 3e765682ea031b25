/**
 * The Huffman code of HPACK (RFC 7541 §5.2, Appendix B), for reading. The code is canonical: symbols of one length have
 * consecutive codes, in their own order. So the lengths say all, and the codes are made from them.
 *
 * Decoding takes four bits at a time: one look into a table instead of four steps down a tree. No code is shorter than
 * five bits, so a look ends at most one symbol.
 *
 * Nothing is written in this code. What we send again and again is in the peer's table after the second time, and the
 * rest (ids, lengths) it would shorten by a fifth for more work than all other encoding takes.
 */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

/** The symbol that no text contains: a decoder that meets it has met a fault. */
const END = 256;
const NODES = 256;
/** Per node and four bits: the next node, the symbol that ended above it, and these two flags. */
const EMITS = 1 << 16;
const FAILS = 1 << 17;
const STEPS = new Int32Array(NODES * 16);
/** Text may end at this node: what is left over is fewer than eight bits, all of them 1 (§5.2). */
const ENDS = new Uint8Array(NODES);

fillTables();

/** Longest text that `length` bytes of code can hold. */
export function decodedMax(length: number): number {
  return Math.floor((length * 8) / 5);
}

/** Writes the text of `[start, end)` to `out` and returns its length; -1: that is no such code. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let node = 0;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    let step = STEPS[node * 16 + (byte >> 4)] ?? FAILS;
    if ((step & EMITS) !== 0) {
      out[length] = (step >> 8) & 0xff;
      length += 1;
    }
    if ((step & FAILS) !== 0) return -1;
    step = STEPS[(step & 0xff) * 16 + (byte & 15)] ?? FAILS;
    if ((step & EMITS) !== 0) {
      out[length] = (step >> 8) & 0xff;
      length += 1;
    }
    if ((step & FAILS) !== 0) return -1;
    node = step & 0xff;
  }
  return ENDS[node] === 1 ? length : -1;
}

interface Node {
  readonly number: number;
  readonly branches: (Node | number | null)[];
}

function fillTables(): void {
  const nodes: Node[] = [];
  const newNode = (): Node => {
    const node: Node = { number: nodes.length, branches: [null, null] };
    nodes.push(node);
    return node;
  };
  const root = newNode();
  let code = 0;
  for (let length = 1; length <= 30; length += 1, code *= 2) {
    for (const [symbol, its] of LENGTHS.entries()) {
      if (its !== length) continue;
      grow(root, { symbol, code, length }, newNode);
      code += 1;
    }
  }
  for (const node of nodes)
    for (let bits = 0; bits < 16; bits += 1) STEPS[node.number * 16 + bits] = stepFrom(root, node, bits);
  let node: Node | number | null | undefined = root;
  for (let depth = 0; depth < 8 && typeof node === "object" && node !== null; depth += 1) {
    ENDS[node.number] = 1;
    node = node.branches[1];
  }
}

function grow(
  root: Node,
  leaf: { readonly symbol: number; readonly code: number; readonly length: number },
  newNode: () => Node,
): void {
  let node = root;
  for (let bit = leaf.length - 1; bit > 0; bit -= 1) {
    const side = (leaf.code >> bit) & 1;
    let next = node.branches[side];
    if (typeof next !== "object" || next === null) {
      next = newNode();
      node.branches[side] = next;
    }
    node = next;
  }
  node.branches[leaf.code & 1] = leaf.symbol;
}

function stepFrom(root: Node, from: Node, bits: number): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit -= 1) {
    const next = node.branches[(bits >> bit) & 1];
    if (typeof next === "number") {
      if (next === END) return FAILS;
      emitted = EMITS | (next << 8);
      node = root;
    } else if (typeof next === "object" && next !== null) node = next;
    else return FAILS;
  }
  return emitted | node.number;
}
