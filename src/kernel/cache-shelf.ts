/**
 * The port to where stored responses outlive this process: a disk (store/cache-disk.ts), or nothing. What is on it is
 * a copy that may be lost at any moment without harm; what is not whole any more is never given back.
 */
export interface CacheShelf {
  /** Tells of everything that was there at the start, a few at a time, without keeping anything waiting. */
  load(found: (id: number, facts: string, bodyBytes: number) => void): void;
  /** Hears of what had to make room. */
  onEvicted: (id: number) => void;
  /** Written when there is time. Returns its id; 0: too much waits to be written, so it is not. */
  put(facts: string, pieces: readonly Buffer[]): number;
  /** `done` is called once, not from inside this call; null: it is not there any more, or damaged. */
  get(id: number, done: (body: Buffer | null) => void): void;
  drop(id: number): void;
  view(): ShelfView;
}

export interface ShelfView {
  readonly bytes: number;
  readonly bytesMax: number;
  readonly entries: number;
  /** Found damaged and dropped, since the start. */
  readonly damaged: number;
  /** Not written because too much waited, or because the disk failed. */
  readonly skipped: number;
}
