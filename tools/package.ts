/**
 * `npm run package`: the published package, built into `dist/package` and packed beside it. Its manifest is not the
 * repository's: development tools, scripts and the Node binary that a checkout brings along are left out. Whoever
 * installs Goodgate runs it on a Node of their own, and must not download a second one of 190 MB with it.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildWeb } from "./build-web.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FILES = ["bin", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "docs"] as const;
const LEFT_OUT = ["private", "scripts", "devDependencies", "optionalDependencies", "overrides", "files"] as const;

export function publishedManifest(manifest: Record<string, unknown>): Record<string, unknown> {
  const left = new Set<string>(LEFT_OUT);
  return Object.fromEntries(Object.entries(manifest).filter(([key]) => !left.has(key)));
}

/** Returns the packed file. */
export async function makePackage(): Promise<string> {
  const folder = join(ROOT, "dist", "package");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run("tsc", ["-p", "tsconfig.build.json", "--outDir", join(folder, "dist")]);
  await buildWeb(join(folder, "dist", "web"));
  for (const file of FILES) cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<string, unknown>;
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
  const packed = run("npm", ["pack", folder, "--pack-destination", join(ROOT, "dist"), "--silent"]);
  return join(ROOT, "dist", packed.trim());
}

function run(command: string, args: readonly string[]): string {
  const path = `${join(ROOT, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`;
  return execFileSync(command, args, { cwd: ROOT, encoding: "utf8", env: { ...process.env, PATH: path } });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${await makePackage()}\n`);
