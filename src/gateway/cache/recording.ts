/**
 * Recording: a response on its way to a client is kept as it passes. It is stored when its last byte has passed, and
 * not before: a part of one never gets into the store. Whoever waits for the same response reads along.
 */
import type { MessageHead } from "../../http1/head.ts";
import type { ResponseTap } from "../client-response.ts";
import type { Entry } from "./entry.ts";
import type { Breakage } from "./stored-body.ts";
import { StoredBody } from "./stored-body.ts";
import type { Store } from "./store.ts";

/** Who wants to know what became of it. */
export interface RecordingOwner {
  /** It is complete, and may be stored if nothing has happened meanwhile that forbids it. */
  readonly mayStore: boolean;
  onComplete(entry: Entry, stored: boolean): void;
  /** It is too large, or there is no memory: it will not be stored, and nobody else may begin to read it. */
  onGivenUp(): void;
  /** Why the response was cut, if it was. */
  readonly breakage: Breakage;
}

export class Recording implements ResponseTap {
  readonly entry: Entry;
  readonly body: StoredBody;
  readonly #store: Store;
  readonly #objectMax: number;
  readonly #owner: RecordingOwner;
  /** Memory counted for what is not stored yet. */
  #reserved = 0;
  #unread = false;

  /** `length`: Content-Length; -1: none. */
  constructor(store: Store, objectMax: number, entry: Entry, length: number, owner: RecordingOwner) {
    this.#store = store;
    this.#objectMax = objectMax;
    this.#owner = owner;
    this.entry = entry;
    this.body = new StoredBody(length);
    entry.body = this.body;
  }

  onHead(_head: MessageHead): void {
    // What is kept of it was read before it was changed for the client.
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    const { body } = this;
    if (body.state !== "open") return;
    if (!body.isWindow && !this.#makeRoom(end - start)) this.#giveUp();
    if (body.state !== "open") return;
    body.append(bytes, start, end);
    this.#unread = true;
  }

  onEnd(): void {
    const { body, entry } = this;
    if (body.state !== "open") return;
    body.complete();
    this.#unread = true;
    this.#release();
    entry.bodyBytes = body.length;
    const stored = !body.isWindow && this.#owner.mayStore && this.#store.insert(entry);
    if (!stored) this.#store.tidy(entry.slot);
    this.#owner.onComplete(entry, stored);
  }

  onCut(): void {
    const { body } = this;
    if (body.state !== "open") return;
    body.break(this.#owner.breakage);
    this.#release();
    this.#store.tidy(this.entry.slot);
    body.wake();
  }

  /** Those who read along get what has come. */
  turnEnd(): void {
    if (!this.#unread) return;
    this.#unread = false;
    this.body.wake();
  }

  #makeRoom(count: number): boolean {
    const { body } = this;
    if (body.length + count > this.#objectMax) return false;
    const cost = body.costOf(count);
    if (cost === 0) return true;
    if (!this.#store.reserve(cost)) return false;
    this.#reserved += cost;
    return true;
  }

  #giveUp(): void {
    const { body } = this;
    this.#release();
    this.#owner.onGivenUp();
    this.#store.tidy(this.entry.slot);
    if (body.readers > 0) body.becomeWindow();
    else body.break(this.#owner.breakage);
  }

  #release(): void {
    this.#store.release(this.#reserved);
    this.#reserved = 0;
  }
}
