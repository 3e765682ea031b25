/** The files that the configuration names and an exchange may need. */
import fs from "node:fs/promises";
import type { StartResult } from "../cli/ports.ts";
import { FALLBACK_BYTES_MAX } from "../config/fallback-schema.ts";
import type { Settings } from "../config/settings.ts";
import { assertLasting } from "../net/lasting-file.ts";
import { codeOf } from "./error-text.ts";

/** The files of the routes' fallbacks, read once: what answers when all else fails must not need a disk then. */
export async function readFallbacks(
  settings: Settings,
): Promise<{ readonly ok: true; readonly files: Map<string, Buffer> } | Extract<StartResult, { ok: false }>> {
  const files = new Map<string, Buffer>();
  for (const { fallback } of settings.services.flatMap((service) => service.routes)) {
    const file = fallback?.file ?? null;
    if (file === null || files.has(file)) continue;
    try {
      const stats = await fs.stat(file);
      assertLasting(stats);
      if (stats.size > FALLBACK_BYTES_MAX) return { ok: false, what: "fallback", where: file, code: "EFBIG" };
      files.set(file, await fs.readFile(file));
    } catch (error) {
      return { ok: false, what: "fallback", where: file, code: codeOf(error) };
    }
  }
  return { ok: true, files };
}
