/**
 * One stored response: its head as bytes, its body, and the few numbers that decide about it. Everything that can be
 * worked out when it is stored has been, so that a hit reads no field.
 */
import type { Freshness } from "../../policies/freshness.ts";
import type { Selecting } from "./selecting.ts";
import type { StoredBody } from "./stored-body.ts";
import type { Slot } from "./store.ts";

/** What is kept of it besides the body; plain data, also on disk. */
export interface EntryFacts {
  readonly status: number;
  readonly reason: string;
  /** Complete field lines, latin1, without those of the connection and those that every answer gets anew (Age, X-Request-Id). */
  readonly fields: string;
  readonly freshness: Freshness;
  /** Age when it came, ms (RFC 9111 §4.2.3). */
  readonly ageMs: number;
  /** Nothing but a validator spoke for storing it: not for requests with cookies or credentials. */
  readonly anonymousOnly: boolean;
  readonly selecting: Selecting;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Epoch ms of Last-Modified; without one, of Date (RFC 9110 §13.1.3). NaN: neither can be read. */
  readonly modifiedAt: number;
  readonly contentLanguage: string | null;
  readonly tags: readonly string[];
}

/** What an entry costs besides its texts and its body: objects, places in tables. */
const OVERHEAD_BYTES = 1024;

export class Entry {
  readonly slot: Slot;
  facts: EntryFacts;
  /** Null: it lies on disk and not here. */
  body: StoredBody | null;
  /** Monotonic ms; with `facts.ageMs` it gives the age. */
  receivedAt: number;
  /** Epoch ms, the same moment: what survives a restart. */
  receivedWall: number;
  /** Of the whole body. */
  bodyBytes = 0;
  /** Its place on disk; 0: none. */
  shelfId = 0;
  stored = false;
  /** For the order in which entries make room: it was used since it was looked at last. */
  used = false;
  previous: Entry | null = null;
  next: Entry | null = null;
  /** Memory it is counted with. */
  countedBytes = 0;

  constructor(slot: Slot, facts: EntryFacts, body: StoredBody | null, receivedAt: number, receivedWall: number) {
    this.slot = slot;
    this.facts = facts;
    this.body = body;
    this.receivedAt = receivedAt;
    this.receivedWall = receivedWall;
  }

  ageMs(now: number): number {
    return Math.max(0, now - this.receivedAt) + this.facts.ageMs;
  }

  /** What is left of its freshness, whole seconds; negative: it is stale since. */
  ttlSeconds(now: number): number {
    return Math.floor((this.facts.freshness.lifetimeMs - this.ageMs(now)) / 1000);
  }

  get costBytes(): number {
    const { fields, selecting, tags } = this.facts;
    let texts = fields.length + this.slot.target.length;
    for (const value of selecting.values) texts += value?.length ?? 0;
    for (const tag of tags) texts += 64 + tag.length;
    return OVERHEAD_BYTES + texts + (this.body?.heldBytes ?? 0);
  }
}
