/** A stored response as it is written to the shelf, and read back: its key and its facts as one line of JSON. */
import type { EntryFacts } from "./entry.ts";

export interface Shelved {
  readonly service: string;
  readonly route: string;
  readonly host: string;
  readonly target: string;
  /** Epoch ms: the only clock that goes on while nobody runs. */
  readonly receivedWall: number;
  readonly facts: EntryFacts;
}

export function toShelf(shelved: Shelved): string {
  return JSON.stringify(shelved);
}

/** Null: not by this version. A digest vouches for the text, so that only its form has to be looked at. */
export function fromShelf(text: string): Shelved | null {
  try {
    const read = JSON.parse(text) as Shelved & { facts: { modifiedAt: number | null } };
    if (typeof read.facts.fields !== "string" || typeof read.receivedWall !== "number") return null;
    // JSON has no word for NaN.
    return { ...read, facts: { ...read.facts, modifiedAt: read.facts.modifiedAt ?? Number.NaN } };
  } catch {
    return null;
  }
}
