/** A real file system of a few hundred KiB, to be filled: what a full disk does no imitation of a disk knows. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  readonly path: string;
  /** Not a byte is left. */
  fill(): void;
  /** There is room again. */
  empty(): void;
  remove(): void;
}

/** Null: mounting is not permitted here, which takes root and Linux. */
export function smallDisk(kibibytes: number): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), "goodgate-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k,mode=0700`, "tmpfs", path]);
  if (mounted.status !== 0) {
    rmSync(path, { recursive: true, force: true });
    return null;
  }
  const filler = join(path, "filler");
  return {
    path,
    fill() {
      const file = openSync(filler, "a");
      // Pages first, then bytes: what is left of the last page is room, too.
      for (const bytes of [4096, 1]) while (wrote(file, bytes)) continue;
      closeSync(file);
    },
    empty: () => rmSync(filler, { force: true }),
    remove() {
      // What still has a file open there, such as a process on its way out, does not keep it.
      spawnSync("umount", ["--lazy", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function wrote(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes, 0x2e)) > 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}
