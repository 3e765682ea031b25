/**
 * Why a request went to its route and not to another, for `goodgate check --explain` and for the evidence of
 * a request that no route took. It is told from the same order and the same patterns as the table, but it
 * looks at every route where the table stops at the first; a test holds the two against each other.
 */
import { fitsPattern } from "./path-pattern.ts";
import { quoted } from "./parsed.ts";
import { rateLimitText } from "./rate-limit-text.ts";
import { compareMatches, compareRoutes, matchText, patternOf } from "./route-order.ts";
import type { HeaderOf, RouteHit } from "./route-table.ts";
import { routeTexts } from "./route-text.ts";
import type { RouteMatch, ServiceSettings } from "./settings.ts";

/** Plain data: printed, and sent as JSON, as it is. */
export interface RouteExplanation {
  readonly host: string;
  readonly method: string;
  /** The paths that were compared: the reading of RFC 3986 first, further ones when origins may differ; none when there were too many. */
  readonly readings: readonly string[];
  /** The pattern of `hosts` that decided, or null when none matches. */
  readonly hostPattern: string | null;
  readonly chosen: { readonly service: string; readonly route: string } | null;
  /** A sentence. */
  readonly because: string;
  /** What the chosen route does with such a request besides, one sentence each. */
  readonly policies: readonly string[];
  /** The rate limits of the chosen route, one sentence each. */
  readonly limits: readonly string[];
  /** The routes under `hostPattern`, in the order in which they are asked. */
  readonly candidates: readonly RouteCandidate[];
  /** Services that were not asked, with the reason. */
  readonly otherServices: readonly {
    readonly service: string;
    readonly hosts: readonly string[];
    readonly because: string;
  }[];
}

export interface RouteCandidate {
  readonly service: string;
  readonly route: string;
  /** `GET /users/{id} x-beta=1`. */
  readonly match: string;
  readonly verdict: "chosen" | "outranked" | "no match" | "ambiguous";
  /** A sentence. */
  readonly because: string;
}

/** What the table knows about one request. */
export interface RouteQuestion {
  readonly host: string;
  readonly method: string;
  readonly header: HeaderOf;
  readonly pattern: string | null;
  readonly ordered: readonly RouteHit[];
  /** Each reading of the path and where it alone would lead; none when there were too many to compare. */
  readonly readings: readonly { readonly text: string; readonly hit: RouteHit | null }[];
  readonly hit: RouteHit | null;
}

export function explainRoute(question: RouteQuestion, services: readonly ServiceSettings[]): RouteExplanation {
  const { host, method, pattern, ordered, readings, hit } = question;
  const asked = new Set(ordered.map((candidate) => candidate.service));
  return {
    host,
    method,
    readings: readings.map((reading) => reading.text),
    hostPattern: pattern,
    chosen: hit === null ? null : { service: hit.service.name, route: hit.route.name },
    because: hit === null ? refusalText(question) : choiceText(question, hit),
    policies: hit === null ? [] : routeTexts(hit.route, method),
    limits: (hit?.route.rateLimits ?? []).map(
      (limit) => `Rate limit "${limit.name}": at most ${rateLimitText(limit)}.`,
    ),
    candidates: ordered.map((candidate) => candidateOf(candidate, question)),
    otherServices: services
      .filter((service) => !asked.has(service))
      .map((service) => ({
        service: service.name,
        hosts: service.hosts,
        because: otherServiceText(service, question),
      })),
  };
}

/** Why `match` gave null, in one sentence. */
export function refusalText({ host, pattern, readings }: RouteQuestion): string {
  if (pattern === null) return `No service answers for the host ${quoted(host)}.`;
  if (readings.length === 0) return "The path can be read in more ways than are worth comparing.";
  const ways = readings.map(
    (reading) => `${quoted(reading.text)} goes to ${reading.hit === null ? "no route" : nameOf(reading.hit)}`,
  );
  const shown = ways.slice(0, READINGS_SHOWN_MAX).join(", ");
  return `The path can be read in ${ways.length} ways that lead to different routes: ${shown}${ways.length > READINGS_SHOWN_MAX ? ", …" : ""}.`;
}

const READINGS_SHOWN_MAX = 4;

function choiceText({ host, pattern, readings }: RouteQuestion, hit: RouteHit): string {
  const manyReadings = readings.length > 1 ? ` All ${readings.length} readings of the path lead there.` : "";
  return `${nameOf(hit)} is the most specific match under ${hostText(pattern, host)}.${manyReadings}`;
}

function hostText(pattern: string | null, host: string): string {
  return pattern === "*" ? "* (every host)" : pattern === null || pattern === host ? host : `${pattern} (for ${host})`;
}

function candidateOf(candidate: RouteHit, question: RouteQuestion): RouteCandidate {
  const { hit, readings, method, header } = question;
  const { match } = candidate.route;
  const names = { service: candidate.service.name, route: candidate.route.name, match: matchText(match) };
  if (candidate === hit) return { ...names, verdict: "chosen", because: "Nothing more specific matches." };
  const tooLong = {
    ...names,
    verdict: "ambiguous",
    because: "The path has too many readings to be compared.",
  } as const;
  if (readings.length === 0) return tooLong;
  const pathFits = readings.some((reading) => fitsPattern(patternOf(match), reading.text));
  const missing = pathFits ? failedCondition(match, method, header) : pathText(match.path);
  if (missing !== null) return { ...names, verdict: "no match", because: missing };
  if (hit === null)
    return {
      ...names,
      verdict: "ambiguous",
      because: "It matches some readings of the path and not all of them win it.",
    };
  return { ...names, verdict: "outranked", because: `It matches too, but ${rankText(hit, candidate)}.` };
}

function failedCondition(match: RouteMatch, method: string, header: HeaderOf): string | null {
  if (match.methods.length > 0 && !match.methods.includes(method)) {
    return `The method is ${method}, not ${match.methods.join(" or ")}.`;
  }
  for (const [name, wanted] of Object.entries(match.headers)) {
    const value = header(name);
    if (value === null) return `The request has no ${name} field.`;
    if (wanted !== "*" && value !== wanted) return `The field ${name} is ${quoted(value)}, not ${quoted(wanted)}.`;
  }
  return null;
}

function pathText(path: string): string {
  if (path.endsWith("/*")) return `The path is not ${path.slice(0, -2)} and not under it.`;
  return path.includes("{") ? `The path does not fit ${path}.` : `The path is not ${path}.`;
}

/** The first rule of precedence that tells the two apart (route-order.ts). */
function rankText(winner: RouteHit, loser: RouteHit): string {
  const one = winner.route.match;
  const other = loser.route.match;
  const name = nameOf(winner);
  if (compareRoutes(winner.route, loser.route) === 0) return `${name} comes first in the file`;
  if (compareMatches({ ...one, methods: [], headers: {} }, { ...other, methods: [], headers: {} }) !== 0)
    return `the path of ${name} is more specific`;
  if (one.methods.length > 0 !== other.methods.length > 0) return `${name} names the method`;
  if (Object.keys(one.headers).length !== Object.keys(other.headers).length)
    return `${name} has more header conditions`;
  return `${name} was written, and this is the route that a service has without being asked`;
}

function otherServiceText(service: ServiceSettings, { host, pattern }: RouteQuestion): string {
  const matching = service.hosts.find((candidate) => hostFits(candidate, host));
  if (matching === undefined) return `The host ${quoted(host)} is not one of its hosts.`;
  return `Its host ${matching} matches too, but ${pattern ?? ""} is more specific.`;
}

function hostFits(pattern: string, host: string): boolean {
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  return (
    pattern === "*" ||
    pattern === name ||
    (pattern.startsWith("*") && name.length >= pattern.length && name.endsWith(pattern.slice(1)))
  );
}

function nameOf(hit: RouteHit): string {
  return `${hit.service.name} ${hit.route.name}`;
}
