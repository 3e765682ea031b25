/**
 * What the machine allows, for `doctor`: the limits that end a gateway long before its CPU does. Read when
 * asked, from /proc and the control group; anything that is not there (another system, a sandbox) is null.
 */
import fs from "node:fs/promises";
import os from "node:os";
import { descriptorsMax } from "./descriptors.ts";

/** Null: this system does not say. */
export interface MachineFacts {
  readonly descriptorsMax: number | null;
  /** The ports that outgoing connections take theirs from. */
  readonly ephemeralPorts: { readonly low: number; readonly high: number } | null;
  /** How many of them have a TCP socket in whatever state, TIME_WAIT included. */
  readonly ephemeralPortsInUse: number | null;
  /** The most that may wait to be accepted on one listener. */
  readonly somaxconn: number | null;
  /** The smaller of the machine's memory and the control group's limit. */
  readonly memoryBytes: number | null;
  /** That this process may use. */
  readonly cores: number;
}

export async function readMachineFacts(): Promise<MachineFacts> {
  const [ports, somaxconn, v2, v1] = await Promise.all([
    numbersIn("/proc/sys/net/ipv4/ip_local_port_range"),
    numbersIn("/proc/sys/net/core/somaxconn"),
    numbersIn(await controlGroupLimitPath()),
    numbersIn("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
  ]);
  const [low, high] = ports;
  const ephemeralPorts = low === undefined || high === undefined ? null : { low, high };
  const descriptors = descriptorsMax();
  return {
    descriptorsMax: descriptors === 0 ? null : descriptors,
    ephemeralPorts,
    ephemeralPortsInUse: ephemeralPorts === null ? null : await portsInUse(ephemeralPorts),
    somaxconn: somaxconn[0] ?? null,
    // "No limit" is the word `max` in one version, which is no number, and a huge number in the other.
    memoryBytes: Math.min(os.totalmem(), v2[0] ?? Infinity, v1[0] ?? Infinity),
    cores: os.availableParallelism(),
  };
}

/** The limit of this process's own group (version 2); in a container that is the root of what can be seen. */
async function controlGroupLimitPath(): Promise<string> {
  const group = /^0::(\/.*)$/m.exec(await textOf("/proc/self/cgroup"))?.[1] ?? "/";
  const own = `/sys/fs/cgroup${group === "/" ? "" : group}/memory.max`;
  return (await textOf(own)) === "" ? "/sys/fs/cgroup/memory.max" : own;
}

async function portsInUse(range: { readonly low: number; readonly high: number }): Promise<number | null> {
  const tables = await Promise.all([textOf("/proc/net/tcp"), textOf("/proc/net/tcp6")]);
  if (tables.every((table) => table === "")) return null;
  const used = new Set<number>();
  for (const table of tables)
    for (const port of localPorts(table)) if (port >= range.low && port <= range.high) used.add(port);
  return used.size;
}

/** The local port of each line of /proc/net/tcp: four hexadecimal digits after the first address. */
export function localPorts(table: string): number[] {
  return [...table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /gm)].map((match) =>
    Number.parseInt(match[1] ?? "0", 16),
  );
}

async function numbersIn(path: string): Promise<number[]> {
  return (await textOf(path))
    .split(/\s+/)
    .filter((word) => /^\d+$/.test(word))
    .map(Number);
}

async function textOf(path: string): Promise<string> {
  try {
    return await fs.readFile(path, "utf8");
  } catch {
    return "";
  }
}
