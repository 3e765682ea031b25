/**
 * Bytes to text and back, one byte for one character. A field value has no encoding of its own (RFC 9110 §5.5):
 * read as UTF-8, a byte that is no UTF-8 would be replaced and so be lost on the way to the origin.
 *
 * `latin1Slice` is a method of every Buffer that Node's typings leave out; `toString("latin1", …)` does the same
 * after it has looked up the encoding by its name, which costs as much as the copy of a short value.
 */
declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}

export {};
