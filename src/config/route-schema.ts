/** One route of a service, as an operator writes it: which requests, and what is different for them. */
import { z } from "zod";
import { routeCacheSchema } from "./cache-schema.ts";
import { choice, count, duration, durationOrFalse, switchedOff, text, yesOrNo } from "./fields.ts";
import { fallbackSchema } from "./fallback-schema.ts";
import { FIELD_NAME_PATTERN, parseFieldName } from "./field-names.ts";
import { nameText, parseName } from "./names.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import { parsePathPattern } from "./path-pattern.ts";
import { DEFAULT_ROUTE } from "./route-order.ts";
import { rateLimitsSchema } from "./rate-limit-schema.ts";
import type { RouteMatch } from "./settings.ts";

const METHODS_MAX = 16;
const POOLS_MAX = 32;

const methodText = text("method", parseMethod, { pattern: "^[A-Z][A-Z0-9_-]{0,31}$" });

const matchSchema = z
  .strictObject({
    path: text("path", parsePath, { pattern: "^/" })
      .prefault("/*")
      .describe(
        "Exact path `/a/b`, prefix `/a/*` (takes `/a` too), template `/users/{id}/posts`, or `/*` for every path.",
      ),
    method: methodText
      .optional()
      .describe("The one method that this route takes. Without `method` and `methods` it takes all."),
    methods: z
      .array(methodText)
      .min(1)
      .max(METHODS_MAX)
      .optional()
      .describe("The methods that this route takes. `GET` does not include `HEAD`."),
    headers: z
      .record(text("field name", parseFieldName, { pattern: FIELD_NAME_PATTERN }), text("field value", parseFieldValue))
      .prefault({})
      .describe('Request fields that must all be there: name and exact value, or `"*"` for any value.'),
  })
  .check((context) => {
    const { method, methods } = context.value;
    if (method === undefined || methods === undefined) return;
    context.issues.push({
      code: "custom",
      path: ["methods"],
      message: "A route has either method or methods, not both.",
      params: { hint: "Write all of them as methods." },
      input: methods,
    });
  });

const timeoutsSchema = z.strictObject({
  connect: duration("1ms", "5m").prefault("2s").describe("Until the TCP connection to an origin stands."),
  handshake: duration("1ms", "5m").prefault("4s").describe("From then until TLS is agreed on, where it is spoken."),
  firstByte: durationOrFalse("1ms", "1d")
    .prefault("15s")
    .describe(
      "From the request being sent to the first byte of the response; false for routes that answer late on purpose.",
    ),
  gap: durationOrFalse("1ms", "1d")
    .prefault("30s")
    .describe(
      "Between bytes of a response, and between bytes that the origin takes of a request; false for streams that may fall silent.",
    ),
});

export const resumeSchema = z.strictObject({
  stall: durationOrFalse("50ms", "1h")
    .prefault("900ms")
    .describe(
      "Silence in a body, while the client is not the slower one, after which another origin is asked for the rest besides; false for never.",
    ),
  times: count("continuations", 1, 1000).prefault(50).describe("How often one body is continued at most."),
});

const KEY_MODES = ["off", "honour", "required"] as const;

export const idempotencyKeySchema = z.strictObject({
  mode: choice(KEY_MODES)
    .prefault("honour")
    .describe(
      "`honour`: a key that comes is honoured. `required`: requests without one are refused, and so are all while keys cannot be stored. `off`: the field is passed on like any other.",
    ),
  origins: choice(["ignore", "honour"])
    .prefault("ignore")
    .describe(
      "`honour`: the origins of this route carry out a key once by themselves, all of them together. Then a request that was sent and not answered may be sent again with its key.",
    ),
  keep: duration("1m", "30d").prefault("24h").describe("How long a key and its answer are remembered."),
  scope: choice(["credentials", "service"])
    .prefault("credentials")
    .describe(
      "`credentials`: a key means something only together with the request's Authorization or API key, or its Cookie where it has none of them, so no client gets the answer of another. `service`: a key is one key whoever sends it, and with other credentials it is refused; for clients whose credentials change between two tries.",
    ),
});

export const routeSchema = z.strictObject({
  name: text("name", parseRouteName)
    .optional()
    .describe("Its name in records and metrics. Without one it is called by its match, such as `GET /api/*`."),
  match: matchSchema
    .prefault({})
    .describe("Which requests. Without a match: all of this service that no other route takes."),
  pools: z
    .array(nameText)
    .min(1)
    .max(POOLS_MAX)
    .optional()
    .describe(
      "Names of the service's pools that this route uses, in order of preference. Default: all, in the order of the service.",
    ),
  timeouts: timeoutsSchema.prefault({}).describe("How long an origin may take."),
  deadline: durationOrFalse("1ms", "1d")
    .prefault(false)
    .describe(
      "How long a client of this route waits for a response to begin, all attempts together; or false. Origins are told what is left of it. A client may allow less with `X-Request-Timeout` or `grpc-timeout`.",
    ),
  idempotent: yesOrNo()
    .prefault(false)
    .describe(
      "True: requests of this route may be sent again whatever their method, because doing them twice does no harm. False: the method decides (RFC 9110 §9.2.2).",
    ),
  probe: yesOrNo()
    .prefault(true)
    .describe(
      "Whether the probe ladder may send a request that failed on this route once more: its method, path and shape, without credentials, and only where it looks harmless. False where a GET does something.",
    ),
  rateLimit: rateLimitsSchema
    .prefault([])
    .describe("How many requests may come: a limit, or a list of limits that all have to hold. Default: no limit."),
  idempotencyKey: z
    .union([choice(KEY_MODES), idempotencyKeySchema])
    .prefault({})
    .describe(
      "What Idempotency-Key means in requests whose method is not idempotent (POST, PATCH): carried out once, however often it is sent.",
    ),
  fallback: z
    .union([switchedOff({ example: '{ body: "We are back soon." } or { file: /srv/sorry.html }' }), fallbackSchema])
    .prefault(false)
    .describe(
      "What GET and HEAD are answered when no origin can answer, instead of the gateway's own page, or false. The record still says what failed.",
    ),
  waitingPage: yesOrNo()
    .prefault(true)
    .describe(
      "True: a browser that is turned away for lack of room gets a page that waits and asks again by itself, and goes before newcomers then. False: it gets the usual failure page.",
    ),
  hostHeader: choice(["preserve", "origin"])
    .prefault("preserve")
    .describe("What the origin sees as Host: the client's (`preserve`) or its own (`origin`)."),
  resume: z
    .union([yesOrNo(), resumeSchema])
    .prefault(true)
    .describe(
      "Whether a response that breaks in its body is continued from another origin, where a strong validator shows that it has the same bytes; or the details of that.",
    ),
  cache: routeCacheSchema,
  class: choice(["critical", "normal", "background"])
    .prefault("normal")
    .describe(
      "Who is turned away first when there is more work than room: background before normal before critical. A request that says `Sec-Purpose: prefetch` counts as one class lower.",
    ),
  concurrency: count("requests", 1, 1_000_000)
    .optional()
    .describe(
      "Requests of this route that may wait for an origin's answer at once. Default: three quarters of `limits.connections` where the gateway has more than one route, so that one slow route does not take everything.",
    ),
});

export type CheckedRoute = z.output<typeof routeSchema>;

/** The two ways of naming methods brought to one. */
export function routeMatchOf(route: CheckedRoute): RouteMatch {
  const { path, method, methods, headers } = route.match;
  return { path, methods: methods ?? (method === undefined ? [] : [method]), headers };
}

function parsePath(input: unknown): Parsed<string> {
  const pattern = parsePathPattern(input);
  return pattern.ok ? accepted(pattern.value.text) : pattern;
}

function parseRouteName(input: unknown): Parsed<string> {
  if (input === DEFAULT_ROUTE) {
    return refused(
      'The name "default" belongs to the route that every service has at its end.',
      "Give this route another name, or none.",
    );
  }
  return parseName(input);
}

function parseMethod(input: unknown): Parsed<string> {
  if (typeof input === "string" && /^[A-Z][A-Z0-9_-]{0,31}$/.test(input)) return accepted(input);
  const isLowerCase = typeof input === "string" && /^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(input);
  return refused(
    `${quoted(input)} is not a method.`,
    isLowerCase ? `Methods are upper case: ${input.toUpperCase()}.` : "Write one such as GET.",
  );
}

/** RFC 9110 §5.1: a token, compared without case. */
function parseFieldValue(input: unknown): Parsed<string> {
  if (typeof input !== "string") {
    const isScalar = typeof input === "number" || typeof input === "boolean";
    return refused(`${quoted(input)} is not text.`, isScalar ? `Put it in quotes: "${String(input)}".` : "");
  }
  // RFC 9110 §5.5: such a value can never arrive.
  if (input === "" || input.length > 1024 || !/^[!-~]([\t -~]*[!-~])?$/.test(input)) {
    return refused(
      `${quoted(input)} cannot be the value of a field.`,
      'Write printable ASCII without outer spaces; "*" stands for any value.',
    );
  }
  return accepted(input);
}
