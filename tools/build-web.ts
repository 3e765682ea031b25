/**
 * `npm run build`: the dashboard from web/ into dist/web, each file also compressed, so that the gateway hands out bytes
 * and compresses nothing. `npm ci` runs it, too (`prepare`), so that a fresh checkout has a dashboard; where the
 * development packages were left out it does nothing, and says so.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** `outDir`: default `dist/web`. */
export async function buildWeb(outDir: string = join(ROOT, "dist", "web")): Promise<void> {
  const { build } = await import("vite");
  // Whoever calls may be a test, and what is shipped must not depend on it.
  const before = process.env["NODE_ENV"];
  process.env["NODE_ENV"] = "production";
  try {
    await build({ configFile: join(ROOT, "vite.config.ts"), mode: "production", build: { outDir } });
  } finally {
    if (before === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = before;
  }
  for (const entry of readdirSync(outDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9, memLevel: 9 }));
  }
}

if (import.meta.main) {
  try {
    await buildWeb();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
    console.warn("The dashboard is not built: its tools are development packages, and those were left out.");
  }
}
