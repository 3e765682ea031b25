/**
 * When something last happened to a key, for more keys than there is memory for: a table of fixed size. Each place
 * knows whose moment it holds; one that two keys have come to lately counts for both, so that a moment is never
 * missed and hardly ever believed of the wrong key. Only for facts that do no harm then, such as "do not store".
 */
const PLACES = 4096;
/** A moment older than this may be forgotten for a newer one. */
const REMEMBERED_MS = 60_000;
const SHARED = 0;

export class Moments {
  readonly #at = new Float64Array(PLACES).fill(-Infinity);
  readonly #whose = new Int32Array(PLACES);

  note(host: string, target: string, now: number): void {
    const hash = hashOf(host, target);
    const place = placeOf(hash);
    const isOthers = this.#whose[place] !== hash && now - (this.#at[place] ?? -Infinity) < REMEMBERED_MS;
    this.#whose[place] = isOthers ? SHARED : hash;
    this.#at[place] = now;
  }

  /** Monotonic ms; -Infinity: never, or too long ago. */
  last(host: string, target: string): number {
    const hash = hashOf(host, target);
    const place = placeOf(hash);
    const whose = this.#whose[place];
    return whose === hash || whose === SHARED ? (this.#at[place] ?? -Infinity) : -Infinity;
  }
}

/** FNV-1a over both; never 0. */
function hashOf(host: string, target: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < host.length; index += 1) hash = Math.imul(hash ^ host.charCodeAt(index), 0x01000193);
  for (let index = 0; index < target.length; index += 1) hash = Math.imul(hash ^ target.charCodeAt(index), 0x01000193);
  return hash === SHARED ? 1 : hash;
}

function placeOf(hash: number): number {
  return (hash ^ (hash >>> 16)) & (PLACES - 1);
}
