/** A file as text, or why not: a configuration, which nobody writes larger than this by hand or by program. */
import type { Stats } from "node:fs";
import fs from "node:fs/promises";
import type { FileText } from "../cli/ports.ts";
import { assertLasting } from "../net/lasting-file.ts";
import { codeOf } from "./error-text.ts";

const BYTES_MAX = 8 * 1024 * 1024;

/** Also from a pipe, as a shell makes them: whoever starts a program can end it. */
export function readText(path: string): Promise<FileText> {
  return read(path, () => undefined);
}

/** For a process that serves, or is to. */
export function readTextAgain(path: string): Promise<FileText> {
  return read(path, assertLasting);
}

async function read(path: string, assert: (stats: Stats) => void): Promise<FileText> {
  try {
    const stats = await fs.stat(path);
    assert(stats);
    if (stats.size > BYTES_MAX) return { ok: false, code: "EFBIG" };
    return { ok: true, text: await fs.readFile(path, "utf8") };
  } catch (error) {
    return { ok: false, code: codeOf(error) };
  }
}
