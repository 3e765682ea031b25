/** The files that the configuration names and an exchange may need. */
import type { StartResult } from "../cli/ports.ts";
import { FALLBACK_BYTES_MAX } from "../config/fallback-schema.ts";
import type { Settings } from "../config/settings.ts";
import { readLasting } from "../net/lasting-file.ts";

/** The files of the routes' fallbacks, read once: what answers when all else fails must not need a disk then. */
export async function readFallbacks(
  settings: Settings,
): Promise<{ readonly ok: true; readonly files: Map<string, Buffer> } | Extract<StartResult, { ok: false }>> {
  const files = new Map<string, Buffer>();
  for (const { fallback } of settings.services.flatMap((service) => service.routes)) {
    const file = fallback?.file ?? null;
    if (file === null || files.has(file)) continue;
    // oxlint-disable-next-line no-await-in-loop -- A handful of small files, at the start.
    const read = await readLasting(file, FALLBACK_BYTES_MAX);
    if (!read.ok) return { ok: false, what: "fallback", where: file, code: read.code };
    files.set(file, read.bytes);
  }
  return { ok: true, files };
}
