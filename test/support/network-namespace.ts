/**
 * A machine of its own for origins: a network namespace behind a pair of virtual cables, which can be cut, or lose what is
 * too large for it. It needs root and `ip`; where these are missing there is none. Loss and delay need netem in the kernel
 * besides.
 */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

export interface NetworkNamespace {
  /** Of the machine inside, as seen from outside. */
  readonly ip: string;
  /** Runs a program of Node inside; resolves with the first line that it prints. */
  run(program: string): Promise<string>;
  /** What happens to packets on their way out of it: `delay 50ms loss 5%`. False: the kernel cannot. */
  shape(...netem: string[]): boolean;
  /** From now on packets of more than 1300 bytes vanish on their way out of it, and nobody is told. */
  dropLargePackets(): void;
  /** From now on nothing comes out of it, and nobody is told. */
  unplug(): void;
  plug(): void;
  close(): void;
}

let made = 0;

/** Null: this machine does not allow it. */
export function networkNamespace(): NetworkNamespace | null {
  made += 1;
  const id = `gg${process.pid % 10_000}n${made}`;
  const [outer, inner] = [`${id}a`, `${id}b`];
  // Files that run at once have different lanes, other runs on this machine other processes.
  const network = `10.${200 + (Number(process.env["VITEST_POOL_ID"] ?? 0) % 50)}.${(process.pid + made) % 250}`;
  const [outside, inside] = [`${network}.1`, `${network}.2`];
  const children: ChildProcess[] = [];
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
    ip: inside,
    run(program) {
      const child = spawn("ip", ["netns", "exec", id, process.execPath, "--input-type=module", "-e", program], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      return new Promise((resolve, reject) => {
        child.stdout.once("data", (text: Buffer) => resolve(text.toString().trim()));
        child.once("exit", (code) => reject(new Error(`the program inside ended with ${code ?? "a signal"}`)));
      });
    },
    shape(...netem) {
      try {
        within("tc", "qdisc", "replace", "dev", inner, "root", "netem", ...netem);
        return true;
      } catch {
        return false;
      }
    },
    dropLargePackets() {
      // This end takes no more than 1300 bytes and promises 1500, as a tunnel on the way does that tells nobody.
      system("ip", "route", "replace", `${inside}/32`, "dev", outer, "advmss", "1460");
      system("ip", "link", "set", outer, "mtu", "1300");
    },
    unplug: () => within("ip", "route", "add", "blackhole", `${outside}/32`),
    plug: () => within("ip", "route", "del", "blackhole", `${outside}/32`),
    close() {
      for (const child of children) child.kill("SIGKILL");
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
