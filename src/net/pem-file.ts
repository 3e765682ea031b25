/** Certificates and keys as files have them (PEM), and how large such a file may be. */
import { readLasting } from "./lasting-file.ts";

/** A certificate with its chain, or all authorities of a company. */
export const PEM_BYTES_MAX = 1024 * 1024;

export type PemText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly detail: string };

export async function readPem(file: string): Promise<PemText> {
  const read = await readLasting(file, PEM_BYTES_MAX);
  if (!read.ok) return { ok: false, detail: `the file ${file} cannot be read (${read.code})` };
  return { ok: true, text: read.bytes.toString("utf8") };
}
