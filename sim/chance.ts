/**
 * Chance from a seed. Every part of a simulated world draws from a stream of its own, named for the part: a draw
 * more at an origin then leaves the network's draws as they were, and a run stays the same run while it is being
 * looked into.
 *
 * The generator is Chris Doty-Humphrey's `sfc32`: 128 bits of state, a dozen operations, no known weakness that
 * matters to choices like these.
 */
import type { Chance } from "../src/kernel/clock.ts";

export class SeededChance {
  /** In [0, 1). A function of its own, so that it can be handed on as a `Chance`. */
  readonly next: Chance;
  readonly #seed: number;
  readonly #name: string;

  constructor(seed: number, name = "world") {
    this.#seed = seed;
    this.#name = name;
    this.next = generator(seed, name);
  }

  /** A stream that is independent of this one and of all with other names. */
  fork(name: string): SeededChance {
    return new SeededChance(this.#seed, `${this.#name}/${name}`);
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  /** Both ends included. */
  integer(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  /** Small values as often as large ones: 10 to 100 as likely as 1000 to 10000. Both ends above 0. */
  spread(least: number, most: number): number {
    return Math.exp(this.between(Math.log(least), Math.log(most)));
  }

  happens(ratio: number): boolean {
    return this.next() < ratio;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[Math.floor(this.next() * values.length)];
    if (value === undefined) throw new Error("nothing to pick from");
    return value;
  }

  /** 32 hex digits. */
  id(): string {
    let text = "";
    for (let part = 0; part < 4; part += 1) {
      text += Math.floor(this.next() * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    }
    return text;
  }
}

function generator(seed: number, name: string): Chance {
  // FNV-1a over the name, so that each name begins elsewhere.
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  let a = seed >>> 0;
  let b = hash >>> 0;
  let c = Math.floor(seed / 2 ** 32) >>> 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  };
  // Neighbouring seeds look alike until they have been stirred.
  for (let round = 0; round < 16; round += 1) next();
  return () => next() / 2 ** 32;
}
