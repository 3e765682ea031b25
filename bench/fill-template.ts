/** Configurations of bench/configs with their ports and paths filled in. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CONFIGS = fileURLToPath(new URL("configs", import.meta.url));

/** Writes a template, its `__NAMES__` replaced, into a folder, and returns where. */
export async function fillTemplate(
  template: string,
  folder: string,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  const text = await readFile(join(CONFIGS, template), "utf8");
  const path = join(folder, `${values["PORT"] ?? "origin"}-${template}`);
  await writeFile(
    path,
    text.replaceAll(/__([A-Z_]+?)__/g, (_, key: string) => {
      const value = values[key];
      if (value === undefined) throw new Error(`${template} asks for ${key}, which the benchmark does not know`);
      return value;
    }),
  );
  return path;
}
