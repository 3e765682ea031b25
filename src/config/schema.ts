/**
 * The configuration file: one schema from which its types, its defaults, the JSON Schema, the reference
 * page and every check of a single value derive. Checks that compare distant places are in cross-checks.ts.
 *
 * Durations and sizes carry their unit in the value and not in the key, `false` switches a section off, and
 * a section that is left out has its defaults: an operator writes what is different and nothing else.
 */
import { z } from "zod";
import { isLoopbackIp, isUnix } from "../kernel/ip-text.ts";
import { acmeSchema } from "./acme-schema.ts";
import { fleetSchema } from "./fleet-schema.ts";
import { alertsSchema } from "./alert-schema.ts";
import { parseBindOrSocket, parseCidr, parsePeers, parseResolver } from "./addresses.ts";
import { cacheSchema } from "./cache-schema.ts";
import { count, duration, durationOrFalse, field, ratio, size, switchedOff, text, yes, yesOrNo } from "./fields.ts";
import { headsSchema } from "./heads-schema.ts";
import { proxyProtocolField, socketFileSchema } from "./listener-schema.ts";
import { hstsSchema, listenerTlsSchema, redirectField } from "./listener-tls-schema.ts";
import { nameText } from "./names.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import { telemetrySchema } from "./telemetry-schema.ts";
import { serviceSchema } from "./service-schema.ts";
import type { Bind } from "./settings.ts";
import { statusPageSchema } from "./status-page-schema.ts";

const LISTENERS_MAX = 64;
const TRUSTED_MAX = 256;
const RESOLVERS_MAX = 8;
export const WORKERS_MAX = 64;

const bindText = text("address and port", parseNamedBind);
const trustedProxies = z.array(text("address range", parsePeers)).max(TRUSTED_MAX);

const clientTimeoutsSchema = z.strictObject({
  handshake: duration("1ms", "10m").prefault("10s").describe("From a connection to the end of its TLS handshake."),
  head: duration("1ms", "10m").prefault("10s").describe("From the first byte of a request to its complete head."),
  bodyGap: duration("1ms", "1d")
    .prefault("30s")
    .describe(
      "Over how long a client has to keep up `minRate`, when it sends a request body and when it takes a response.",
    ),
  idle: duration("1ms", "1d").prefault("75s").describe("Between one request and the next on a connection."),
  halfClosed: duration("0s", "10m")
    .prefault("5s")
    .describe("How long a client that closed its side after a request is still answered before it counts as gone."),
});

const minRateSchema = z.strictObject({
  request: size("0B", "1GiB").prefault("240B").describe("Of a request body that is being received."),
  response: size("0B", "1GiB")
    .prefault("240B")
    .describe("Of a response that waits for the client to take it. What the kernels between hold counts as taken."),
});

const http2Schema = z.strictObject({
  streams: count("requests", 1, 10_000).prefault(100).describe("Requests at the same time on one connection."),
  window: size("64KiB", "16MiB")
    .prefault("256KiB")
    .describe(
      "What a client may send ahead of one request's content before its origin has taken it; four times as much for all requests of a connection. It is held in memory.",
    ),
  resets: count("requests", 1, 1_000_000)
    .prefault(1000)
    .describe("Requests of one connection that may be reset in a minute, by the client or for its mistakes."),
  idleFrames: count("frames", 100, 10_000_000)
    .prefault(6000)
    .describe("Frames that ask for nothing (PING, SETTINGS, PRIORITY, empty ones) in a minute on one connection."),
});

export const listenerSchema = z.strictObject({
  bind: bindText.describe(
    "Address and port to listen on; port 0 lets the system choose. `unix:/run/goodgate.sock` listens on a Unix socket.",
  ),
  trustedProxies: trustedProxies
    .optional()
    .describe(
      "Peers in these ranges may say who the client is; `unix:` is everybody on a Unix socket. Default: the list at the top level.",
    ),
  tls: listenerTlsSchema.optional().describe("With it clients speak TLS here, and nothing else."),
  hsts: z
    .union([switchedOff({ alsoTrue: true }), yes(), hstsSchema])
    .prefault(false)
    .describe(
      "Browsers are told not to come without TLS any more (`Strict-Transport-Security`), where the origin does not tell them itself. True: with the defaults.",
    ),
  redirectToHttps: redirectField
    .prefault(false)
    .describe(
      "Requests without TLS are sent to the same host with it, by 308: true for port 443, or the port. What a certificate's issuer asks for (`/.well-known/acme-challenge/`) stays.",
    ),
  heads: headsSchema.prefault({}).describe("Bounds on what a client may send besides bodies."),
  timeouts: clientTimeoutsSchema.prefault({}).describe("How long a client may take."),
  minRate: minRateSchema
    .prefault({})
    .describe(
      "Bytes a second that a client keeps up over each `timeouts.bodyGap`, so that none holds its place with a byte now and then. 0B: one byte in that time is enough.",
    ),
  proxyProtocol: proxyProtocolField,
  socket: socketFileSchema.prefault({}).describe("Of the file, where `bind` is a Unix socket."),
  http2: z
    .union([switchedOff(), http2Schema])
    .prefault({})
    .describe("What one HTTP/2 connection may do, or false for HTTP/1.1 alone."),
});

export const adminSchema = z
  .strictObject({
    bind: bindText
      .prefault("127.0.0.1:9090")
      .describe("Address and port of dashboard, API and metrics, or a Unix socket."),
    socket: socketFileSchema.prefault({}).describe("Of the file, where `bind` is a Unix socket."),
    token: field(
      { type: "text", bounds: "16 to 256 characters", json: { type: "string", pattern: "^[!-~]{16,256}$" } },
      parseToken,
    )
      .optional()
      .describe(
        "What clients send as `Authorization: Bearer TOKEN`. Needed unless `bind` is a loopback address or a Unix socket.",
      ),
  })
  .check((context) => {
    const { bind, token } = context.value;
    if (token !== undefined || isLoopbackIp(bind.bind.host) || isUnix(bind.bind.host)) return;
    context.issues.push({
      code: "custom",
      path: ["bind"],
      message: `The admin listener on ${bind.name} can be reached from other machines and has no token.`,
      params: { hint: "Add admin.token, or bind it to 127.0.0.1." },
      input: bind.name,
    });
  });

export const dnsSchema = z.strictObject({
  resolvers: z
    .array(text("address", parseResolver))
    .max(RESOLVERS_MAX)
    .prefault([])
    .describe("Addresses of resolvers to ask, with a port when it is not 53. Default: the system's."),
  timeout: duration("10ms", "1m").prefault("2s").describe("How long one question may take."),
  ttlMin: duration("1s", "1h").prefault("1s").describe("An answer counts as fresh for at least this long."),
  ttlMax: duration("1s", "1d").prefault("5m").describe("An answer counts as fresh for at most this long."),
  keep: duration("1s", "30d")
    .prefault("1d")
    .describe(
      "How long the last good answer is used while resolvers fail, answer nothing, or say that there is no such name.",
    ),
});

export const CONNECTIONS_DEFAULT = 10_000;

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type of a schema is the schema
function heavySchema(times: number, perSecond: number) {
  return z.strictObject({
    times: count("times", 2, 1_000_000)
      .prefault(times)
      .describe("It asks for more than so many times the mean of the other clients."),
    perSecond: count("requests a second", 1, 10_000_000)
      .prefault(perSecond)
      .describe("And for more than so many requests a second."),
  });
}

const floodSchema = z.strictObject({
  stressed: heavySchema(10, 50)
    .prefault({})
    .describe("Who is heavy while the gateway or the service has to turn requests away."),
  calm: heavySchema(100, 1_000).prefault({}).describe("Who is heavy otherwise, among at least ten other clients."),
  clients: count("clients", 64, 1_000_000)
    .prefault(8_192)
    .describe("Clients that are watched at once, at 120 bytes each."),
  shadow: yesOrNo().prefault(false).describe("True: nobody is held back; what would be done is noted and counted."),
});

export const limitsSchema = z.strictObject({
  connections: count("connections", 1, 10_000_000)
    .prefault(CONNECTIONS_DEFAULT)
    .describe("Client connections at once; never more than the system's descriptors allow."),
  connectionsPerClient: count("connections", 1, 10_000_000)
    .optional()
    .describe(
      "Connections of one client at once; trusted proxies and `trusted` clients have no such limit. Default: a quarter of `connections`, and 100 at least.",
    ),
  handshakes: count("handshakes", 1, 1_000_000)
    .optional()
    .describe(
      "TLS handshakes of clients under way at once; beyond it the slowest gives way, or the new connection is closed. Default: a quarter of `connections`, and 100 at least.",
    ),
  flood: z
    .union([switchedOff(), floodSchema])
    .prefault({})
    .describe(
      "A client that asks for far more than all others is held back for ten seconds at a time; clients that were good before, and `trusted` ones, never are. False: never.",
    ),
  clientNetwork: z
    .strictObject({
      ipv4: count("bits", 8, 32).prefault(32).describe("Leading bits of an IPv4 address."),
      ipv6: count("bits", 16, 128).prefault(64).describe("Leading bits of an IPv6 address; one household has 64."),
    })
    .prefault({})
    .describe("How much of an address tells one client from another where clients are counted."),
  rateLimitKeys: count("keys", 64, 10_000_000)
    .prefault(65_536)
    .describe(
      "Clients or field values that each rate limit remembers, at 24 bytes each. Beyond it newcomers may be refused too early, and nobody gets more than the limit.",
    ),
  replayBuffers: size("0B", "64GiB")
    .prefault("64MiB")
    .describe("All request bodies that are kept for retries, together."),
  memory: size("64MiB", "1024GiB")
    .optional()
    .describe(
      "Memory that the gateway stays below by turning work away. Default: what the machine or the container has.",
    ),
  loopDelay: durationOrFalse("10ms", "1m")
    .prefault("500ms")
    .describe("Work is turned away when the gateway itself is so late, or false for never."),
  descriptors: ratio(0.1, 1)
    .prefault("95%")
    .describe("The part of the file descriptors that may be in use; beyond it connections of clients are not taken."),
});

const waitingSchema = z.strictObject({
  secret: field(
    { type: "text", bounds: "16 to 256 characters", json: { type: "string", pattern: "^[!-~]{16,256}$" } },
    parseSecret,
  )
    .optional()
    .describe(
      "What tickets are signed with: the same on every gateway of a fleet. Default: made up by each process at its start.",
    ),
  expires: duration("10s", "1d").prefault("10m").describe("How long a ticket is good."),
});

const recordsSchema = z.strictObject({
  failed: count("records", 0, 1_000_000)
    .prefault(2000)
    .describe("Records kept of failed, rescued, refused and aborted requests."),
  slowest: count("records", 0, 100_000)
    .prefault(200)
    .describe("Records kept of the slowest requests of the last ten minutes."),
  sampled: count("records", 0, 1_000_000).prefault(1000).describe("Records kept of the sample of the rest."),
  sample: ratio(0, 1).prefault("1%").describe("The part of the rest that is sampled."),
});

export const accessLogSchema = z.strictObject({
  path: text("file path", parseLogPath).describe("A file to append to, or `stdout`."),
  buffer: size("64KiB", "1GiB")
    .prefault("4MiB")
    .describe("Lines that wait in memory for a slow disk; beyond it they are dropped and counted."),
});

export const idempotencySchema = z.strictObject({
  bytes: size("64KiB", "64GiB")
    .prefault("256MiB")
    .describe(
      "Keys and stored answers together, on disk. When it is full, answers and then keys older than an hour give way.",
    ),
  answer: size("0B", "64MiB")
    .prefault("1MiB")
    .describe("The largest answer that is stored. Of a larger one only the fact is kept, and a repeat is told that."),
  receiving: size("0B", "64GiB")
    .prefault("64MiB")
    .describe("Answers that are being received for storing, together, in memory."),
  wait: duration("0s", "10m")
    .prefault("10s")
    .describe("How long a request waits for one with the same key that is under way, before it gets 409."),
  waiters: count("requests", 0, 10_000)
    .prefault(16)
    .describe("Requests that may wait for one key; more get 409 at once."),
  late: duration("0s", "1h")
    .prefault("2m")
    .describe(
      "How long an answer is still waited for after its client was told that it took too long, so that the next try gets it.",
    ),
});

export const controlSchema = z.strictObject({
  disk: size("0B", "64GiB")
    .prefault("256MiB")
    .describe(
      "All that it keeps in the state directory: figures, incidents, alerts, facts. Beyond it the oldest goes. 0B: it keeps everything in memory and forgets it when it ends.",
    ),
  facts: size("0B", "64GiB")
    .prefault("64MiB")
    .describe(
      "The part of it for facts as they came, for `goodgate replay`: hours of a busy gateway, days of a small one.",
    ),
});

export const LISTENERS_DEFAULT = [{ bind: "0.0.0.0:8080" }];

export const fileSchema = z.strictObject({
  services: z.record(nameText, serviceSchema).describe("What clients come for, by name."),
  listeners: z
    .array(listenerSchema)
    .min(1)
    .max(LISTENERS_MAX)
    .prefault(LISTENERS_DEFAULT)
    .describe("Where clients connect."),
  acme: acmeSchema
    .optional()
    .describe("How certificates are obtained by themselves, for listeners with `tls: { acme: … }`."),
  fleet: fleetSchema
    .optional()
    .describe("What several gateways have together: the certificates that one of them obtains for all."),
  admin: z.union([switchedOff(), adminSchema]).prefault({}).describe("Status page, API and metrics, or false."),
  trustedProxies: trustedProxies
    .prefault([])
    .describe(
      "Peers in these ranges may say who the client is (`X-Forwarded-*`, `Forwarded`, `X-Request-Id`); from all others those fields are dropped.",
    ),
  dns: dnsSchema.prefault({}).describe("How names of origins are resolved."),
  limits: limitsSchema.prefault({}).describe("Bounds for the whole gateway."),
  trusted: z
    .array(text("address range", parseCidr))
    .max(TRUSTED_MAX)
    .prefault([])
    .describe(
      "Clients in these ranges are never held back by automation: your own batches, probes, partners. The machine itself never is. Rate limits of routes hold for them too.",
    ),
  cache: cacheSchema.prefault({}).describe("Bounds of the cache. What is cached is said by each route."),
  waiting: waitingSchema
    .prefault({})
    .describe("The tickets of visitors who were told to wait (see `waitingPage` of routes)."),
  records: recordsSchema.prefault({}).describe("How many records of requests are kept in memory."),
  accessLog: z
    .union([
      field(
        {
          type: "file path or false",
          bounds: "",
          json: { anyOf: [{ const: false }, { type: "string", minLength: 1 }] },
        },
        (input): Parsed<string | false> => (input === false ? accepted(input) : parseLogPath(input)),
      ),
      accessLogSchema,
    ])
    .prefault(false)
    .describe("One JSON line for each request: a file path, `stdout`, a mapping, or false."),
  state: field(
    { type: "directory or false", bounds: "", json: { anyOf: [{ const: false }, { type: "string", pattern: "^/" }] } },
    parseStateDirectory,
  )
    .optional()
    .describe(
      "Where what must outlive a restart is kept, as a path from the root, or false for nowhere. Default: `$STATE_DIRECTORY`, else `goodgate/BIND` under `$XDG_STATE_HOME` or `~/.local/state`, with the bind of the first listener; none when its port is 0.",
    ),
  idempotency: idempotencySchema.prefault({}).describe("Bounds on what is remembered of Idempotency-Key."),
  node: nameText
    .optional()
    .describe("What this gateway is called where several are told apart. Default: the machine's name."),
  control: z
    .union([switchedOff(), controlSchema])
    .prefault({})
    .describe(
      "The process beside the gateway that turns what happens into incidents and keeps their history, or false for none.",
    ),
  alerts: z
    .union([switchedOff({ example: "{ sinks: { ops: { slack: { url: { env: SLACK_URL } } } } }" }), alertsSchema])
    .prefault(false)
    .describe("Who is told of incidents, or false for nobody."),
  telemetry: telemetrySchema.prefault({}).describe("What is told to systems that collect from many gateways."),
  statusPage: z
    .union([switchedOff({ example: '{ bind: "0.0.0.0:8090", title: Example }' }), statusPageSchema])
    .prefault(false)
    .describe("A page for everybody that says how the services are and were, with nothing internal on it, or false."),
  workers: field(
    {
      type: "whole number or auto",
      bounds: `1 to ${WORKERS_MAX}`,
      json: { anyOf: [{ const: "auto" }, { type: "integer", minimum: 1, maximum: WORKERS_MAX }] },
    },
    parseWorkers,
  )
    .prefault(1)
    .describe(
      "Processes that serve, each on a core of its own, beside one that supervises them; `auto`: one for each core. 1: a single process does both.",
    ),
  drain: duration("0s", "1h")
    .prefault("30s")
    .describe("How long requests that are under way may take to finish when the gateway stops."),
});

export type CheckedFile = z.output<typeof fileSchema>;

/** The address as written names the listener in records and metrics. */
function parseNamedBind(input: unknown): Parsed<{ readonly name: string; readonly bind: Bind }> {
  const bind = parseBindOrSocket(input);
  return bind.ok ? accepted({ name: String(input), bind: bind.value }) : bind;
}

function parseToken(input: unknown): Parsed<string> {
  return parseHidden("token", input);
}

function parseSecret(input: unknown): Parsed<string> {
  return parseHidden("secret", input);
}

/** Messages end up in terminals and logs, so none of them repeats what is to stay unknown. */
function parseHidden(what: string, input: unknown): Parsed<string> {
  const hint =
    "Write 16 to 256 printable ASCII characters without spaces, such as the output of `openssl rand -hex 16`.";
  if (typeof input !== "string")
    return refused(`The ${what} is not text.`, typeof input === "number" ? "Put it in quotes." : hint);
  if (input.length < 16)
    return refused(`The ${what} is too short to be safe: it has ${input.length} characters.`, hint);
  return /^[!-~]{16,256}$/.test(input)
    ? accepted(input)
    : refused(`The ${what} is too long or has characters that a field cannot carry.`, hint);
}

/** 0 stands for `auto`: how many cores there are is known where the processes are started. */
function parseWorkers(input: unknown): Parsed<number> {
  if (input === "auto") return accepted(0);
  const isCount = typeof input === "number" && Number.isInteger(input) && input >= 1 && input <= WORKERS_MAX;
  return isCount
    ? accepted(input)
    : refused(`${quoted(input)} is not a number of workers.`, `Write a number from 1 to ${WORKERS_MAX}, or auto.`);
}

function parseLogPath(input: unknown): Parsed<string> {
  const isPath = typeof input === "string" && input !== "" && input.length <= 4096 && !input.includes("\0");
  return isPath
    ? accepted(input)
    : refused(`${quoted(input)} is not the path of a file.`, "Write a file path, stdout, or false for no access log.");
}

function parseStateDirectory(input: unknown): Parsed<string | false> {
  if (input === false) return accepted(false);
  const isPath = typeof input === "string" && input !== "" && input.length <= 4096 && !input.includes("\0");
  if (!isPath)
    return refused(`${quoted(input)} is not the path of a directory.`, "Write a directory, or false to keep nothing.");
  // Started from another directory a gateway would know nothing of the keys that it has promised to remember.
  return input.startsWith("/")
    ? accepted(input)
    : refused(
        `${quoted(input)} is a relative path, and what is kept there must be found again wherever the gateway is started.`,
        "Write it from the root, such as /var/lib/goodgate.",
      );
}
