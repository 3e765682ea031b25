/** What must stay unknown, read where it is each time it is needed: so it can be changed while the gateway runs. */
import { readFile } from "node:fs/promises";

export interface HiddenPlace {
  readonly from: "text" | "file" | "env";
  readonly name: string;
}

export type Uncovered = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly detail: string };

const TEXT_MAX = 16 * 1024;

export async function uncover({ from, name }: HiddenPlace): Promise<Uncovered> {
  if (from === "text") return { ok: true, text: name };
  if (from === "env") {
    const text = process.env[name] ?? "";
    return text === "" ? { ok: false, detail: `the variable ${name} is not set` } : { ok: true, text };
  }
  try {
    const text = (await readFile(name, "utf8")).trim();
    if (text === "" || text.length > TEXT_MAX) return { ok: false, detail: `the file ${name} holds no secret` };
    return { ok: true, text };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "EIO";
    return { ok: false, detail: `the file ${name} cannot be read (${code})` };
  }
}
