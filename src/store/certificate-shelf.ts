/**
 * Certificates that were obtained by themselves, their keys and the accounts with authorities, in the state directory:
 * one file for each, readable by nobody else, and each written whole before it takes the place of the one before. A
 * file that cannot be read counts as missing, which costs an order and no more.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import { join } from "node:path";
import type { AcmeAccount, KeyPair } from "../contract/acme.ts";

export interface ShelfFiles {
  readonly certificates: readonly KeyPair[];
  /** Of whatever form was kept; null: nothing was. */
  readonly states: unknown;
  readonly accounts: readonly AcmeAccount[];
  /** Files that could not be read. */
  readonly broken: readonly string[];
}

const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const STATES = "states.json";

/** Makes the directory. Rejects when that cannot be. */
export async function readShelf(directory: string): Promise<ShelfFiles> {
  await fs.mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
  const certificates: KeyPair[] = [];
  const accounts: AcmeAccount[] = [];
  const broken: string[] = [];
  let states: unknown = null;
  for (const file of (await fs.readdir(directory)).toSorted()) {
    if (!file.endsWith(".json")) continue;
    // oxlint-disable-next-line no-await-in-loop -- A handful of small files, at the start.
    const content = await jsonOf(join(directory, file));
    if (file === STATES) states = content;
    else if (file.startsWith("account-") && isAccount(content)) accounts.push(content);
    else if (file.startsWith("name-") && isPair(content)) certificates.push(content);
    else broken.push(join(directory, file));
  }
  return { certificates, states, accounts, broken };
}

export function keepPair(directory: string, pair: KeyPair): Promise<void> {
  return write(directory, `name-${pair.name}.json`, pair);
}

export function keepAccount(directory: string, account: AcmeAccount): Promise<void> {
  const name = account.directory.replace(/[^A-Za-z0-9.-]+/g, "_");
  return write(directory, `account-${name}.json`, account);
}

export function keepStates(directory: string, states: unknown): Promise<void> {
  return write(directory, STATES, states);
}

/** On disk before it is there: after a power cut it is the old one or the new one. */
async function write(directory: string, file: string, content: unknown): Promise<void> {
  const beside = join(directory, `${file}.${randomBytes(4).toString("hex")}.new`);
  const handle = await fs.open(beside, "wx", PRIVATE_FILE);
  try {
    await handle.writeFile(JSON.stringify(content));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fs.rename(beside, join(directory, file));
}

async function jsonOf(path: string): Promise<unknown> {
  try {
    return JSON.parse(await fs.readFile(path, "utf8"));
  } catch {
    return null;
  }
}

function isPair(content: unknown): content is KeyPair {
  return hasTexts(content, ["name", "cert", "key"]);
}

function isAccount(content: unknown): content is AcmeAccount {
  return hasTexts(content, ["directory", "key", "url"]);
}

function hasTexts(content: unknown, keys: readonly string[]): boolean {
  if (typeof content !== "object" || content === null) return false;
  const fields = content as Readonly<Record<string, unknown>>;
  return keys.every((key) => typeof fields[key] === "string");
}
