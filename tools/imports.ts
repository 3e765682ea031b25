/**
 * Finds what a TypeScript file imports, by its text. A compiler would do it, too, but the one that we use has
 * no interface for programs yet, and after the formatter an import is easy to tell: static ones begin a line.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** `import type`, `export type … from` and `typeof import(…)`: gone when the program runs. */
  readonly isType: boolean;
  /** `export … from`. */
  readonly isReexport: boolean;
  /** Values imported by name, as the other file calls them; null for a default, a namespace, or nothing at all. */
  readonly names: readonly string[] | null;
}

export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  for (const match of code.matchAll(/^(import|export)\b(\s+type\b)?([^;"'=()]*?)\bfrom\s*"([^"]+)"/gm)) {
    const [, keyword, type, clause = "", specifier = ""] = match;
    found.push({
      specifier,
      line: lineAt(code, match.index),
      isType: type !== undefined,
      isReexport: keyword === "export",
      names: namesIn(clause),
    });
  }
  for (const match of code.matchAll(/^import\s*"([^"]+)"/gm)) found.push(bare(code, match, false));
  for (const match of code.matchAll(/(\btypeof\s+)?\bimport\(\s*["'`]([^"'`]*)["'`]/g)) {
    found.push(bare(code, match, match[1] !== undefined));
  }
  return found.toSorted((a, b) => a.line - b.line);
}

/** Every `.ts` and `.tsx` file under `root/folder`, in the order of its path. */
export function sourceFiles(root: string, folder: string): SourceFile[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /(?<!\.d)\.tsx?$/.test(name))
    .map((name) => path.posix.join(folder, name.replaceAll(path.sep, "/")))
    .toSorted()
    .map((name) => ({ path: name, text: readFileSync(path.join(root, name), "utf8") }));
}

function bare(code: string, match: RegExpExecArray, isType: boolean): Import {
  const line = lineAt(code, match.index);
  return { specifier: match.at(-1) ?? "", line, isType, isReexport: false, names: null };
}

function namesIn(clause: string): string[] | null {
  const braces = /^\s*\{([^}]*)\}\s*$/.exec(clause);
  if (braces === null) return null;
  return (braces[1] ?? "")
    .split(",")
    .map((name) => name.trim().replace(/\s+as\s+.*$/s, ""))
    .filter((name) => name !== "" && !name.startsWith("type "));
}

/** Keeps the line numbers. Only comments that begin a line go: a `/*` elsewhere may be a path in a string. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replaceAll(/[^\n]/g, ""))
    .replaceAll(/^[ \t]*\/\/.*$/gm, "");
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
