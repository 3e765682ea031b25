/**
 * Files that can be read again and again. Opening a pipe waits for somebody who writes into it, in a thread that nothing
 * can call back: a process that has one such thread does not even end. So whatever a gateway reads while it serves, or is
 * to, is read by this.
 */
import type { Stats } from "node:fs";
import fs from "node:fs/promises";

export type LastingFile =
  | { readonly ok: true; readonly bytes: Buffer; readonly mode: number }
  /** `code`: the system's, `EFBIG` of what is too large, or that it is no file. */
  | { readonly ok: false; readonly code: string };

/** In place of the system's word for why a file cannot be read. */
const NO_LASTING_FILE = "no regular file";

export async function readLasting(path: string, bytesMax: number): Promise<LastingFile> {
  try {
    const stats = await fs.stat(path);
    assertLasting(stats);
    if (stats.size > bytesMax) return { ok: false, code: "EFBIG" };
    return { ok: true, bytes: await fs.readFile(path), mode: stats.mode };
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    return { ok: false, code };
  }
}

/** For those who read without waiting. Throws as the file system does. Of a folder the system itself says what it is. */
export function assertLasting(stats: Stats): void {
  if (stats.isFile() || stats.isDirectory()) return;
  throw Object.assign(new Error(NO_LASTING_FILE), { code: NO_LASTING_FILE });
}
