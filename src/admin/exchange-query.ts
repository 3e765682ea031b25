/**
 * The query of `GET /exchanges` as a filter. Whatever is not understood is an error with the nearest known
 * name: a filter that is silently ignored shows the wrong exchanges, and at three in the morning nobody
 * looks at the address bar.
 *
 * Names of services, routes and origins are checked against those configured now.
 */
import { CAUSES, isCauseId } from "../kernel/causes.ts";
import { nearest } from "../kernel/nearest.ts";
import type { Problem } from "../contract/api-responses.ts";
import { outcomeSchema } from "../contract/api-record-schemas.ts";
import type { ExchangeFilter } from "../contract/view.ts";
import { parseSince } from "./since.ts";

export type Refusal = Omit<Problem, "title">;
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export const LIMIT_DEFAULT = 50;
export const LIMIT_MAX = 1000;

/** The names that a filter may use now. */
export interface KnownNames {
  readonly services: readonly string[];
  readonly routes: readonly string[];
  readonly origins: readonly string[];
}

/** The query as names and values, each name one of `allowed` and at most once, no value empty. */
export function parseQuery<N extends string>(query: string, allowed: readonly N[]): Parsed<Partial<Record<N, string>>> {
  const values: Partial<Record<N, string>> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const known = allowed.find((candidate) => candidate === name);
    if (known === undefined) {
      const takes = allowed.length === 0 ? "this path takes none" : `this path takes ${allowed.join(", ")}`;
      return refuse({
        code: "unknown-parameter",
        parameter: name,
        detail: `There is no parameter ${quoted(name)}; ${takes}.`,
        ...near(name, allowed),
      });
    }
    if (values[known] !== undefined) return badParameter(known, `${known} is given more than once.`);
    if (value === "") return badParameter(known, `${known} is empty: leave it out or give it a value.`);
    values[known] = value;
  }
  return { ok: true, value: values };
}

export const EXCHANGE_PARAMETERS = [
  "cause",
  "origin",
  "service",
  "route",
  "status",
  "outcome",
  "since",
  "limit",
] as const;

export function parseExchangeFilter(query: string, names: KnownNames, now: number): Parsed<ExchangeFilter> {
  const parsed = parseQuery(query, EXCHANGE_PARAMETERS);
  if (!parsed.ok) return parsed;
  const { cause, origin, service, route, status, outcome, since, limit } = parsed.value;
  const filter: ExchangeFilter = { limit: LIMIT_DEFAULT };
  if (cause !== undefined) {
    if (!isCauseId(cause)) return unknownName("cause", cause, Object.keys(CAUSES));
    filter.cause = cause;
  }
  if (service !== undefined) {
    if (!names.services.includes(service)) return unknownName("service", service, names.services);
    filter.service = service;
  }
  if (route !== undefined) {
    if (!names.routes.includes(route)) return unknownName("route", route, names.routes);
    filter.route = route;
  }
  if (origin !== undefined) {
    if (!names.origins.includes(origin)) return unknownName("origin", origin, names.origins);
    filter.origin = origin;
  }
  if (outcome !== undefined) {
    const known = outcomeSchema.safeParse(outcome);
    if (!known.success) return unknownName("outcome", outcome, outcomeSchema.options);
    filter.outcome = known.data;
  }
  if (status !== undefined) {
    if (!/^[1-5](?:\d\d|xx)$/i.test(status)) {
      return badParameter("status", `${quoted(status)} is neither a status (502) nor a class of them (5xx).`);
    }
    filter.status = status.toLowerCase();
  }
  if (since !== undefined) {
    const moment = parseSince(since, now);
    if (!moment.ok) return badParameter("since", moment.detail);
    filter.since = moment.at;
  }
  if (limit !== undefined) {
    if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIMIT_MAX) {
      return badParameter("limit", `${quoted(limit)} is not a whole number from 1 to ${LIMIT_MAX}.`);
    }
    filter.limit = Number(limit);
  }
  return { ok: true, value: filter };
}

/** A refusal for a value that is none of the known names. */
export function unknownName(
  parameter: string,
  given: string,
  known: readonly string[],
): { ok: false; refusal: Refusal } {
  const names = near(given, known);
  const meant = names.nearest === undefined ? "" : ` Did you mean ${names.nearest}?`;
  return refuse({
    code: parameter === "cause" ? "unknown-cause" : "bad-parameter",
    parameter,
    detail: `There is no ${parameter} ${quoted(given)}.${meant}`,
    ...names,
  });
}

function badParameter(parameter: string, detail: string): { ok: false; refusal: Refusal } {
  return refuse({ code: "bad-parameter", parameter, detail });
}

function refuse(refusal: Omit<Refusal, "status">): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { status: 400, ...refusal } };
}

/** The nearest name where one is near, and all of them. */
export function near(word: string, known: readonly string[]): { nearest?: string; known: string[] } {
  const found = nearest(word, known);
  return found === null ? { known: [...known] } : { nearest: found, known: [...known] };
}

/** What came from outside, short enough to be read in a sentence. */
export function quoted(text: string): string {
  return text.length > 80 ? `"${text.slice(0, 80)}…"` : `"${text}"`;
}
