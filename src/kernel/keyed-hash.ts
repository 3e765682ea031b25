/**
 * A short name for a text that only this process knows: HalfSipHash-2-4 (Aumasson and Bernstein), a keyed function
 * made for tables whose keys strangers choose. Without the key nobody can make two texts meet, so nobody can push
 * somebody else out of a table or hide behind him. It is not for signatures: 53 bits are too few for that.
 */
export interface HashKey {
  /** Two 32-bit words of chance. */
  readonly k0: number;
  readonly k1: number;
}

const HIGH = 2 ** 32;

/** From 1 to 2^53 - 1; 0 is left for "nobody". Characters beyond 255 count by their low byte. */
export function keyedHash(key: HashKey, text: string): number {
  const { length } = text;
  let v0 = key.k0 | 0;
  let v1 = key.k1 ^ 0xee;
  let v2 = key.k0 ^ 0x6c796765;
  let v3 = key.k1 ^ 0x74656462;
  let low = 0;
  // One block of four bytes each, then the rest with the length, then the two halves of the result.
  const blocks = length >> 2;
  for (let block = 0; block <= blocks + 2; block += 1) {
    let word = 0;
    let rounds = 2;
    if (block <= blocks) {
      const at = block * 4;
      const end = Math.min(at + 4, length);
      for (let i = at; i < end; i += 1) word |= (text.charCodeAt(i) & 255) << ((i - at) * 8);
      if (block === blocks) word |= length << 24;
      v3 ^= word;
    } else {
      rounds = 4;
      if (block === blocks + 1) v2 ^= 0xee;
      else {
        low = v1 ^ v3;
        v1 ^= 0xdd;
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  const high = (v1 ^ v3) & 0x1fffff;
  const value = high * HIGH + (low >>> 0);
  return value === 0 ? 1 : value;
}
