/**
 * What the resolver keeps about one name: the last good answer of each family, apart, because one family may
 * fail while the other answers; what is to be told to whom; and when it may be asked again.
 */
import type { Resolution } from "../kernel/resolver.ts";
import type { Address } from "../kernel/socket.ts";
import type { FamilyAnswer } from "./dns-client.ts";
import type { LocalAddress } from "./hosts-file.ts";

export interface NameEntry {
  readonly name: string;
  resolution: Resolution;
  v4: readonly string[];
  v6: readonly string[];
  /** False until there is an answer or a failure. */
  answered: boolean;
  asking: boolean;
  failuresInRow: number;
  /** Monotonic ms from when on it may be asked again; Infinity for what the machine itself knows. */
  askAfter: number;
  cancelTimer: (() => void) | null;
  waiting: ((resolution: Resolution) => void)[];
  readonly watchers: Set<Watcher>;
}

/** An object of its own for each `watch`, so that one function may watch twice. */
export interface Watcher {
  readonly onChange: (resolution: Resolution) => void;
}

export function createNameEntry(name: string): NameEntry {
  return {
    name,
    resolution: { name, addresses: [], failure: null, learnedAt: -1 },
    v4: [],
    v6: [],
    answered: false,
    asking: false,
    failuresInRow: 0,
    askAfter: 0,
    cancelTimer: null,
    waiting: [],
    watchers: new Set(),
  };
}

/** What the machine itself knows replaces everything. */
export function setFamilies(entry: NameEntry, local: readonly LocalAddress[]): void {
  entry.v4 = local.filter((address) => address.family === 4).map((address) => address.ip);
  entry.v6 = local.filter((address) => address.family === 6).map((address) => address.ip);
}

/** Takes over an answer in which at least one family has addresses. */
export function learnFamilies(entry: NameEntry, v4: FamilyAnswer | null, v6: FamilyAnswer | null): void {
  entry.v4 = newest(entry.v4, v4);
  entry.v6 = newest(entry.v6, v6);
}

function newest(before: readonly string[], answer: FamilyAnswer | null): readonly string[] {
  // A family that could not be asked keeps its last good addresses; one that is said to be empty, while the
  // other is not, is empty.
  if (answer === null || answer.kind === "failed") return before;
  return answer.kind === "addresses" ? answer.ips : [];
}

/** IPv6 and IPv4 in turns (RFC 8305 §4), so that whoever takes the first few has both. */
export function addressesOf(entry: NameEntry): readonly Address[] {
  const addresses: Address[] = [];
  for (let index = 0; index < Math.max(entry.v4.length, entry.v6.length); index += 1) {
    const six = entry.v6[index];
    const four = entry.v4[index];
    if (six !== undefined) addresses.push({ ip: six, port: 0, family: 6 });
    if (four !== undefined) addresses.push({ ip: four, port: 0, family: 4 });
  }
  return addresses;
}

export function sameAddresses(before: readonly Address[], after: readonly Address[]): boolean {
  return before.length === after.length && before.every((address, index) => address.ip === after[index]?.ip);
}
