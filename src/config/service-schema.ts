/** One service, as an operator writes it: what it answers for, where its origins are, how they are treated. */
import { z } from "zod";
import { FIELD_NAME_PATTERN, parseFieldName } from "./field-names.ts";
import { count, duration, field, ratio, size, switchedOff, text, yesOrNo } from "./fields.ts";
import type { Field } from "./fields.ts";
import { headsSchema } from "./heads-schema.ts";
import { parseHostPattern } from "./host-names.ts";
import { nameText } from "./names.ts";
import { originHttp2Field } from "./origin-http2-schema.ts";
import { originTlsSchema } from "./origin-tls-schema.ts";
import { parseOriginUrl } from "./origin-url.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import { routeSchema } from "./route-schema.ts";

const HOSTS_MAX = 256;
const POOLS_MAX = 32;
const ORIGINS_MAX = 1000;
const ROUTES_MAX = 1000;

/** `shop.Cart`. */
const GRPC_SERVICE = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const GRPC_SERVICE_MAX = 255;

/** A URL alone stands for an origin of this weight. */
export const WEIGHT_DEFAULT = 100;

const ORIGIN_PATTERN = "^(http://|unix:/)";

const originSchema = z.union([
  text("URL", parseOriginUrl, { pattern: ORIGIN_PATTERN }),
  z.strictObject({
    url: text("URL", parseOriginUrl, { pattern: ORIGIN_PATTERN }).describe(
      "`http://HOST`, `http://HOST:PORT` or `http://HOST:PORT/base`, or the same with `https://` for TLS; the base is put before every path. A Unix socket is `unix:/run/app.sock`, with a base `unix:/run/app.sock:/base`.",
    ),
    weight: count("parts", 1, 1000)
      .prefault(WEIGHT_DEFAULT)
      .describe(
        "Its share of the pool, in proportion to the weights of the others. Pools with less weight in all take less when another one fails.",
      ),
  }),
]);

const poolSchema = z.strictObject({
  name: nameText
    .optional()
    .describe("Its name in records and metrics. Default: `pool-1` for the first pool of the service, and so on."),
  provider: nameText
    .optional()
    .describe(
      "Who runs it, such as the cloud and the region: pools with the same provider are expected to fail together. Default: the pool's name, or for a pool without one the service and the pool (`shop.pool-1`).",
    ),
  origins: z
    .array(originSchema)
    .min(1)
    .max(ORIGINS_MAX)
    .describe("Origins that fail together, such as those of one provider or region: a URL, or a URL with a weight."),
  proxyProtocol: proxyVersion().optional().describe("Of connections to its origins. Default: the service's."),
  http2: originHttp2Field.optional().describe("Of its origins. Default: the service's."),
  standbyShare: ratio(0, 0.5)
    .prefault("0%")
    .describe(
      "The part of the safe requests (GET, HEAD, OPTIONS) that the pool gets while another one comes first, so that it is proven.",
    ),
  tls: originTlsSchema
    .optional()
    .describe("TLS to the origins of this pool; what is written here goes before the `tls` of the service."),
});

export const failoverSchema = z.strictObject({
  threshold: ratio(0.01, 1)
    .prefault("70%")
    .describe(
      "The part of its capacity with which the first pool carries all traffic. Below it what is missing goes to the next pools.",
    ),
  backAfter: duration("0s", "1h")
    .prefault("30s")
    .describe("How long capacity that came back must have been steady before it is counted on again."),
  hold: duration("0s", "1d")
    .prefault("5m")
    .describe("How long a pool comes first at least, unless nothing in it works. Twice as long after each relapse."),
});

const expectSchema = z.strictObject({
  header: text("field name", parseFieldName, { pattern: FIELD_NAME_PATTERN })
    .optional()
    .describe("A field that the answer has to have."),
  value: text("text", parseToken).optional().describe("The value of that field."),
  body: text("text", parseToken)
    .optional()
    .describe("A word that has to be in the first 16 KiB of the answer's body, instead of a field."),
});

export const healthSchema = z.strictObject({
  path: text("path", parseCheckPath, { pattern: "^/" })
    .optional()
    .describe("Path of an HTTP check. Without one the check is a TCP connection."),
  grpc: grpcService()
    .prefault(false)
    .describe(
      "Instead of `path`: true asks by gRPC's health checking protocol whether the server is serving, a name asks for that service. Needs `http2`.",
    ),
  host: text("host", parseCheckHost).optional().describe("Host field of an HTTP check. Default: the origin's own."),
  interval: duration("10ms", "1h")
    .prefault("2s")
    .describe("From one check of an origin to the next; after a failed one the next few come half a second apart."),
  timeout: duration("1ms", "10m").prefault("1s").describe("How long a check may take."),
  down: count("failures in a row", 1, 1000).prefault(3).describe("Failed checks in a row that take an origin down."),
  up: count("successes in a row", 1, 1000).prefault(2).describe("Successful checks in a row that bring it up again."),
  status: field(
    {
      type: "status range",
      bounds: "100 to 599",
      json: { type: ["string", "integer"], pattern: "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$", minimum: 100, maximum: 599 },
    },
    parseStatusRange,
  )
    .prefault("200-399")
    .describe("Statuses that count as healthy in an HTTP check, both ends included."),
  expect: expectSchema
    .optional()
    .describe(
      "What only the wanted origin answers to the check. An address is used after it has shown it, and not while it shows anything else.",
    ),
});

export const slowSchema = z.strictObject({
  factor: count("times the median", 2, 1000)
    .prefault(4)
    .describe("A request is slow when its first byte takes longer than this many times the median of the peers."),
  extra: duration("1ms", "1h").prefault("100ms").describe("And longer than that median by this much."),
  share: ratio(0.01, 0.9)
    .prefault("20%")
    .describe(
      "An origin whose share of slow requests is larger than its peers' by this much has to be found soon. The larger, the more evidence it takes to accuse one.",
    ),
  peersMin: count("requests", 1, 1_000_000)
    .prefault(20)
    .describe("Requests of its peers in the window that a comparison needs."),
});

export const ejectionSchema = z.strictObject({
  consecutiveFailures: count("failures in a row", 1, 1_000_000)
    .prefault(5)
    .describe("Failed requests in a row that eject an origin."),
  successMin: ratio(0, 1)
    .prefault("80%")
    .describe(
      "An origin whose success ratio falls below this, and clearly below its peers', is ejected. 0% switches this rule off.",
    ),
  requestsMin: count("requests", 1, 1_000_000)
    .prefault(20)
    .describe("Requests in the window that the success ratio needs before it counts."),
  window: duration("100ms", "1h").prefault("10s").describe("Over how long the success ratio is taken."),
  returnAfter: duration("1ms", "1h")
    .prefault("1s")
    .describe("How long the first ejection lasts; each further one twice as long, with jitter."),
  returnAfterMax: duration("1ms", "1d").prefault("60s").describe("How long an ejection lasts at most."),
  ramp: duration("0s", "1h")
    .prefault("10s")
    .describe("How long a returned origin takes to get back to its full share."),
  ejectedMax: ratio(0, 1)
    .prefault("50%")
    .describe("The part of a pool that may be ejected at once; one origin may always be, the last one never."),
  slow: z
    .union([switchedOff(), slowSchema])
    .prefault({})
    .describe("When an origin that answers, but slower than its peers, is ejected, or false for never."),
});

export const backoffSchema = z.strictObject({
  base: duration("1ms", "1m").prefault("100ms").describe("The first pause is random, up to this."),
  max: duration("1ms", "10m").prefault("1s").describe("Each further one is up to twice as long as before, up to this."),
});

export const retrySchema = z.strictObject({
  attempts: count("attempts, the first one included", 1, 10)
    .prefault(3)
    .describe("Attempts for one request, the first one included, each at a different origin."),
  budget: ratio(0, 1).prefault("10%").describe("Retries that the service may make, as a part of its requests."),
  budgetPerSecond: count("retries a second", 0, 100_000)
    .prefault(10)
    .describe("Retries a second that are allowed besides, so that quiet services can retry too."),
  replayBuffer: size("0B", "64MiB")
    .prefault("64KiB")
    .describe("How much of a request body is kept for a retry. Larger bodies are streamed and not sent again."),
  backoff: z
    .union([switchedOff(), backoffSchema])
    .prefault({})
    .describe(
      "The pause before origins that could all not be reached are tried once more, as long as attempts are left; or false for not again.",
    ),
});

export const overloadSchema = z.strictObject({
  concurrency: field(
    {
      type: "adaptive or a whole number",
      bounds: "1 to 1000000",
      json: { anyOf: [{ const: "adaptive" }, { type: "integer", minimum: 1, maximum: 1_000_000 }] },
    },
    parseConcurrency,
  )
    .prefault("adaptive")
    .describe(
      "Requests that may wait for the first byte of their answer at one address of an origin: learned from how long answers take, or a number.",
    ),
  queueWait: z
    .strictObject({
      calm: duration("0s", "1m").prefault("500ms").describe("Usually, oldest first."),
      stressed: duration("0s", "1m")
        .prefault("20ms")
        .describe(
          "While the queue stands because answers are late: then the newest goes first and the rest is refused.",
        ),
      critical: duration("0s", "1m").prefault("1s").describe("Requests of routes of the class `critical`, always."),
    })
    .prefault({})
    .describe("How long a request waits when every origin has as many as it can take."),
  waiting: count("requests", 1, 1_000_000)
    .prefault(10_000)
    .describe("Requests that wait so at once; one more takes the place of one of a lower class or is refused."),
});

export const hedgeSchema = z.strictObject({
  after: duration("1ms", "1h")
    .prefault("20ms")
    .describe("An answer is late after what 95% of its route's answers took lately, and never before this."),
  samples: count("answers", 1, 1_000_000)
    .prefault(50)
    .describe("Answers of the route in the last half minute that are needed to know what late means."),
});

const objectiveSchema = z.strictObject({
  availability: ratio(0.5, 0.99999)
    .prefault("99.9%")
    .describe("The part of the requests that go well. The rest is the error budget, counted over 30 days."),
  latency: duration("1ms", "1h")
    .optional()
    .describe("Within how long requests are to be done. Default: nothing is promised."),
  latencyRatio: ratio(0.5, 0.99999)
    .prefault("99%")
    .describe("The part of the requests that are done within `latency`."),
});

export const connectionsSchema = z.strictObject({
  perOrigin: count("connections", 1, 1_000_000)
    .prefault(1024)
    .describe("Open connections to one address of an origin."),
  idlePerOrigin: count("connections", 0, 1_000_000)
    .prefault(256)
    .describe("Idle connections kept to one address of an origin."),
  idle: duration("1ms", "1h")
    .prefault("60s")
    .describe("How long an idle connection is kept at most. Shorter times are learned from each origin."),
});

export const serviceSchema = z.strictObject({
  hosts: z
    .array(text("host", parseHostPattern))
    .min(1)
    .max(HOSTS_MAX)
    .prefault(["*"])
    .describe(
      'Hosts that the service answers for: `shop.example.com`, `"*.example.com"` for every host under it, `"*"` for all.',
    ),
  pools: z.array(poolSchema).min(1).max(POOLS_MAX).describe("Pools of origins in order of preference."),
  routes: z
    .array(routeSchema)
    .max(ROUTES_MAX)
    .prefault([])
    .describe(
      "Classes of requests with settings of their own. The most specific one wins, whatever the order; a route `default` takes the rest.",
    ),
  health: z.union([switchedOff(), healthSchema]).prefault({}).describe("Active checks of every origin, or false."),
  ejection: z
    .union([switchedOff(), ejectionSchema])
    .prefault({})
    .describe("When an origin that fails real requests is left out for a while, or false for never."),
  retry: z
    .union([switchedOff(), retrySchema])
    .prefault({})
    .describe("When a request is sent again to another origin, or false for never."),
  failover: failoverSchema
    .prefault({})
    .describe("How traffic is shared between pools when one of them loses capacity."),
  breaker: yesOrNo()
    .prefault(true)
    .describe(
      "True: a route that fails at one origin and not elsewhere, while the origin's other routes work, is sent to the others. The thresholds are those of `ejection`.",
    ),
  hedge: z
    .union([switchedOff(), hedgeSchema])
    .prefault({})
    .describe(
      "When a request that is late is sent to a second origin as well, or false for never. Only GET, HEAD, OPTIONS and routes that are `idempotent`, and within the retry budget.",
    ),
  poison: yesOrNo()
    .prefault(true)
    .describe(
      "True: a request that breaks the connection to two origins within a minute, or keeps them so busy that nobody else is answered there, is kept away from all of them for a while.",
    ),
  overload: z
    .union([switchedOff(), overloadSchema])
    .prefault({})
    .describe("How much an origin is given at once and who waits for room, or false for no limit and no queue."),
  connections: connectionsSchema.prefault({}).describe("Connections to origins."),
  proxyProtocol: proxyVersion()
    .prefault(false)
    .describe(
      "With 1 or 2, each connection to an origin begins with a header of that version of the PROXY protocol, which says whose it is. Connections are then not shared between clients.",
    ),
  http2: originHttp2Field
    .prefault(false)
    .describe(
      'Whether origins are asked over HTTP/2, as gRPC needs it. True: `https://` ones if they choose it in the TLS handshake, `http://` ones always. "prior": nothing else is offered. A mapping is true with bounds of its own.',
    ),
  tls: originTlsSchema
    .optional()
    .describe("TLS to origins whose URL begins with `https://`. Default: their certificates are checked."),
  reducedMode: yesOrNo()
    .prefault(true)
    .describe(
      "True: while requests are turned away, or another pool than the first is in use, origins get `Goodgate-Mode: reduced`, so that they can leave out what is costly.",
    ),
  objective: objectiveSchema
    .optional()
    .describe(
      "What clients are promised: how fast errors use up what is allowed decides how loudly they are told. Default: none.",
    ),
  heads: headsSchema.prefault({}).describe("Bounds on what an origin may send besides bodies."),
});

export type CheckedSlow = z.output<typeof slowSchema>;
export type CheckedService = z.output<typeof serviceSchema>;

function proxyVersion(): Field<0 | 1 | 2> {
  return field({ type: "1, 2 or false", bounds: "", json: { enum: [false, 1, 2] } }, (input) => {
    if (input === false) return accepted(0);
    if (input === 1 || input === 2) return accepted(input);
    return refused(
      `${quoted(input)} is not a version of the PROXY protocol.`,
      "Write 2, or 1 for origins that read nothing else, or false.",
    );
  });
}

/** Empty: the server as a whole. */
function grpcService(): Field<string | null> {
  const json = { anyOf: [{ type: "boolean" }, { type: "string", pattern: GRPC_SERVICE.source }] };
  return field({ type: "true, false or a service", bounds: "", json }, (input) => {
    if (input === false) return accepted(null);
    if (input === true) return accepted("");
    if (typeof input === "string" && input.length <= GRPC_SERVICE_MAX && GRPC_SERVICE.test(input))
      return accepted(input);
    return refused(`${quoted(input)} is not a service of gRPC.`, "Write true, or a name such as shop.Cart.");
  });
}

function parseCheckPath(input: unknown): Parsed<string> {
  const isPath = typeof input === "string" && input.length <= 1024 && /^\/[!-~]*$/.test(input) && !input.includes("#");
  return isPath
    ? accepted(input)
    : refused(
        `${quoted(input)} is not a path to check.`,
        "Write one that begins with a slash, such as /healthz; spaces as %20.",
      );
}

function parseCheckHost(input: unknown): Parsed<string> {
  const isHost = typeof input === "string" && input.length <= 255 && /^[A-Za-z0-9._:[\]-]+$/.test(input);
  return isHost
    ? accepted(input)
    : refused(`${quoted(input)} is not the value of a Host field.`, "Write HOST or HOST:PORT.");
}

/** 0 stands for adaptive. */
function parseConcurrency(input: unknown): Parsed<number> {
  if (input === "adaptive") return accepted(0);
  const isCount = typeof input === "number" && Number.isInteger(input) && input >= 1 && input <= 1_000_000;
  return isCount
    ? accepted(input)
    : refused(
        `${quoted(input)} is neither adaptive nor a number of requests.`,
        "Write adaptive, or a number from 1 to 1000000.",
      );
}

function parseToken(input: unknown): Parsed<string> {
  return typeof input === "string" && /^[ -~]{1,256}$/.test(input)
    ? accepted(input)
    : refused(`${quoted(input)} cannot be looked for.`, "Write 1 to 256 printable ASCII characters.");
}

function parseStatusRange(input: unknown): Parsed<{ readonly min: number; readonly max: number }> {
  const hint = "Write one status such as 200, or a range such as 200-399.";
  const parts = /^([1-5]\d{2})(?:-([1-5]\d{2}))?$/.exec(
    typeof input === "number" || typeof input === "string" ? String(input) : "",
  );
  if (parts === null) return refused(`${quoted(input)} is not a range of statuses.`, hint);
  const min = Number(parts[1]);
  const max = Number(parts[2] ?? parts[1]);
  return min <= max ? accepted({ min, max }) : refused(`${quoted(input)} is a range that ends before it begins.`, hint);
}
