/**
 * Which of two routes wins when both match: the one place where precedence is decided, for the table, for
 * `explain`, for notes about routes that can never be reached, and (in prose) for docs/guide/routing.md.
 *
 * The host comes first and is settled by the table: an exact host, then the longest wildcard, then `*`.
 * Within one host:
 *   1. exact path, then templates by literal segments (more first), then prefixes by length (longer
 *      first), then everything;
 *   2. a route that names methods before one that takes any;
 *   3. more header conditions before fewer;
 *   4. the order in the file, with the route that a service has without being asked (`default`) last.
 */
import { parsePathPattern } from "./path-pattern.ts";
import type { PathPattern } from "./path-pattern.ts";
import type { RouteMatch, RouteSettings } from "./settings.ts";

/** The name of the catch-all that every service has at its end. No route in a file may take it. */
export const DEFAULT_ROUTE = "default";

/** Negative when `one` is asked before `other`; 0 when only their order in the file decides. */
export function compareMatches(one: RouteMatch, other: RouteMatch): number {
  return (
    comparePaths(patternOf(one), patternOf(other)) ||
    Number(other.methods.length > 0) - Number(one.methods.length > 0) ||
    Object.keys(other.headers).length - Object.keys(one.headers).length
  );
}

export function compareRoutes(one: RouteSettings, other: RouteSettings): number {
  return (
    compareMatches(one.match, other.match) || Number(one.name === DEFAULT_ROUTE) - Number(other.name === DEFAULT_ROUTE)
  );
}

/** Whether every request that `later` matches is matched by `earlier` as well; the paths are of one shape. */
export function coversConditions(earlier: RouteMatch, later: RouteMatch): boolean {
  const hasMethods =
    earlier.methods.length === 0 ||
    (later.methods.length > 0 && later.methods.every((method) => earlier.methods.includes(method)));
  const hasHeaders = Object.entries(earlier.headers).every(
    ([name, value]) => Object.hasOwn(later.headers, name) && (value === "*" || later.headers[name] === value),
  );
  return hasMethods && hasHeaders;
}

/** Whether a route takes every request of its service. */
export function isCatchAll({ path, methods, headers }: RouteMatch): boolean {
  return path === "/*" && methods.length === 0 && Object.keys(headers).length === 0;
}

/** A match in one line, for explanations: `/api/*`, `GET,HEAD /a`, `/a x-beta=1`. */
export function matchText(match: RouteMatch): string {
  const headers = Object.entries(match.headers).map(([name, value]) => ` ${name}=${value}`);
  return `${methodsAndPath(match)}${headers.join("")}`;
}

/**
 * What a route without a name is called in records and metrics: `GET /a x-beta`. Without the values of
 * fields, which may be secrets.
 */
export function matchName(match: RouteMatch): string {
  const headers = Object.keys(match.headers).map((name) => ` ${name}`);
  return `${methodsAndPath(match)}${headers.join("")}`;
}

function methodsAndPath({ methods, path }: RouteMatch): string {
  return `${methods.length === 0 ? "" : `${methods.join(",")} `}${path}`;
}

/** Settings were checked before they came here, so a path that does not parse is a bug of the caller. */
export function patternOf(match: RouteMatch): PathPattern {
  const pattern = parsePathPattern(match.path);
  if (!pattern.ok) throw new Error(`route with an unchecked path: ${pattern.message}`);
  return pattern.value;
}

const KIND_RANK: Readonly<Record<PathPattern["kind"], number>> = { exact: 0, template: 1, prefix: 2, everything: 3 };

function comparePaths(one: PathPattern, other: PathPattern): number {
  if (one.kind === "template" && other.kind === "template") return other.literals - one.literals;
  if (one.kind === "prefix" && other.kind === "prefix") return other.prefix.length - one.prefix.length;
  return KIND_RANK[one.kind] - KIND_RANK[other.kind];
}
