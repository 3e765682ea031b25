/**
 * What differs between two configurations, setting by setting, for people and for the record of changes. Lists are
 * compared by the names of what is in them, so that one route more is one change and not a shift of all that follow.
 *
 * What must stay unknown is named and not shown.
 */
import { maskSecrets } from "./secrets.ts";
import type { Settings } from "./settings.ts";

/** One setting that differs. */
export interface SettingChange {
  /** `services.shop.pools.main.origins.http://10.0.0.1`: lists by the names of what is in them. */
  readonly path: string;
  /** As JSON; null: it was not there. */
  readonly from: string | null;
  /** As JSON; null: it is not there any more. */
  readonly to: string | null;
}

/** More are counted in the last one. */
const CHANGES_MAX = 200;
const TEXT_MAX = 160;

export function settingChanges(before: Settings, after: Settings): SettingChange[] {
  const found: SettingChange[] = [];
  // One secret is told from another by a number, and by nothing else.
  const secrets = new Map<string, string>();
  const numbered = (secret: string): string => {
    const known = secrets.get(secret) ?? `(hidden ${secrets.size + 1})`;
    secrets.set(secret, known);
    return known;
  };
  compare(maskSecrets(before, numbered), maskSecrets(after, numbered), [], found);
  if (found.length <= CHANGES_MAX) return found;
  const left = found.length - CHANGES_MAX + 1;
  return [...found.slice(0, CHANGES_MAX - 1), { path: `and ${left} more`, from: null, to: null }];
}

function compare(before: unknown, after: unknown, path: readonly string[], found: SettingChange[]): void {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (Array.isArray(before) && Array.isArray(after)) compareLists(before, after, path, found);
  else if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(before[key], after[key], [...path, key], found);
    }
  } else found.push({ path: path.join("."), from: textOf(before), to: textOf(after) });
}

function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  path: readonly string[],
  found: SettingChange[],
): void {
  const [known, wanted] = [named(before), named(after)];
  if (known === null || wanted === null) {
    found.push({ path: path.join("."), from: textOf(before), to: textOf(after) });
    return;
  }
  const moved = path.join(".") === "listeners" ? movedListener(known, wanted) : null;
  for (const [name, value] of known) {
    compare(value, name === moved?.from ? moved.value : wanted.get(name), [...path, name], found);
  }
  for (const [name, value] of wanted) {
    if (!known.has(name) && name !== moved?.to) compare(undefined, value, [...path, name], found);
  }
  const [stayed, stays] = [
    [...known.keys()].filter((name) => wanted.has(name)),
    [...wanted.keys()].filter((name) => known.has(name)),
  ];
  const where = [...path, "order"];
  if (String(stayed) !== String(stays)) found.push({ path: where.join("."), from: textOf(stayed), to: textOf(stays) });
}

/** One that is gone and one that is new are the same one with another address: a listener is called by its own. */
function movedListener(
  known: ReadonlyMap<string, unknown>,
  wanted: ReadonlyMap<string, unknown>,
): { readonly from: string; readonly to: string; readonly value: unknown } | null {
  const [from, ...moreFrom] = [...known.keys()].filter((name) => !wanted.has(name));
  const [to, ...moreTo] = [...wanted.keys()].filter((name) => !known.has(name));
  if (from === undefined || to === undefined || moreFrom.length + moreTo.length > 0) return null;
  return { from, to, value: wanted.get(to) };
}

/** By what tells each from the others; null: nothing does. */
function named(list: readonly unknown[]): Map<string, unknown> | null {
  const entries = list.map((item) => [isObject(item) ? (item["name"] ?? item["url"]) : undefined, item] as const);
  const names = new Map(entries.flatMap(([name, item]) => (typeof name === "string" ? [[name, item] as const] : [])));
  return names.size === list.length ? names : null;
}

/** Null: it is not there. */
function textOf(value: unknown): string | null {
  if (value === undefined) return null;
  const text = JSON.stringify(value);
  if (text.length <= TEXT_MAX) return text;
  return isObject(value) ? firstFields(value) : `${text.slice(0, TEXT_MAX - 1)}…`;
}

/** As many of its fields as there is room for, each whole, and how many are left out. */
function firstFields(value: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}:${JSON.stringify(field)}`);
  let room = TEXT_MAX - "{,… and 1000 more}".length;
  const shown = fields.filter((field) => (room -= field.length + 1) >= 0);
  const left = fields.length - shown.length;
  return `{${[...shown, `… and ${left} more`].join(",")}}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
