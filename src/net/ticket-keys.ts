/**
 * What the sessions of clients are sealed with (RFC 5077 §4): keys that follow from a secret and the time, so that all
 * workers of a node have the same without telling each other, and a session goes on wherever its client comes back to.
 * They change every twelve hours; what was sealed with the one before is still opened, and sealed anew.
 *
 * The secret is made at the start of the gateway and is only ever in memory. In TLS 1.3 it opens nothing by itself: every
 * session agrees on a fresh key besides.
 */
import { createHmac, randomBytes } from "node:crypto";

const LIFE_MS = 12 * 60 * 60 * 1000;
const PART_BYTES = 16;
/** Chance for so many bytes at once: two tickets for each handshake, and each call costs more than they do. */
const CHANCE_BYTES = 256 * PART_BYTES;

interface TicketKey {
  readonly name: Buffer;
  readonly hmac: Buffer;
  readonly aes: Buffer;
}

/** What OpenSSL asks for, in the form in which Node hands it on: 0: unknown, 1: take it, 2: take it and seal it anew. */
export type TicketAnswer = readonly [verdict: 0 | 1 | 2, hmac: Buffer, aes: Buffer, name?: Buffer, iv?: Buffer];

export class TicketKeys {
  readonly #secret: string;
  readonly #wall: () => number;
  #epoch = -1;
  #current: TicketKey;
  #before: TicketKey;
  #chance = Buffer.alloc(0);
  #chanceUsed = 0;

  /** `wall`: epoch ms. */
  constructor(secret: string, wall: () => number) {
    this.#secret = secret;
    this.#wall = wall;
    this.#current = keyOf(secret, 0);
    this.#before = this.#current;
  }

  answer(name: Buffer, isSealing: boolean): TicketAnswer {
    this.#turn();
    const { hmac, aes } = this.#current;
    if (isSealing) return [1, hmac, aes, this.#current.name, this.#vector()];
    if (name.equals(this.#current.name)) return [1, hmac, aes];
    return name.equals(this.#before.name) ? [2, this.#before.hmac, this.#before.aes] : [0, hmac, aes];
  }

  /** No two tickets have the same. */
  #vector(): Buffer {
    if (this.#chanceUsed === this.#chance.length) {
      this.#chance = randomBytes(CHANCE_BYTES);
      this.#chanceUsed = 0;
    }
    const from = this.#chanceUsed;
    this.#chanceUsed += PART_BYTES;
    return this.#chance.subarray(from, this.#chanceUsed);
  }

  #turn(): void {
    const epoch = Math.floor(this.#wall() / LIFE_MS);
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#current = keyOf(this.#secret, epoch);
    this.#before = keyOf(this.#secret, epoch - 1);
  }
}

function keyOf(secret: string, epoch: number): TicketKey {
  const part = (what: string): Buffer =>
    createHmac("sha256", secret).update(`goodgate tls tickets ${what} ${epoch}`).digest().subarray(0, PART_BYTES);
  return { name: part("name"), hmac: part("hmac"), aes: part("aes") };
}
