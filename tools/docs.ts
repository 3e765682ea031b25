/**
 * Writes docs/reference/ from the tables and schemas of the program, so that a page cannot say what the
 * program does not do. With `--check` it writes nothing, names the files that differ and exits with 1.
 *
 * Files in docs/reference/ that nothing here makes are stale, too: the folder holds nothing written by hand.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { FOREIGN_CODES } from "../src/contract/foreign-codes.ts";
import { METRICS } from "../src/admin/metric-names.ts";
import { openApi } from "../src/admin/openapi.ts";
import { configurationReference, jsonSchema } from "../src/config/reference.ts";
import { REFUSALS } from "../src/http1/refusals.ts";
import { CAUSES } from "../src/kernel/causes.ts";
import { CONCLUSIONS } from "../src/kernel/conclusions.ts";
import { DECISIONS } from "../src/kernel/decisions.ts";
import {
  causesPage,
  conclusionsPage,
  decisionsPage,
  metricsPage,
  refusalsPage,
  translationsPage,
} from "./reference-pages.ts";

const FOLDER = "docs/reference";

/** File name → content, in the order in which they are told. */
export function referenceFiles(): Map<string, string> {
  const refusals = Object.entries(REFUSALS).map(([id, refusal]) => ({ id, ...refusal }));
  const decisions = Object.entries(DECISIONS).map(([code, decision]) => ({ code, ...decision }));
  return new Map([
    ["causes.md", causesPage(Object.values(CAUSES), "src/kernel/causes.ts")],
    ["conclusions.md", conclusionsPage(Object.values(CONCLUSIONS), "src/kernel/conclusions.ts")],
    ["configuration.md", text(configurationReference())],
    ["decisions.md", decisionsPage(decisions, "src/kernel/decisions.ts")],
    ["goodgate.schema.json", json(jsonSchema())],
    ["metrics.md", metricsPage(METRICS, "src/admin/metric-names.ts")],
    ["openapi.json", json(openApi())],
    ["refusals.md", refusalsPage(refusals, "src/http1/refusals.ts")],
    ["translations.md", translationsPage(FOREIGN_CODES, "src/contract/foreign-codes.ts")],
  ]);
}

/** Names of files in `folder` that are missing, different, or made by nothing. */
export function staleFiles(folder: string, wanted: ReadonlyMap<string, string>): string[] {
  const present = existsSync(folder) ? readdirSync(folder) : [];
  const stale = [...wanted].filter(([name, content]) => {
    return !present.includes(name) || readFileSync(path.join(folder, name), "utf8") !== content;
  });
  return [...stale.map(([name]) => name), ...present.filter((name) => !wanted.has(name))].toSorted();
}

/** Makes `folder` hold exactly `wanted`; returns the names that changed. */
export function writeFiles(folder: string, wanted: ReadonlyMap<string, string>): string[] {
  mkdirSync(folder, { recursive: true });
  const stale = staleFiles(folder, wanted);
  for (const name of stale) {
    const content = wanted.get(name);
    if (content === undefined) rmSync(path.join(folder, name), { recursive: true });
    else writeFileSync(path.join(folder, name), content);
  }
  return stale;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function text(content: string): string {
  return `${content.trimEnd()}\n`;
}

if (import.meta.main) {
  const folder = path.join(import.meta.dirname, "..", FOLDER);
  if (process.argv.includes("--check")) {
    const stale = staleFiles(folder, referenceFiles());
    for (const name of stale) console.error(`${FOLDER}/${name} is not what the program says; run: npm run docs`);
    if (stale.length > 0) process.exitCode = 1;
  } else {
    for (const name of writeFiles(folder, referenceFiles())) console.log(`${FOLDER}/${name} written`);
  }
}
