/** How an origin of the fault bench behaves, and what it counts. Messages between the bench and its processes. */

/** Shares are 0–1, per request. All absent: it answers at once and rightly. */
export interface Behaviour {
  /** Sent RST after the request has been read. */
  readonly reset?: number;
  /** Answered with 500 at once. */
  readonly error?: number;
  /** Answered `slowMs` later. */
  readonly slow?: number;
  readonly slowMs?: number;
  /** Bodies of /file cut by RST somewhere inside. */
  readonly cut?: number;
  /** How long a request takes while there is room, and how many are served a second; the rest waits in line, all of it. */
  readonly serviceMs?: number;
  readonly perSecond?: number;
  /** Idle connections are closed after this long, without having announced it. */
  readonly idleMs?: number;
}

export interface OriginCounts {
  readonly requests: number;
  /** Payments that were executed more than once, here. Across origins the bench compares the ids itself. */
  readonly payments: readonly string[];
}

export type ToOrigin =
  | { readonly kind: "behave"; readonly behaviour: Behaviour }
  | { readonly kind: "count" }
  | { readonly kind: "leave" };
export type FromOrigin = { readonly kind: "ready" } | ({ readonly kind: "counts" } & OriginCounts);

/** The file that /file serves: the same everywhere, and no part of it like another. */
export function fileBytes(): Buffer {
  const bytes = Buffer.alloc(FILE_BYTES);
  // xorshift32: any seed but 0 will do, as long as it is the same in every process.
  let state = 0x9e3779b9;
  for (let at = 0; at < FILE_BYTES; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, at);
  }
  return bytes;
}

const FILE_BYTES = 262_144;
export const FILE_TAG = '"file-1"';
