/**
 * Standard output for writing that never blocks: a thread that is stuck in a write to a reader which has
 * stopped would keep the process from exiting.
 *
 * A pipe or a terminal is opened once more through /proc, because that gives a descriptor with a mode of its
 * own; the mode of descriptor 1 belongs to every program that shares it. A socket cannot be opened again; Node
 * makes it non-blocking as soon as `process.stdout` is looked at. Writing to a plain file does not block.
 */
import fs from "node:fs";

export const STDOUT = 1;

/** Calls back with `STDOUT` or with a descriptor of its own, which the caller closes. */
export function openStdout(files: Pick<typeof fs, "open" | "fstat">, done: (descriptor: number) => void): void {
  files.fstat(STDOUT, (error, stats) => {
    if (error === null && stats.isSocket()) done(process.stdout.fd);
    else if (error === null && (stats.isFIFO() || stats.isCharacterDevice())) {
      const flags = fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY;
      files.open("/proc/self/fd/1", flags, (failure, descriptor) => done(failure === null ? descriptor : STDOUT));
    } else done(STDOUT);
  });
}
