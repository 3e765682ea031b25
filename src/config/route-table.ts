/**
 * From a request to its service and route. Compiled once for each configuration; on the way of every
 * request, so it allocates nothing for a plain path and answers at once where there is nothing to choose.
 *
 * Precedence is in route-order.ts. A path that origins may read in several ways (path-text.ts) is routed
 * only when all readings lead to the same route. Choosing one of them would let a client pick its route by
 * spelling; refusing whenever there is doubt would break clients that send `%2F` with good reason.
 *
 * There is no cache: paths with an id in them would fill any cache, and a look-up costs less than a hit.
 */
import { fitsSegments, slashesIn } from "./path-pattern.ts";
import { plainSlashes, readingsOf } from "./path-text.ts";
import { explainRoute, refusalText } from "./route-explain.ts";
import type { RouteExplanation, RouteQuestion } from "./route-explain.ts";
import { compareRoutes, isCatchAll, patternOf } from "./route-order.ts";
import type { RouteSettings, ServiceSettings } from "./settings.ts";

/** Shared and made once: two hits on one route are the same object. */
export interface RouteHit {
  readonly service: ServiceSettings;
  readonly route: RouteSettings;
  /** In `settings.services`. */
  readonly serviceIndex: number;
  /** In `service.routes`, or whatever number stands for it there. */
  readonly routeIndex: number;
}

/** The value of a request field by its lower-case name, or null when the request does not have it. */
export type HeaderOf = (lowerName: string) => string | null;

export interface RouteTable {
  /**
   * `host` in lower case and without a port, IPv6 in brackets; `path` as sent, with or without a query.
   * Null: no service for this host, or a path whose readings lead to different routes; `whyNot` tells.
   */
  match(host: string, method: string, path: string, header: HeaderOf): RouteHit | null;
  /** After a null: the evidence in one sentence, for records and people. */
  whyNot(host: string, method: string, path: string, header: HeaderOf): string;
  /** For `goodgate check --explain`: every route and why it was or was not chosen. */
  explain(host: string, method: string, path: string, header: HeaderOf): RouteExplanation;
}

/** The number of a route, by its service and its place there. */
type NumberOf = (serviceIndex: number, index: number) => number;

export function compileRoutes(
  services: readonly ServiceSettings[],
  numberOf: NumberOf = (_serviceIndex, index) => index,
): RouteTable {
  const hosts = compileHosts(services, numberOf);
  const table: RouteTable = {
    match(host, method, path, header) {
      const routes = routesOfHost(hosts, host);
      if (routes === null || routes.only !== null) return routes === null ? null : routes.only;
      const slashes = plainSlashes(path);
      return slashes < 0
        ? matchReadings(routes, method, path, header)
        : matchPath(routes, method, path, slashes, header);
    },
    whyNot(host, method, path, header) {
      return refusalText(questionOf(host, method, path, header));
    },
    explain(host, method, path, header) {
      return explainRoute(questionOf(host, method, path, header), services);
    },
  };
  function questionOf(host: string, method: string, path: string, header: HeaderOf): RouteQuestion {
    const routes = routesOfHost(hosts, host);
    const readings = readingsOf(path)?.map((text) => ({
      text,
      hit: routes === null ? null : matchPath(routes, method, text, slashesIn(text), header),
    }));
    return {
      host,
      method,
      header,
      pattern: routes?.pattern ?? null,
      ordered: routes?.ordered ?? [],
      readings: readings ?? [],
      hit: table.match(host, method, path, header),
    };
  }
  return table;
}

/** One route under one host, with what is left to check once its path matches. */
interface Candidate {
  readonly hit: RouteHit;
  readonly methods: readonly string[];
  /** Name and value; the value null stands for any. */
  readonly headers: readonly (readonly [string, string | null])[];
}

interface HostRoutes {
  /** As in `hosts`. */
  readonly pattern: string;
  /** Set when the first route asked takes everything: nothing else can ever win. */
  readonly only: RouteHit | null;
  /** In order of precedence. */
  readonly ordered: readonly RouteHit[];
  readonly exact: ReadonlyMap<string, readonly Candidate[]>;
  /** A list, because templates of different shapes may match one path and take turns in precedence. */
  readonly templates: readonly TemplateRoute[];
  /** Longest first. */
  readonly prefixes: readonly PrefixRoutes[];
  readonly everything: readonly Candidate[];
}

interface TemplateRoute {
  readonly segments: readonly (string | null)[];
  readonly candidate: Candidate;
}

/** All prefixes of one length. Most lengths have one, and comparing is cheaper than hashing. */
interface PrefixRoutes {
  readonly length: number;
  readonly first: string;
  readonly ofFirst: readonly Candidate[];
  /** Null when there is no other prefix of this length. */
  readonly all: ReadonlyMap<string, readonly Candidate[]> | null;
}

interface HostTable {
  readonly exact: ReadonlyMap<string, HostRoutes>;
  /** By what follows the star: `.example.com`. */
  readonly wildcards: ReadonlyMap<string, HostRoutes>;
  readonly any: HostRoutes | null;
}

/** The routes under the pattern that decides for this host: exact, else the longest wildcard, else `*`. */
function routesOfHost(hosts: HostTable, host: string): HostRoutes | null {
  const routes = hosts.exact.get(host);
  if (routes !== undefined) return routes;
  // `shop.example.com.`, with the dot of the root, is the same name to DNS and to the origin.
  if (host.endsWith(".")) return routesOfHost(hosts, host.slice(0, -1));
  if (hosts.wildcards.size > 0) {
    for (let dot = host.indexOf(".", 1); dot !== -1; dot = host.indexOf(".", dot + 1)) {
      const under = hosts.wildcards.get(host.slice(dot));
      if (under !== undefined) return under;
    }
  }
  return hosts.any;
}

function matchReadings(routes: HostRoutes, method: string, path: string, header: HeaderOf): RouteHit | null {
  let agreed: RouteHit | null = null;
  for (const reading of readingsOf(path) ?? []) {
    const hit = matchPath(routes, method, reading, slashesIn(reading), header);
    if (hit === null || (agreed !== null && agreed !== hit)) return null;
    agreed = hit;
  }
  return agreed;
}

function matchPath(
  routes: HostRoutes,
  method: string,
  path: string,
  slashes: number,
  header: HeaderOf,
): RouteHit | null {
  if (routes.exact.size > 0) {
    const candidates = routes.exact.get(path);
    const hit = candidates === undefined ? null : firstThatHolds(candidates, method, header);
    if (hit !== null) return hit;
  }
  for (const template of routes.templates) {
    if (template.segments.length !== slashes || !fitsSegments(template.segments, path)) continue;
    if (holds(template.candidate, method, header)) return template.candidate.hit;
  }
  for (const prefixes of routes.prefixes) {
    const { length } = prefixes;
    // A prefix ends where a segment ends; nearly all lengths fall out here.
    if (length > path.length || (length < path.length && path.charCodeAt(length) !== SLASH)) continue;
    const candidates = withPrefix(prefixes, path);
    const hit = candidates === undefined ? null : firstThatHolds(candidates, method, header);
    if (hit !== null) return hit;
  }
  return firstThatHolds(routes.everything, method, header);
}

const SLASH = 0x2f;

function withPrefix({ first, ofFirst, all, length }: PrefixRoutes, path: string): readonly Candidate[] | undefined {
  if (all === null) return path.startsWith(first) ? ofFirst : undefined;
  return all.get(length === path.length ? path : path.slice(0, length));
}

function firstThatHolds(candidates: readonly Candidate[], method: string, header: HeaderOf): RouteHit | null {
  for (const candidate of candidates) {
    if (holds(candidate, method, header)) return candidate.hit;
  }
  return null;
}

function holds(candidate: Candidate, method: string, header: HeaderOf): boolean {
  if (candidate.methods.length > 0 && !candidate.methods.includes(method)) return false;
  return candidate.headers.length === 0 || headersHold(candidate.headers, header);
}

function headersHold(conditions: Candidate["headers"], header: HeaderOf): boolean {
  return conditions.every(([name, wanted]) => {
    const value = header(name);
    return value !== null && (wanted === null || value === wanted);
  });
}

function compileHosts(services: readonly ServiceSettings[], numberOf: NumberOf): HostTable {
  const hitsByHost = new Map<string, RouteHit[]>();
  for (const [serviceIndex, service] of services.entries()) {
    const hits = service.routes.map((route, index): RouteHit =>
      Object.freeze({ service, route, serviceIndex, routeIndex: numberOf(serviceIndex, index) }),
    );
    for (const host of service.hosts) hitsByHost.set(host, [...(hitsByHost.get(host) ?? []), ...hits]);
  }
  const exact = new Map<string, HostRoutes>();
  const wildcards = new Map<string, HostRoutes>();
  let any: HostRoutes | null = null;
  for (const [host, hits] of hitsByHost) {
    const routes = compileHost(host, hits);
    if (host === "*") any = routes;
    else if (host.startsWith("*")) wildcards.set(host.slice(1), routes);
    else exact.set(host, routes);
  }
  return { exact, wildcards, any };
}

/** `hits` in the order of the file; sorting is stable, so that order decides between equals. */
function compileHost(pattern: string, hits: readonly RouteHit[]): HostRoutes {
  const ordered = hits.toSorted((one, other) => compareRoutes(one.route, other.route));
  const exact = new Map<string, Candidate[]>();
  const templates: TemplateRoute[] = [];
  const prefixes = new Map<string, Candidate[]>();
  const everything: Candidate[] = [];
  for (const hit of ordered) {
    const path = patternOf(hit.route.match);
    const candidate = candidateOf(hit);
    if (path.kind === "everything") everything.push(candidate);
    else if (path.kind === "template") templates.push({ segments: path.segments, candidate });
    else if (path.kind === "prefix") listAt(prefixes, path.prefix).push(candidate);
    else listAt(exact, path.path).push(candidate);
  }
  const first = ordered[0];
  const only = first !== undefined && isCatchAll(first.route.match) ? first : null;
  return { pattern, only, ordered, exact, templates, prefixes: prefixesByLength(prefixes), everything };
}

function prefixesByLength(prefixes: ReadonlyMap<string, readonly Candidate[]>): PrefixRoutes[] {
  const lengths = Map.groupBy(prefixes, ([prefix]) => prefix.length);
  return [...lengths]
    .toSorted(([one], [other]) => other - one)
    .flatMap(([length, entries]) => {
      const [entry] = entries;
      if (entry === undefined) return [];
      return [{ length, first: entry[0], ofFirst: entry[1], all: entries.length === 1 ? null : new Map(entries) }];
    });
}

function listAt(lists: Map<string, Candidate[]>, key: string): Candidate[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function candidateOf(hit: RouteHit): Candidate {
  const { methods, headers } = hit.route.match;
  const conditions = Object.entries(headers).map(([name, value]) => [name, value === "*" ? null : value] as const);
  return { hit, methods, headers: conditions };
}
