/** `telemetry`: what is told to systems that collect from many. Nothing, unless somebody says where to. */
import { z } from "zod";
import { count, duration, field, yesOrNo } from "./fields.ts";
import { accepted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";

const URL_HINT = "Write the address of the collector without a path, such as http://127.0.0.1:4318.";
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
const HEADERS_MAX = 20;

export const otlpSchema = z.strictObject({
  url: field({ type: "URL", bounds: "", json: { type: "string", pattern: "^https?://" } }, parseCollector).describe(
    "The collector, by OTLP over HTTP; `/v1/traces` and `/v1/metrics` are appended.",
  ),
  headers: z
    .record(
      field({ type: "field name", bounds: "", json: { type: "string" } }, parseName),
      field({ type: "text", bounds: "", json: { type: "string" } }, parseValue),
    )
    .refine((headers) => Object.keys(headers).length <= HEADERS_MAX, `at most ${HEADERS_MAX} fields`)
    .prefault({})
    .describe("Fields that the collector asks for, such as a token. They are never printed."),
  traces: yesOrNo()
    .prefault(true)
    .describe("Exchanges that failed, were rescued or were among the slowest, with each attempt as a span."),
  tracesPerSecond: count("exchanges", 1, 100_000)
    .prefault(1000)
    .describe("At most so many of them are told in a second; what is left out is counted and told."),
  metrics: yesOrNo().prefault(true).describe("Counts by outcome and cause, quantiles, open incidents."),
  every: duration("1s", "10m").prefault("15s").describe("Between two reports of metrics."),
  queries: yesOrNo().prefault(false).describe("Whether spans carry the query of the request, which may hold secrets."),
});

export const telemetrySchema = z.strictObject({
  otlp: otlpSchema
    .optional()
    .describe("An OpenTelemetry collector. Told by the control process, so it needs `control`."),
});

function parseCollector(input: unknown): Parsed<string> {
  const url = typeof input === "string" ? URL.parse(input) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return refused("This is not an http or https URL.", URL_HINT);
  if (url.username !== "" || url.password !== "") {
    return refused("A URL must not carry a password.", "Put the credentials under headers.");
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return refused("It has a path.", URL_HINT);
  return accepted(url.origin);
}

function parseName(input: unknown): Parsed<string> {
  return typeof input === "string" && NAME.test(input)
    ? accepted(input)
    : refused("This is not the name of a field.", "Write it like authorization or x-api-key.");
}

/** Messages end up in terminals and logs, so they do not repeat it. */
function parseValue(input: unknown): Parsed<string> {
  return typeof input === "string" && /^[\t\u0020-\u007e]{1,4096}$/.test(input)
    ? accepted(input)
    : refused("The value is not text that a field can carry.", "Put it in quotes; printable ASCII only.");
}
