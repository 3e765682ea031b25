/**
 * File descriptors: how many are open, how many may be, and whether there is one left right now.
 *
 * The last question is asked by opening one. Counting cannot answer it: reading /proc needs a descriptor
 * itself, and the machine may have run out (ENFILE) long before this process has.
 */
import fs from "node:fs";

/** Null while a descriptor can be had; otherwise `EMFILE` (this process) or `ENFILE` (the machine). */
export function descriptorShortage(): string | null {
  try {
    fs.closeSync(fs.openSync("/dev/null", "r"));
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EMFILE" || code === "ENFILE" ? code : null;
  }
}

/** How many descriptors this process has open; 0 where the system does not say. */
export function descriptorsOpen(): number {
  try {
    // Linux 6.2 and later tell the number as the size of the directory, at the cost of one call. Listing it,
    // as before, costs a name for each descriptor.
    const size = fs.statSync("/proc/self/fd").size;
    if (size > 0) return size;
  } catch {
    // Not Linux, or out of descriptors: the listing below decides.
  }
  for (const directory of ["/proc/self/fd", "/dev/fd"]) {
    try {
      // One of them is the listing's own.
      return fs.readdirSync(directory).length - 1;
    } catch {
      // Tried next: the other one.
    }
  }
  return 0;
}

/** The soft limit of this process; 0 where the system does not say or sets none. */
export function descriptorsMax(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(fs.readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? 0 : Number(soft);
  } catch {
    return 0;
  }
}
