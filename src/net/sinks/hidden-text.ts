/** What must stay unknown, read where it is each time it is needed: so it can be changed while the gateway runs. */
import { readLasting } from "../lasting-file.ts";

export interface HiddenPlace {
  readonly from: "text" | "file" | "env";
  readonly name: string;
}

export type Uncovered = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly detail: string };

const BYTES_MAX = 16 * 1024;

export async function uncover({ from, name }: HiddenPlace): Promise<Uncovered> {
  if (from === "text") return { ok: true, text: name };
  if (from === "env") {
    const text = process.env[name] ?? "";
    return text === "" ? { ok: false, detail: `the variable ${name} is not set` } : { ok: true, text };
  }
  const read = await readLasting(name, BYTES_MAX);
  if (!read.ok && read.code !== "EFBIG") return { ok: false, detail: `the file ${name} cannot be read (${read.code})` };
  const text = read.ok ? read.bytes.toString("utf8").trim() : "";
  return text === "" ? { ok: false, detail: `the file ${name} holds no secret` } : { ok: true, text };
}
