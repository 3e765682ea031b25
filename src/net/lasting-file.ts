/**
 * Files that can be read again and again. Opening a pipe waits for somebody who writes into it, in a thread that nothing
 * can call back: a process that has one such thread does not even end.
 */
import type { Stats } from "node:fs";

/** In place of the system's word for why a file cannot be read. */
const NO_LASTING_FILE = "no regular file";

/** Throws as the file system does. Of a folder the system itself says what it is. */
export function assertLasting(stats: Stats): void {
  if (stats.isFile() || stats.isDirectory()) return;
  throw Object.assign(new Error(NO_LASTING_FILE), { code: NO_LASTING_FILE });
}
