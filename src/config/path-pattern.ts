/**
 * The path of a route's `match`: exact `/a/b`, prefix `/a/*` (which takes `/a` too), template
 * `/users/{id}/posts`, or everything, `/*`.
 *
 * Patterns are held to plain segments, so that a pattern has one reading even where a request path has
 * several (path-text.ts). No regular expressions, on purpose: which of two wins cannot be said in a
 * sentence, and one of them can stall the gateway.
 */
import { canonicalWritten } from "./path-text.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed, Refusal } from "./parsed.ts";

export type PathPattern =
  | { readonly kind: "exact"; readonly text: string; readonly path: string }
  /** Null stands for a parameter: any one segment that is not empty. */
  | {
      readonly kind: "template";
      readonly text: string;
      readonly segments: readonly (string | null)[];
      readonly literals: number;
    }
  /** `prefix` without the final slash and star: `/a`. */
  | { readonly kind: "prefix"; readonly text: string; readonly prefix: string }
  | { readonly kind: "everything"; readonly text: "/*" };

const PATTERN_MAX = 512;
const SEGMENTS_MAX = 64;
const FORMS = "Write an exact path /a/b, a prefix /a/* or a template /users/{id}/posts.";

export function parsePathPattern(input: unknown): Parsed<PathPattern> {
  if (typeof input !== "string") return refused(`${quoted(input)} is not a path.`, FORMS);
  if (!input.startsWith("/")) {
    return refused(
      `${quoted(input)} is not a path: it does not begin with a slash.`,
      input === "*" ? 'For every path write "/*".' : FORMS,
    );
  }
  if (input.length > PATTERN_MAX) return refused(`${quoted(input)} is longer than ${PATTERN_MAX} characters.`);
  if (input === "/*") return accepted({ kind: "everything", text: "/*" });
  const isPrefix = input.endsWith("/*");
  const written = isPrefix ? input.slice(0, -2) : input;
  const wrong = firstProblem(input, written);
  if (wrong !== null) return wrong;
  const segments = written.slice(1).split("/");
  if (segments.length > SEGMENTS_MAX) return refused(`${quoted(input)} has more than ${SEGMENTS_MAX} segments.`);
  if (written.includes("{")) return template(input, segments, isPrefix);
  const path = canonicalWritten(written);
  return accepted(isPrefix ? { kind: "prefix", text: `${path}/*`, prefix: path } : { kind: "exact", text: path, path });
}

/** Whether two patterns match the same paths: the names of parameters do not count. */
export function patternShape(pattern: PathPattern): string {
  if (pattern.kind !== "template") return pattern.text;
  return `/${pattern.segments.map((segment) => segment ?? "{}").join("/")}`;
}

/** Whether a path matches; the path is one reading of a request's (path-text.ts). */
export function fitsPattern(pattern: PathPattern, path: string): boolean {
  switch (pattern.kind) {
    case "everything":
      return true;
    case "exact":
      return path === pattern.path;
    case "prefix":
      return path === pattern.prefix || path.startsWith(`${pattern.prefix}/`);
    case "template":
      return slashesIn(path) === pattern.segments.length && fitsSegments(pattern.segments, path);
  }
}

/** For callers that know the number of slashes to be the number of segments. */
export function fitsSegments(segments: readonly (string | null)[], path: string): boolean {
  let start = 1;
  for (const segment of segments) {
    const slash = path.indexOf("/", start);
    const end = slash === -1 ? path.length : slash;
    const fits = segment === null ? end > start : end - start === segment.length && path.startsWith(segment, start);
    if (!fits) return false;
    start = end + 1;
  }
  return true;
}

export function slashesIn(path: string): number {
  let slashes = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) slashes += 1;
  return slashes;
}

function template(input: string, written: readonly string[], isPrefix: boolean): Parsed<PathPattern> {
  if (isPrefix) {
    return refused(
      `${quoted(input)} is a template and a prefix at once.`,
      "Write the parameters out to the end, or use the prefix before the first one.",
    );
  }
  const names = new Set<string>();
  const segments: (string | null)[] = [];
  for (const segment of written) {
    const name = /^\{([A-Za-z_][A-Za-z0-9_]{0,31})\}$/.exec(segment)?.[1];
    if (name === undefined && /[{}]/.test(segment)) {
      return refused(
        `${quoted(segment)} is not a parameter.`,
        "A parameter takes a whole segment and has a name: /users/{id}.",
      );
    }
    if (name !== undefined && names.has(name))
      return refused(`${quoted(input)} has two parameters named ${quoted(name)}.`);
    if (name !== undefined) names.add(name);
    segments.push(name === undefined ? canonicalWritten(segment) : null);
  }
  const text = `/${written.map((segment) => (segment.startsWith("{") ? segment : canonicalWritten(segment))).join("/")}`;
  return accepted({
    kind: "template",
    text,
    segments,
    literals: segments.filter((segment) => segment !== null).length,
  });
}

/** What no pattern may contain, because a request with it has no single reading or can never arrive. */
function firstProblem(input: string, written: string): Refusal | null {
  if (/[?#]/.test(written))
    return refused(`${quoted(input)} has a query or a fragment.`, "Routes look at the path alone; leave it out.");
  if (written.includes("*")) return refused(`${quoted(input)} has a star that is not its last segment.`, FORMS);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  if (/[\u0000-\u0020\u007f]/.test(written)) {
    return refused(`${quoted(input)} has a space or a control character.`, "Write a space as %20.");
  }
  if (/%(?![0-9A-Fa-f]{2})/.test(written)) {
    return refused(
      `${quoted(input)} has a percent sign without two hexadecimal digits.`,
      "Write a percent sign as %25.",
    );
  }
  if (/%2f|%5c|%00|\\|;/i.test(written)) {
    return refused(
      `${quoted(input)} has a character that origins read in different ways: \\ ; or an encoded / \\ or NUL.`,
    );
  }
  const segments = canonicalWritten(written).slice(1).split("/");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    return refused(`${quoted(input)} has a segment . or .., which no path has once it is read.`);
  }
  const isEmptyInside = segments.slice(0, -1).includes("") || (input !== written && segments.at(-1) === "");
  return isEmptyInside ? refused(`${quoted(input)} has an empty segment.`, FORMS) : null;
}
