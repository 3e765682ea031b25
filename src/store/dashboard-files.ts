/** Reads the built dashboard. It is small and read once, so that serving it needs no disk while something is wrong. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import type { Dashboard, DashboardFile } from "../contract/dashboard.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Null: it was not built. */
export async function readDashboard(directory: string): Promise<Dashboard | null> {
  const files = new Map<string, DashboardFile>();
  try {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const file = join(entry.parentPath, entry.name);
      const [raw, gzip] = await Promise.all([readFile(file), readFile(`${file}.gz`)]);
      const etag = `"${createHash("sha256").update(raw).digest("base64url").slice(0, 22)}"`;
      files.set(`/${relative(directory, file).replaceAll(sep, "/")}`, { type, raw, gzip, etag });
    }
  } catch {
    return null;
  }
  return files.has("/index.html") ? files : null;
}
