/**
 * How often the ladder may be climbed: an origin in trouble must not get more of it from here. Plain counting, by a clock
 * that is handed in; climbs of the engine and of people share the bounds of the whole.
 */
export const CLIMBS_AT_ONCE_MAX = 2;
export const CLIMBS_PER_MINUTE_MAX = 12;
/** Between two climbs at one origin: when the engine wishes, and when a person does. */
export const AGAIN_MS = 60_000;
export const AGAIN_BY_PERSON_MS = 10_000;
const MINUTE_MS = 60_000;

export class ClimbBounds {
  /** Begins by origin, monotonic ms; the oldest first. */
  readonly #begun = new Map<string, number>();
  #lately: number[] = [];
  #underWay = 0;

  /** Null: it may begin and counts as begun, until `end` is called. Otherwise why not. */
  begin(key: string, now: number, byPerson: boolean): string | null {
    const again = byPerson ? AGAIN_BY_PERSON_MS : AGAIN_MS;
    const before = this.#begun.get(key);
    if (before !== undefined && now - before < again) {
      return `the ladder was climbed there ${Math.round((now - before) / 1000)} s ago; wait ${Math.ceil((again - now + before) / 1000)} s`;
    }
    if (this.#underWay >= CLIMBS_AT_ONCE_MAX)
      return `${CLIMBS_AT_ONCE_MAX} climbs are under way; ask again in a moment`;
    this.#lately = this.#lately.filter((at) => now - at < MINUTE_MS);
    if (this.#lately.length >= CLIMBS_PER_MINUTE_MAX) {
      return `${CLIMBS_PER_MINUTE_MAX} climbs within a minute are the most there may be`;
    }
    this.#underWay += 1;
    this.#lately.push(now);
    // What is older than that bounds nothing any more.
    for (const [one, at] of this.#begun) if (now - at >= AGAIN_MS) this.#begun.delete(one);
    this.#begun.set(key, now);
    return null;
  }

  end(): void {
    this.#underWay -= 1;
  }
}
