/**
 * What `check` says about a file: problems, which stop it from being used, and notes, which do not. Here
 * the schema's findings get an operator's words and a place in the text.
 */
import type { z } from "zod";
import { nearest } from "../kernel/nearest.ts";
import { EMPTY, EMPTY_HINT, MISSING } from "./fields.ts";
import { quoted, sentence, shown } from "./parsed.ts";
import { isMapping, UNREADABLE } from "./yaml-tree.ts";

export interface ConfigProblem {
  readonly file: string;
  /** 1-based; 0 when the value did not come from a file. */
  readonly line: number;
  /** 1-based; 0 when the value did not come from a file. */
  readonly column: number;
  /** `services.shop.routes[0].match.path`; empty for the file as a whole. */
  readonly path: string;
  /** A sentence: what is wrong. */
  readonly message: string;
  /** A sentence: how to put it right; empty when the message says it all. */
  readonly hint: string;
}

export type ConfigNote = Omit<ConfigProblem, "hint">;

export type Path = readonly (string | number)[];

/** A finding before it has a place in a text. `at`: whether its place is the key or the value. */
export interface Finding {
  readonly path: Path;
  readonly at: "key" | "value";
  readonly message: string;
  readonly hint: string;
}

/** Keys come from the file, so each is bounded as a quoted value is. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const key = shown(part);
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** What is known about keys, for the hint to an unknown one. */
export interface KeyHints {
  /** The keys that a mapping at this path may have. */
  keysAt(path: Path): readonly string[];
  /** Where in the file a key exists. */
  homesOf(key: string): readonly string[];
}

/** What the schema found in `value`. */
export function schemaFindings(issues: readonly z.core.$ZodIssue[], value: unknown, hints: KeyHints): Finding[] {
  return issues
    .flatMap((issue) => findingsOf(issue, [], value))
    .filter((finding) => valueAt(value, finding.path) !== UNREADABLE);

  function findingsOf(issue: z.core.$ZodIssue, outer: Path, root: unknown): Finding[] {
    const path = [...outer, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
    const input = valueAt(root, path);
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => unknownKey(key, path));
      case "invalid_union":
        return findingsOfUnion(issue.errors, path, input);
      case "invalid_key":
        return issue.issues
          .flatMap((inner) => findingsOf(inner, path, root))
          .map((finding) => ({ ...finding, path, at: "key" as const }));
      case "custom":
        return [
          {
            path,
            at: "value",
            message: issue.message === MISSING ? missingText(path) : issue.message,
            hint: hintOf(issue.params),
          },
        ];
      case "invalid_type":
        return [{ path, at: "value", ...typeWords(issue.expected, input, path) }];
      case "too_small":
        return [
          {
            path,
            at: "value",
            message: "The list is empty.",
            hint: `It needs at least ${String(issue.minimum)} entry.`,
          },
        ];
      case "too_big":
        return [{ path, at: "value", message: `The list has more than ${String(issue.maximum)} entries.`, hint: "" }];
      // The schema has no such checks. Should it get one, zod's words are better than silence.
      case "invalid_element":
      case "invalid_format":
      case "invalid_value":
      case "not_multiple_of":
        return [{ path, at: "value", message: issue.message, hint: "" }];
    }
  }

  /** A union is always a short form first and a mapping or a list second: what was written decides which was meant. */
  function findingsOfUnion(options: readonly (readonly z.core.$ZodIssue[])[], path: Path, input: unknown): Finding[] {
    const [short = [], mapping = []] = options;
    const [first] = short;
    if (first?.code === "invalid_type" && first.expected === "array" && !isMapping(input) && input !== null) {
      const message = `${quoted(input)} is neither a mapping nor a list of mappings.`;
      return [{ path, at: "value", message, hint: `Their keys: ${hints.keysAt(path).join(", ")}.` }];
    }
    // A list where one may be: what is wrong is wrong inside of it.
    const meant = isMapping(input) || (Array.isArray(input) && mapping.every(isOfList)) ? mapping : short;
    return meant.flatMap((issue) => findingsOf(issue, path, value));
  }

  function unknownKey(key: string, path: Path): Finding {
    const known = hints.keysAt(path);
    const near = nearest(key, known);
    const homes = hints.homesOf(key);
    let hint = `Known keys here: ${known.join(", ")}.`;
    if (near !== null) hint = `Did you mean ${quoted(near)}?`;
    // A key with many homes, such as path, was more likely made up than misplaced.
    else if (homes.length === 1 || homes.length === 2) hint = `It belongs under ${homes.join(" or ")}.`;
    return { path: [...path, key], at: "key", message: `The key ${quoted(key)} is not known here.`, hint };
  }
}

/** And not of something that is no list at all. */
function isOfList({ code, path }: z.core.$ZodIssue): boolean {
  return path.length > 0 || code === "too_small" || code === "too_big";
}

export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (Array.isArray(value)) value = typeof part === "number" ? (value as readonly unknown[])[part] : undefined;
    else if (isMapping(value) && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}

function hintOf(params: Readonly<Record<string, unknown>> | undefined): string {
  return typeof params?.["hint"] === "string" ? params["hint"] : "";
}

function typeWords(expected: string, input: unknown, path: Path): { readonly message: string; readonly hint: string } {
  if (input === undefined) return { message: missingText(path), hint: "" };
  if (input === null) return { message: EMPTY, hint: EMPTY_HINT };
  if (expected !== "array")
    return { message: sentence(`${quoted(input)} is not a mapping.`), hint: "Write keys with values below it." };
  const hint = isMapping(input) ? "Begin its entries with a dash." : `Write [${quoted(input)}].`;
  return { message: sentence(`${quoted(input)} is not a list.`), hint };
}

function missingText(path: Path): string {
  return `The key ${quoted(path.at(-1))} is missing.`;
}
