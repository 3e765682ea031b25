/**
 * /etc/hosts. The resolver asks name servers itself, and those have never heard of what stands in this file;
 * but everybody who writes a name there expects it to work, containers above all.
 *
 * Also the names that never may leave the machine: `localhost` and everything under it (RFC 6761 §6.3).
 */
import { isLoopbackIp } from "../kernel/ip-text.ts";
import { isIP } from "node:net";

export interface LocalAddress {
  readonly ip: string;
  readonly family: 4 | 6;
}

export type HostsTable = ReadonlyMap<string, readonly LocalAddress[]>;

/** Some block lists have a hundred thousand lines; no gateway has so many origins. */
const NAMES_MAX = 20_000;
const LOOPBACK: readonly LocalAddress[] = [
  { ip: "::1", family: 6 },
  { ip: "127.0.0.1", family: 4 },
];

/** Lines that make no sense are left out, as every system does. */
export function parseHosts(text: string): HostsTable {
  const table = new Map<string, LocalAddress[]>();
  for (const line of text.split("\n")) {
    const [ip = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const family = isIP(ip);
    if (family !== 4 && family !== 6) continue;
    for (const name of names) addTo(table, name.toLowerCase(), { ip, family });
  }
  return table;
}

function addTo(table: Map<string, LocalAddress[]>, name: string, address: LocalAddress): void {
  const known = table.get(name);
  if (known === undefined) {
    if (table.size < NAMES_MAX) table.set(name, [address]);
  } else if (!known.some((other) => other.ip === address.ip)) known.push(address);
}

/** What the machine itself says about `name` (lower case, no dot at the end); null: the name servers decide. */
export function lookUpLocally(table: HostsTable, name: string): readonly LocalAddress[] | null {
  if (name !== "localhost" && !name.endsWith(".localhost")) return table.get(name) ?? null;
  // The file may narrow it to one family, because the other is off on this machine, but never point it elsewhere.
  const listed = (table.get(name) ?? table.get("localhost") ?? []).filter(({ ip }) => isLoopbackIp(ip));
  return listed.length > 0 ? listed : LOOPBACK;
}
