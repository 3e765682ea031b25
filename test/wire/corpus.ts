/**
 * Reads the corpus: Markdown in which a heading names a case, a `request` or `response` block holds its bytes
 * and an `events` block what the parser must report. A block with `…` in it is a frame for the table below it:
 * each row puts its first cell there and names the outcome and the reason.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { bytesOf } from "./notation.ts";

export interface WireCase {
  readonly title: string;
  readonly kind: "request" | "response";
  /** Of responses: the methods of the requests that they answer. */
  readonly methods: readonly string[];
  readonly bytes: string;
  readonly expected: Expectation;
}

export type Expectation =
  /** The whole log, line by line; without field lines when `fields` is false. */
  | { readonly kind: "log"; readonly lines: readonly string[]; readonly fields: boolean }
  /** What must hold of the log: `refused id`, `accepted`, or text that occurs in it. */
  | { readonly kind: "claims"; readonly claims: readonly string[] };

export interface WireFile {
  readonly name: string;
  readonly cases: readonly WireCase[];
}

interface Block {
  readonly kind: "request" | "response";
  readonly methods: readonly string[];
  readonly lines: readonly string[];
}

export function readCorpus(folder: string): WireFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .toSorted()
    .map((name) => ({ name, cases: readCases(readFileSync(path.join(folder, name), "utf8"), name) }));
}

export function readCases(markdown: string, name: string): WireCase[] {
  const cases: WireCase[] = [];
  const lines = markdown.split("\n");
  let heading = "";
  let block: Block | null = null;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const fence = /^```(\w+) ?(.*)$/.exec(line);
    if (/^#+ /.test(line)) heading = line.replace(/^#+ /, "");
    else if (fence !== null) {
      const end = lines.indexOf("```", at + 1);
      if (end < 0) throw new Error(`${name}: a block under "${heading}" has no end`);
      const content = lines.slice(at + 1, end);
      at = end;
      if (fence[1] === "events") {
        if (block === null) throw new Error(`${name}: events without bytes under "${heading}"`);
        cases.push({ ...caseOf(block, heading), bytes: bytesOf(block.lines), expected: logOf(content) });
        block = null;
      } else if (fence[1] === "request" || fence[1] === "response") {
        block = { kind: fence[1], methods: (fence[2] ?? "").split(" ").filter(Boolean), lines: content };
      }
    } else if (line.startsWith("|") && block !== null) {
      const frame = block;
      for (at += 2; (lines[at] ?? "").startsWith("|"); at += 1)
        cases.push(rowOf(frame, heading, lines[at] ?? "", name));
      block = null;
    }
  }
  return cases;
}

function caseOf(block: Block, title: string): Pick<WireCase, "title" | "kind" | "methods"> {
  return {
    title,
    kind: block.kind,
    methods: block.kind === "response" && block.methods.length === 0 ? ["GET"] : block.methods,
  };
}

function rowOf(block: Block, heading: string, row: string, name: string): WireCase {
  const [cell = "", outcome = "", why = ""] = row
    .split(/(?<!\\)\|/)
    .slice(1)
    .map((text) => text.trim().replaceAll("\\|", "|"));
  if (why === "") throw new Error(`${name}: a row under "${heading}" gives no reason: ${row}`);
  const text = cell === "nothing" ? "" : cell.replace(/^`(.*)`$/, "$1");
  const bytes = bytesOf(block.lines.map((line) => line.replace("…", () => text)));
  return {
    ...caseOf(block, `${heading}: ${cell} (${why})`),
    bytes,
    expected: { kind: "claims", claims: outcome.replaceAll("`", "").split(", ") },
  };
}

function logOf(lines: readonly string[]): Expectation {
  const meant = lines.map((line) => line.trimEnd()).filter((line) => line !== "");
  return { kind: "log", lines: meant, fields: meant.some((line) => line.startsWith("  ")) };
}
