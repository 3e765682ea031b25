/**
 * A machine of its own for origins: a network namespace behind a virtual cable, which can be cut, or lose what is too
 * large for it; or behind one that loses and delays (lossy-cable.py). They need root and `ip`, the second one Python and
 * TUN devices besides; where these are missing there is none.
 */
import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { startChild } from "./child.ts";
import type { Child } from "./child.ts";

interface Inside {
  /** Of the machine inside, as seen from outside. */
  readonly ip: string;
  /** Runs a program of Node inside; resolves when it has printed "up". */
  run(program: string): Promise<void>;
  close(): void;
}

export interface NetworkNamespace extends Inside {
  /** From now on packets of more than 1300 bytes vanish on their way out of it, and nobody is told. */
  dropLargePackets(): void;
  /** From now on nothing comes out of it, and nobody is told. */
  unplug(): void;
  plug(): void;
}

export interface LossyNamespace extends Inside {
  /** Packets that were lost, of both ways. */
  lost(): number;
  /** Resolves when packets of more bytes vanish on their way out of it, and nobody is told. */
  dropAbove(bytes: number): Promise<void>;
}

export interface Loss {
  /** Of all packets, 0–1. */
  readonly ratio: number;
  /** Each way. */
  readonly delayMs: number;
  readonly seed: number;
}

let made = 0;

/** Null: this machine does not allow it. */
export function networkNamespace(): NetworkNamespace | null {
  const { id, outer, inner, outside, inside } = nextNames();
  const within = (...command: string[]): void => system("ip", "netns", "exec", id, ...command);
  try {
    system("ip", "netns", "add", id);
    system("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", id);
    system("ip", "addr", "add", `${outside}/30`, "dev", outer);
    system("ip", "link", "set", outer, "up");
    within("ip", "addr", "add", `${inside}/30`, "dev", inner);
    within("ip", "link", "set", inner, "up");
    within("ip", "link", "set", "lo", "up");
    // Packets as they are on a cable: nothing larger is handed over to be cut later.
    within("ip", "link", "set", "dev", inner, "gso_max_segs", "1");
  } catch {
    remove(id);
    return null;
  }
  return {
    ...machineIn(id, inside),
    dropLargePackets() {
      // This end takes no more than 1300 bytes and promises 1500, as a tunnel on the way does that tells nobody.
      system("ip", "route", "replace", `${inside}/32`, "dev", outer, "advmss", "1460");
      system("ip", "link", "set", outer, "mtu", "1300");
    },
    unplug: () => within("ip", "route", "add", "blackhole", `${outside}/32`),
    plug: () => within("ip", "route", "del", "blackhole", `${outside}/32`),
  };
}

/** Null: this machine does not allow it. */
export async function lossyNamespace({ ratio, delayMs, seed }: Loss): Promise<LossyNamespace | null> {
  const { id, outer, inner, outside, inside } = nextNames();
  try {
    system("ip", "netns", "add", id);
    system("ip", "-n", id, "link", "set", "lo", "up");
  } catch {
    remove(id);
    return null;
  }
  const words = [CABLE, outer, outside, inner, inside, id, String(ratio), String(delayMs), String(seed)];
  const machine = machineIn(id, inside);
  try {
    // Its input stays open as long as this process lives, and that is how long it works.
    const cable = await startChild("python3", words, { input: true });
    await cable.printed(/^up\n/);
    return {
      ...machine,
      lost: () => cable.stdout().split("lost").length - 1,
      async dropAbove(bytes) {
        cable.write(`${bytes}\n`);
        await cable.printed(new RegExp(`^${bytes}$`, "m"));
      },
      close() {
        machine.close();
        cable.signal("SIGKILL");
      },
    };
  } catch {
    machine.close();
    return null;
  }
}

const CABLE = fileURLToPath(new URL("lossy-cable.py", import.meta.url));

interface Names {
  readonly id: string;
  readonly outer: string;
  readonly inner: string;
  readonly outside: string;
  readonly inside: string;
}

function nextNames(): Names {
  made += 1;
  // No longer than a card's name may be (15 characters), and of this process alone.
  const id = `gg${process.pid}n${made}`;
  const network = unusedNetwork();
  return { id, outer: `${id}a`, inner: `${id}b`, outside: `${network}.1`, inside: `${network}.2` };
}

/** None that this machine has, of other runs neither: the same address at two cards would lead to one of them. */
function unusedNetwork(): string {
  const taken = new Set(Object.values(networkInterfaces()).flatMap((cards) => cards?.map(({ address }) => address)));
  for (;;) {
    const network = `10.${200 + Math.floor(Math.random() * 50)}.${Math.floor(Math.random() * 250)}`;
    if (!taken.has(`${network}.1`)) return network;
  }
}

function machineIn(id: string, ip: string): Inside {
  const children: Child[] = [];
  return {
    ip,
    async run(program) {
      const words = ["netns", "exec", id, process.execPath, "--input-type=module", "-e", program];
      const child = await startChild("ip", words);
      children.push(child);
      await child.printed(/^up\n/);
    },
    close() {
      for (const child of children) child.signal("SIGKILL");
      remove(id);
    },
  };
}

function system(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: "pipe" });
}

function remove(id: string): void {
  try {
    system("ip", "netns", "del", id);
  } catch {
    // There was none.
  }
}
