/**
 * From the file that an operator writes to the settings that the program uses, by example: `NAME.in.yaml`
 * and the `NAME.out.json` that must come of it. To accept a change, write the received value and read the diff.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadSettings } from "../../src/config/load.ts";

const folder = new URL("./", import.meta.url);
const inputs = readdirSync(folder).filter((name) => name.endsWith(".in.yaml"));

test.each(inputs)("%s", (name) => {
  const loaded = loadSettings(readFileSync(new URL(name, folder), "utf8"), name);
  expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  const expected: unknown = JSON.parse(readFileSync(new URL(name.replace(".in.yaml", ".out.json"), folder), "utf8"));
  expect(loaded.ok ? loaded.settings : null).toEqual(expected);
});
