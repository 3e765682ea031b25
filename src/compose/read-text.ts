/** A file as text, or why not: a configuration, which nobody writes larger than this by hand or by program. */
import fs from "node:fs/promises";
import type { FileText } from "../cli/ports.ts";
import { readLasting } from "../net/lasting-file.ts";
import { codeOf } from "./error-text.ts";

const BYTES_MAX = 8 * 1024 * 1024;

/** Also from a pipe, as a shell makes them: whoever starts a program can end it. */
export async function readText(path: string): Promise<FileText> {
  try {
    const { size } = await fs.stat(path);
    if (size > BYTES_MAX) return { ok: false, code: "EFBIG" };
    return { ok: true, text: await fs.readFile(path, "utf8") };
  } catch (error) {
    return { ok: false, code: codeOf(error) };
  }
}

/** For a process that serves, or is to. */
export async function readTextAgain(path: string): Promise<FileText> {
  const read = await readLasting(path, BYTES_MAX);
  return read.ok ? { ok: true, text: read.bytes.toString("utf8") } : read;
}
