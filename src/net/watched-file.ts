/**
 * A small system file that people edit while the gateway runs (/etc/hosts, /etc/resolv.conf): read once at the
 * start, asked every few seconds whether it has changed, read again when it has. Asking is one asynchronous
 * `stat`, so no request ever waits for it. Not `fs.watch`: these files are usually replaced by renaming, or
 * lie on mounts of a container, and there watchers fall silent without a word.
 */
import fs from "node:fs";
import type { Schedule } from "../kernel/clock.ts";
import { assertLasting } from "./lasting-file.ts";

export interface WatchedFile {
  close(): void;
}

const ASK_EVERY_MS = 5_000;
/** Nobody resolves by a hosts file of more than this; whatever is longer is a mistake and is cut. */
const BYTES_MAX = 1024 * 1024;

/** Calls `onText` before it returns with what the file says now (empty when it cannot be read) and again after each change. */
export function watchFile(path: string, schedule: Schedule, onText: (text: string) => void): WatchedFile {
  let mark = "";
  let closed = false;
  let cancel = (): void => {};

  try {
    const stats = fs.statSync(path);
    assertLasting(stats);
    mark = markOf(stats);
    onText(fs.readFileSync(path).subarray(0, BYTES_MAX).toString());
  } catch {
    onText("");
  }

  function ask(): void {
    fs.stat(path, (error, stats) => {
      // A file that is gone for a moment (an editor is saving it) must not empty anything: what was read stays. So it
      // does when there is a pipe in its place: opening that waits for whoever writes into it.
      const found = error === null && stats.isFile() ? markOf(stats) : mark;
      if (found === mark) again();
      else read(found);
    });
  }

  function read(found: string): void {
    fs.readFile(path, (error, bytes) => {
      if (closed) return;
      if (error === null) {
        mark = found;
        onText(bytes.subarray(0, BYTES_MAX).toString());
      }
      again();
    });
  }

  function again(): void {
    if (!closed) cancel = schedule(ASK_EVERY_MS, ask);
  }

  again();
  return {
    close(): void {
      closed = true;
      cancel();
    },
  };
}

/** Changes whenever the content may have: rename (inode), edit (time, size). */
function markOf(stats: fs.Stats): string {
  return `${stats.ino} ${stats.mtimeMs} ${stats.size}`;
}
