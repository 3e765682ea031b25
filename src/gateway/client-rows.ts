/**
 * The client networks of a second and how busy they were. Failures are counted one by one; of what was served a
 * sample is taken, so that it costs the same at any rate: each exchange of it stands for those since the one before.
 */
import type { ClientRow } from "../contract/facts.ts";
import { CLIENT_ROWS_MAX } from "../contract/facts.ts";
import { networkOf } from "./client-key.ts";

/** Looked at; the busiest of them are told. */
const NETWORKS_MAX = 4 * CLIENT_ROWS_MAX;
const SAMPLES_PER_SECOND = 500;
const BITS = { ipv4: 24, ipv6: 48 } as const;
/** Longer than any network; proxies may name their clients as they like. */
const NAME_KEPT = 64;

export class ClientRows {
  #rows = new Map<string, { network: string; exchanges: number; failed: number }>();
  /** Served exchanges from one sample to the next, on average; and to the next one. */
  #mean = 1;
  #stride = 1;
  #sequence = 1;
  #served = 0;
  #address = "";
  #network = "";

  /** The network is told again and again for the same client. */
  networkOf(address: string): string {
    if (address === this.#address) return this.#network;
    this.#address = address;
    this.#network = quickNetworkOf(address);
    return this.#network;
  }

  /** A served exchange. Returns how many further ones are passed over before the next sample. */
  sample(address: string): number {
    this.#count(this.networkOf(address), this.#stride, 0);
    this.#served += this.#stride;
    if (this.#mean > 1) {
      // Evenly spread over 1 … 2·mean - 1: a fixed stride would always meet the same of clients that take turns.
      this.#sequence = (Math.imul(this.#sequence, 1_103_515_245) + 12_345) >>> 0;
      this.#stride = 1 + ((this.#sequence >>> 8) % (2 * this.#mean - 1));
    }
    return this.#stride;
  }

  /** One that was not served. */
  add(network: string, isFailed: boolean): void {
    this.#count(network, 1, isFailed ? 1 : 0);
  }

  /** The busiest ones, busiest first; the next second begins with none. */
  take(lengthMs: number): ClientRow[] {
    this.#mean = Math.max(1, Math.ceil((this.#served * 1000) / Math.max(1, lengthMs) / SAMPLES_PER_SECOND));
    if (this.#mean === 1) this.#stride = 1;
    this.#served = 0;
    if (this.#rows.size === 0) return [];
    const rows = [...this.#rows.values()].sort((a, b) => b.exchanges - a.exchanges || compare(a.network, b.network));
    this.#rows = new Map();
    return rows.slice(0, CLIENT_ROWS_MAX);
  }

  #count(network: string, exchanges: number, failed: number): void {
    const row = this.#rows.get(network);
    if (row !== undefined) {
      row.exchanges += exchanges;
      row.failed += failed;
    } else if (this.#rows.size < NETWORKS_MAX) this.#rows.set(network, { network, exchanges, failed });
  }
}

function quickNetworkOf(address: string): string {
  const at = /^\d{1,3}\.\d{1,3}\.\d{1,3}(?=\.\d{1,3}$)/.exec(address);
  return at === null ? networkOf(address, BITS).slice(0, NAME_KEPT) : `${at[0]}.0/24`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
