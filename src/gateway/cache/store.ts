/**
 * The stored responses of one gateway, within a bound of bytes. A slot is a key (route, host and target); it holds the
 * variants of its response and the fetch that is under way for it.
 *
 * Who makes room is decided by SIEVE: a hand goes round, passes over what was used since it came by last, and takes
 * the first that was not. A hit costs the setting of one bit, where a least-recently-used list would be relinked; and a
 * crawler that asks for everything once drives nothing popular out.
 */
import type { Entry } from "./entry.ts";
import type { Flight } from "./flight.ts";
import { withoutUsualPort, withUsualPorts } from "./request-key.ts";
import { sameSelection } from "./selecting.ts";
import type { StoredBody } from "./stored-body.ts";

export interface Slot {
  readonly partition: Partition;
  /** Lower case, with its port as sent. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  /** The newest last. */
  readonly variants: Entry[];
  /** Fetches whose response is not known yet, or not whole. */
  readonly flights: Flight[];
}

/** The keys of one route: two routes may give different answers under one URL. */
export interface Partition {
  readonly service: string;
  readonly hosts: Map<string, Map<string, Slot>>;
}

export interface StoreCounters {
  stored: number;
  evictions: number;
  purged: number;
  invalidated: number;
}

export class Store {
  readonly counters: StoreCounters = { stored: 0, evictions: 0, purged: 0, invalidated: 0 };
  bytesMax: number;
  bytes = 0;
  entries = 0;
  /** Slots, also those that only have a fetch under way. */
  slots = 0;
  /** An entry has left for good: its copy on disk goes too. */
  onDropped: (entry: Entry) => void = () => undefined;
  readonly #partitions = new Set<Partition>();
  readonly #tags: Map<string, Set<Entry>> = new Map();
  /**
   * Slots of each target, whatever their partition and host. Most targets of writes have none, and one look tells; by
   * partitions and spellings of the host it would be many for every write.
   */
  readonly #slotsOf: Map<string, number> = new Map();
  #variantsMax: number;
  /** Entries whose bodies lie only on disk. */
  #stubs = 0;
  /** The newest; `next` leads to older ones. */
  #newest: Entry | null = null;
  #oldest: Entry | null = null;
  #hand: Entry | null = null;

  constructor(bytesMax: number, variantsMax: number) {
    this.bytesMax = bytesMax;
    this.#variantsMax = variantsMax;
  }

  partition(service: string): Partition {
    const partition: Partition = { service, hosts: new Map() };
    this.#partitions.add(partition);
    return partition;
  }

  /** With less room than before whatever is too much goes at once, as far as nobody reads it. */
  configure(bytesMax: number, variantsMax: number): void {
    this.bytesMax = bytesMax;
    this.#variantsMax = variantsMax;
    this.reserve(0);
  }

  /** Everything in it goes; `whole`: and so does the partition. */
  forget(partition: Partition, whole: boolean): void {
    if (whole) this.#partitions.delete(partition);
    for (const targets of partition.hosts.values()) {
      for (const slot of targets.values()) this.#empty(slot);
    }
  }

  find(partition: Partition, host: string, target: string): Slot | null {
    return partition.hosts.get(host)?.get(target) ?? null;
  }

  slotFor(partition: Partition, host: string, target: string): Slot {
    let targets = partition.hosts.get(host);
    if (targets === undefined) {
      targets = new Map();
      partition.hosts.set(host, targets);
    }
    let slot = targets.get(target);
    if (slot === undefined) {
      slot = { partition, host, target, variants: [], flights: [] };
      targets.set(target, slot);
      this.#countSlot(target, 1);
    }
    return slot;
  }

  /** Nothing is left in it: it goes. */
  tidy(slot: Slot): void {
    if (slot.variants.length > 0 || slot.flights.length > 0) return;
    const { hosts } = slot.partition;
    const targets = hosts.get(slot.host);
    if (targets?.get(slot.target) !== slot) return;
    targets.delete(slot.target);
    this.#countSlot(slot.target, -1);
    if (targets.size === 0) hosts.delete(slot.host);
  }

  /** Makes room for `bytes` more and counts them; false: there is not that much. */
  reserve(bytes: number): boolean {
    if (bytes > this.bytesMax) return false;
    while (this.bytes + bytes > this.bytesMax) {
      const victim = this.#victim();
      if (victim === null) return false;
      this.counters.evictions += 1;
      if (victim.shelfId === 0 || victim.body === null) this.remove(victim);
      else {
        // It lies on disk as well: only its place in memory is given up.
        this.setBody(victim, null);
      }
    }
    this.bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.bytes -= bytes;
  }

  /** Takes the place of the variant that was selected alike. False: there is no room for it. */
  insert(entry: Entry): boolean {
    const { slot } = entry;
    const bytes = entry.costBytes;
    const same = slot.variants.find((other) => sameSelection(other.facts.selecting, entry.facts.selecting));
    if (same !== undefined) this.remove(same);
    while (slot.variants.length >= this.#variantsMax) {
      const oldest = slot.variants[0];
      if (oldest === undefined) break;
      this.counters.evictions += 1;
      this.remove(oldest);
    }
    if (!this.reserve(bytes)) return false;
    entry.countedBytes = bytes;
    entry.stored = true;
    if (!this.#bringBack(slot)) {
      this.release(bytes);
      entry.stored = false;
      return false;
    }
    slot.variants.push(entry);
    this.entries += 1;
    if (entry.body === null) this.#stubs += 1;
    else this.counters.stored += 1;
    for (const tag of entry.facts.tags) {
      const tagged = this.#tags.get(tag) ?? new Set();
      this.#tags.set(tag, tagged.add(entry));
    }
    this.#link(entry);
    return true;
  }

  /** It may have been tidied away while its response came, or by what made room. False: another has its place. */
  #bringBack(slot: Slot): boolean {
    const { partition, host, target } = slot;
    const home = this.find(partition, host, target);
    if (home !== null) return home === slot;
    const targets = partition.hosts.get(host) ?? new Map<string, Slot>();
    partition.hosts.set(host, targets.set(target, slot));
    this.#countSlot(target, 1);
    return true;
  }

  remove(entry: Entry): void {
    if (!entry.stored) return;
    entry.stored = false;
    this.#unlink(entry);
    this.#releaseUnread(entry);
    this.entries -= 1;
    if (entry.body === null) this.#stubs -= 1;
    for (const tag of entry.facts.tags) {
      const tagged = this.#tags.get(tag);
      tagged?.delete(entry);
      if (tagged?.size === 0) this.#tags.delete(tag);
    }
    const { slot } = entry;
    const index = slot.variants.indexOf(entry);
    if (index !== -1) slot.variants.splice(index, 1);
    this.tidy(slot);
    this.onDropped(entry);
  }

  /** Its body has been read from disk, or lies only there from now on. */
  setBody(entry: Entry, body: StoredBody | null): void {
    if (entry.stored) this.#stubs += (body === null ? 1 : 0) - (entry.body === null ? 1 : 0);
    entry.body = body;
    this.recount(entry);
  }

  /** Its texts or its body have changed. */
  recount(entry: Entry): void {
    if (!entry.stored) return;
    const bytes = entry.costBytes;
    this.bytes += bytes - entry.countedBytes;
    entry.countedBytes = bytes;
  }

  /** RFC 9111 §4.4: in every route of the service, because another one may have changed what is under the URL. */
  invalidate(service: string, host: string, target: string): number {
    if (!this.#slotsOf.has(target)) return 0;
    let count = 0;
    for (const partition of this.#partitions) {
      if (partition.service !== service) continue;
      for (const name of withUsualPorts(host)) {
        const slot = this.find(partition, name, target);
        if (slot !== null) count += this.#empty(slot);
      }
    }
    this.counters.invalidated += count;
    return count;
  }

  purgeTag(tag: string): number {
    const tagged = [...(this.#tags.get(tag) ?? [])];
    for (const entry of tagged) this.remove(entry);
    this.counters.purged += tagged.length;
    return tagged.length;
  }

  /** Empty host: every host. `exact`: this target alone; otherwise all that begin with it. */
  purge(host: string, target: string, exact: boolean): number {
    let count = 0;
    for (const partition of this.#partitions) {
      for (const [name, targets] of partition.hosts) {
        if (host !== "" && withoutUsualPort(host) !== withoutUsualPort(name)) continue;
        const exactly = targets.get(target);
        if (exact) count += exactly === undefined ? 0 : this.#empty(exactly);
        else {
          for (const slot of targets.values()) if (slot.target.startsWith(target)) count += this.#empty(slot);
        }
      }
    }
    this.counters.purged += count;
    return count;
  }

  /** While clients are still being given its body, its memory is in use. */
  #releaseUnread(entry: Entry): void {
    const { body, countedBytes } = entry;
    if (body === null || body.readers === 0) this.release(countedBytes);
    else body.onUnread = () => this.release(countedBytes);
  }

  #countSlot(target: string, change: 1 | -1): void {
    this.slots += change;
    const count = (this.#slotsOf.get(target) ?? 0) + change;
    if (count === 0) this.#slotsOf.delete(target);
    else this.#slotsOf.set(target, count);
  }

  #empty(slot: Slot): number {
    const variants = [...slot.variants];
    for (const entry of variants) this.remove(entry);
    return variants.length;
  }

  #victim(): Entry | null {
    let at = this.#hand ?? this.#oldest;
    // What lies on disk frees next to nothing: it goes only when nothing else is left.
    const onlyStubs = this.#stubs === this.entries;
    // Twice round: the first time may have to take away every mark.
    for (let steps = 2 * this.entries; at !== null && steps > 0; steps -= 1) {
      if (!at.used && (at.body === null ? onlyStubs : at.body.readers === 0)) {
        // It stays where it is when its entry is taken: `#unlink` moves it on.
        this.#hand = at;
        return at;
      }
      at.used = false;
      at = at.previous ?? this.#oldest;
    }
    return null;
  }

  #link(entry: Entry): void {
    entry.next = this.#newest;
    entry.previous = null;
    if (this.#newest !== null) this.#newest.previous = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
  }

  #unlink(entry: Entry): void {
    if (this.#hand === entry) this.#hand = entry.previous;
    if (entry.previous === null) this.#newest = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === null) this.#oldest = entry.previous;
    else entry.next.previous = entry.previous;
    entry.previous = null;
    entry.next = null;
  }
}
