/**
 * How much each pool holds at once and has room for, of all workers together: what forecasts of capacity are made of.
 *
 * A limit that is learned grows for as long as answers come in time, and begins anew with the gateway. So what an
 * address can hold is known only where it was set by hand, or where the limit was met in several seconds: then it is
 * the median of the limits that were. What was never met is not told: it is where it happened to stand.
 */
import type { Fact, OriginRow, SecondFact } from "../../contract/facts.ts";
import { median } from "../../kernel/median.ts";
import type { Forecaster, Memory } from "./forecaster.ts";
import { DAY, keep, SECOND } from "./forecaster.ts";

export interface PoolRoom {
  readonly service: string;
  readonly pool: string;
  /** Requests that wait for their first byte. */
  readonly held: number;
  /** That it can hold; null: that has not shown. */
  readonly limit: number | null;
  readonly addresses: number;
}

interface Address {
  readonly service: string;
  readonly pool: string;
  readonly address: string;
  at: number;
  held: number;
  limit: number;
  isSet: boolean;
  /** The newest limits that were met. */
  met: number[];
}

const MET = 0.9;
const MET_MIN = 5;
const MET_MAX = 25;
/** Then it has been outgrown: what was met was no wall. */
const OUTGROWN = 1.5;
const GONE_MS: number = 10 * SECOND;
const FORGOTTEN_MS: number = DAY;
const ADDRESSES_MAX = 5000;

export class PoolRooms implements Forecaster {
  readonly memory: Memory = {
    name: "pool rooms",
    save: () => [...this.#addresses].filter(([, { met }]) => met.length > 0),
    restore: (saved) => {
      for (const [key, address] of saved as readonly (readonly [string, Address])[]) this.#addresses.set(key, address);
    },
  };
  readonly #addresses = new Map<string, Address>();
  #now = 0;
  #known: readonly PoolRoom[] | null = null;

  hear(fact: Fact): void {
    if (fact.kind !== "second") return;
    this.#now = fact.at;
    this.#known = null;
    for (const row of fact.origins) this.#count(row, fact);
  }

  look(): readonly [] {
    return [];
  }

  /** As they stood in the last second. */
  get all(): readonly PoolRoom[] {
    return (this.#known ??= this.#roomsNow());
  }

  #count({ service, pool, origin, address, held, limit, limitSet }: OriginRow, fact: SecondFact): void {
    const key = `${fact.node}/${fact.worker}\n${service}\n${pool}\n${origin}\n${address}`;
    let known = this.#addresses.get(key);
    if (known === undefined) {
      if (this.#addresses.size >= ADDRESSES_MAX) return;
      known = { service, pool, address: `${origin} ${address}`, at: 0, held: 0, limit: 0, isSet: false, met: [] };
      this.#addresses.set(key, known);
    }
    known.at = fact.at;
    known.held = held;
    known.limit = limit;
    known.isSet = limitSet === true;
    if (limit === 0) known.met = [];
    else if (known.met.length > 0 && held > median(known.met) * OUTGROWN) known.met = [];
    else if (held >= limit * MET) keep(known.met, limit, MET_MAX);
  }

  #roomsNow(): PoolRoom[] {
    const rooms = new Map<
      string,
      { service: string; pool: string; held: number; limit: number | null; of: Set<string> }
    >();
    for (const [key, known] of this.#addresses) {
      const { service, pool, address, at, held, limit, isSet, met } = known;
      if (this.#now - at > GONE_MS) {
        if (this.#now - at > FORGOTTEN_MS) this.#addresses.delete(key);
        continue;
      }
      const id = `${service}\n${pool}`;
      const room = rooms.get(id) ?? { service, pool, held: 0, limit: 0, of: new Set() };
      rooms.set(id, room);
      room.held += held;
      room.of.add(address);
      const can = isSet ? limit : met.length >= MET_MIN ? Math.round(median(met)) : null;
      room.limit = can === null || room.limit === null ? null : room.limit + can;
    }
    return [...rooms.values()].map(({ of, ...room }) => ({ ...room, addresses: of.size }));
  }
}
