/**
 * What there is on this machine that may run out and is not the process's own: local ports and disk. The disk is asked
 * now and then and never waited for: one that hangs (a network share) must not hang the asker.
 */
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { OwnRow } from "../contract/facts.ts";
import type { Schedule } from "../kernel/clock.ts";

export interface MachineRoom {
  read(): Pick<OwnRow, "portsMax" | "diskFreeBytes" | "diskBytes">;
  close(): void;
}

const LOOK_EVERY_MS = 10_000;

/** `places`: files and directories that are written to; of their disks the fullest is told. */
export function watchMachine(places: readonly (string | null)[], schedule: Schedule): MachineRoom {
  const portsMax = portsBetween();
  const asked = places.flatMap((place) => (place === null || place === "stdout" ? [] : [place]));
  let disk = { diskFreeBytes: 0, diskBytes: 0 };
  let cancel = (): void => undefined;
  let isClosed = false;

  async function look(): Promise<void> {
    const disks = await Promise.all(asked.map(diskOf));
    const known = disks.filter((one) => one.diskBytes > 0);
    disk = known.toSorted((a, b) => partFree(a) - partFree(b))[0] ?? { diskFreeBytes: 0, diskBytes: 0 };
    // Only when it has answered: one that hangs is asked once and not every ten seconds more.
    if (!isClosed) cancel = schedule(LOOK_EVERY_MS, () => void look());
  }
  void look();

  return {
    read: () => ({ portsMax, ...disk }),
    close() {
      isClosed = true;
      cancel();
    },
  };
}

type Disk = Pick<OwnRow, "diskFreeBytes" | "diskBytes">;

async function diskOf(place: string): Promise<Disk> {
  // What is not there yet will be made in the directory above it.
  for (let path = place; ; path = dirname(path)) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- One place after the other, until there is one.
      const { bsize, bavail, blocks } = await statfs(path);
      return { diskFreeBytes: bsize * bavail, diskBytes: bsize * blocks };
    } catch {
      if (path === dirname(path)) return { diskFreeBytes: 0, diskBytes: 0 };
    }
  }
}

function partFree({ diskFreeBytes, diskBytes }: Disk): number {
  return diskFreeBytes / diskBytes;
}

/** Of one address of this machine; 0 where the system does not say. */
function portsBetween(): number {
  try {
    const [low = 0, high = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
      .trim()
      .split(/\s+/)
      .map(Number);
    return Math.max(0, high - low + 1);
  } catch {
    return 0;
  }
}
