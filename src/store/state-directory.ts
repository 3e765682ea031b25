/** Where a gateway keeps what must outlive it, when its configuration does not say. */
import type { StatsFs } from "node:fs";
import fs from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { isUnix } from "../kernel/ip-text.ts";

/** With less than this nothing can be kept. */
const FREE_LEAST = 256 * 1024;

/**
 * systemd names a directory of the service's own; otherwise each gateway of a user has one, by the address that it
 * listens on, since only one can listen there. Null: a port that the system chooses is another one next time, or there
 * is no home to keep anything in.
 */
export function defaultStateDirectory(
  env: Readonly<Record<string, string | undefined>>,
  bind: { readonly name: string; readonly port: number },
): string | null {
  // systemd.exec(5): several are separated by colons.
  const given = (env["STATE_DIRECTORY"] ?? "").split(":")[0] ?? "";
  if (given !== "") return given;
  if (bind.port === 0 && !isUnix(bind.name)) return null;
  const name = bind.name.replaceAll("/", "_");
  // The XDG specification: a relative path is not valid and ignored.
  const xdg = env["XDG_STATE_HOME"] ?? "";
  const home = env["HOME"] ?? "";
  if (isAbsolute(xdg)) return join(xdg, "goodgate", name);
  return isAbsolute(home) ? join(home, ".local", "state", "goodgate", name) : null;
}

/** Null: the directory can be written, or made. Otherwise the system's code. Makes nothing. */
export async function tryDirectory(directory: string): Promise<string | null> {
  for (let place = resolve(directory); ; place = dirname(place)) {
    try {
      await fs.access(place, fs.constants.W_OK | fs.constants.X_OK);
      if (!(await fs.stat(place)).isDirectory()) return "ENOTDIR";
      return isFull(await fs.statfs(place)) ? "ENOSPC" : null;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "EIO";
      // What is not there is made below the nearest place that is.
      if (code !== "ENOENT" || place === dirname(place)) return code;
    }
  }
}

/** File systems that do not say how large they are have no blocks. */
export function isFull({ blocks, bavail, bsize }: Pick<StatsFs, "blocks" | "bavail" | "bsize">): boolean {
  return blocks > 0 && bavail * bsize < FREE_LEAST;
}
