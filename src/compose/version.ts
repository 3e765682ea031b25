/** Which Goodgate this is. */
import { readFileSync } from "node:fs";

export const VERSION: string = versionOfPackage();

/** Beside the sources in a checkout, beside the build in the published package: one level up in both. */
function versionOfPackage(): string {
  const read = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return read.version;
}
