/** Schemas of what a gateway lets others see of its state and of the events it tells. */
import { z } from "zod";
import { describes } from "./api-describes.ts";
import { exchangeSchema } from "./api-record-schemas.ts";
import { configStateSchema } from "./api-config-schemas.ts";
import type { ControlState } from "./control-port.ts";
import type { StatusResponse } from "./api-responses.ts";
import type {
  GatewayEvent,
  OriginAddressView,
  OriginView,
  ProcessView,
  ServiceStatusView,
  WorkerView,
} from "./view.ts";

const epochMs = (what: string): z.ZodNumber => z.number().describe(`${what}, ms since 1970-01-01 UTC.`);
const count = (what: string): z.ZodNumber => z.number().min(0).describe(what);

export const processSchema = describes<ProcessView>()(
  z.object({
    cpuSeconds: count("CPU time so far, user and system."),
    residentBytes: count("Resident memory."),
    heapBytes: count("JavaScript heap in use."),
    descriptorsOpen: count("File descriptors open."),
    descriptorsMax: count("File descriptors the process may open."),
    loopDelayP50Ms: count("Median delay of the event loop over the last ten seconds."),
    loopDelayP99Ms: count("99th percentile of it."),
    loopDelayMaxMs: count("Maximum of it."),
    loopUtilisation: count("Share of time in which the event loop was busy, 0 to 1."),
    uptimeSeconds: count("Since the start."),
  }),
);

export const serviceStatusSchema = describes<ServiceStatusView>()(
  z.object({
    name: z.string(),
    hosts: z.array(z.string()),
    pool: z.string().describe("The pool that comes first."),
    state: z
      .enum(["healthy", "degraded", "failing open", "down"])
      .describe("failing open: too many origins are out, so all are used. down: no origin can be picked."),
    because: z.string().describe("The reason for the state, as a sentence."),
    waiting: count("Exchanges that wait for room at its origins."),
    shedding: z.boolean().describe("Requests are being turned away for want of room, so nothing is repeated."),
    pools: z
      .array(
        z.object({
          name: z.string(),
          origins: count("Configured."),
          available: count("May be picked now."),
          share: count("Part of the exchanges that it gets now, 0 to 1."),
        }),
      )
      .describe("In order of preference."),
  }),
);

export const controlStateSchema = describes<ControlState>()(
  z
    .object({
      state: z
        .enum(["running", "starting", "hung", "dead", "off"])
        .describe("hung: it takes no facts. dead: it ended and is started again. off: switched off."),
      heardAt: epochMs("When it was last heard; null: not yet").nullable(),
      because: z.string().describe("The reason for the state, as a sentence."),
      factsLost: count("Facts that could not be handed over, since the start."),
      factsWaiting: count("Seconds of facts that it has not taken yet; one or two are usual."),
      residentBytes: count("Its resident memory; 0: not known."),
      tracesLeftOut: count("Exchanges that a collector should have been told of and was not, since the start."),
      restarts: count("How often it was started again."),
    })
    .describe("The process that draws conclusions. Serving does not depend on it."),
);

export const workerSchema = describes<WorkerView>()(
  z.object({
    worker: count("Its place: 1, 2, …"),
    pid: count("0: there is no process now."),
    state: z
      .enum(["starting", "serving", "draining", "waiting", "crashing"])
      .describe("waiting: it ended and is started again after a while. crashing: that again and again."),
    since: epochMs("Since when"),
    because: z.string().describe("Why, where there is something to say."),
    restarts: count("How often it was started again."),
    connections: count("Client connections open."),
    exchanges: count("Since the start of the gateway, by all processes that had this place."),
    cpuSeconds: count("CPU time of the process that has it now."),
    residentBytes: count("Resident memory of it."),
    loopUtilisation: z.number().describe("Part of the last ten seconds in which it had work, 0 to 1."),
    loopDelayP99Ms: z.number().describe("How late its event loop was, ms at p99 of the last ten seconds."),
  }),
);

export const statusSchema = describes<StatusResponse>()(
  z.object({
    now: epochMs("The gateway's clock when this was said"),
    sentence: z.string().describe("The state of the gateway in one sentence."),
    version: z.string(),
    startedAt: epochMs("Start"),
    state: z.enum(["serving", "draining"]),
    listeners: z.array(z.object({ name: z.string(), address: z.string(), port: z.number() })),
    connections: count("Client connections open."),
    exchangesActive: count("Exchanges going on."),
    exchangesTotal: count("Exchanges since the start."),
    services: z.array(serviceStatusSchema),
    workers: z
      .array(workerSchema)
      .describe("The processes that serve, where there are several; empty where one does all."),
    process: processSchema,
    control: controlStateSchema,
    configuration: configStateSchema.nullable().describe("Null: it is not known here."),
  }),
);

const addressStateSchema = describes<OriginAddressView["state"]>()(
  z
    .enum(["up", "down", "ejected", "probation", "ramping", "drained"])
    .describe(
      "down: active checks fail. ejected: traffic failed. probation: one request decides about its return. " +
        "ramping: back, with a growing share. drained: a person took it out.",
    ),
);

export const originAddressSchema = describes<OriginAddressView>()(
  z.object({
    address: z.string(),
    state: addressStateSchema,
    because: z.string().describe("The reason for the state, as a sentence."),
    since: epochMs("Last change of state"),
    until: epochMs(
      "When it may be tried, has all its share again, or the drain ends; null: not told by time",
    ).nullable(),
    share: count("Share of its weight that it gets now, 0 to 1."),
    check: z.object({
      kind: z.enum(["http", "grpc", "connect", "none"]),
      ok: z.boolean().nullable().describe("The last result; null before the first."),
      at: epochMs("The last check"),
      detail: z.string(),
    }),
    disagreement: z.string().describe("Set when checks and traffic disagree."),
    breakers: z.string().describe("Routes that are kept from it, and why; empty when there are none."),
    inFlight: count("Attempts going on."),
    connectionsOpen: count("Connections open, idle ones included."),
    connectionsIdle: count("Connections that carry no attempt."),
    keepAliveMs: count("How long an idle connection is kept, ms."),
    keepAliveBecause: z.string().describe("How that was learned."),
    held: count("Requests that wait for their first byte."),
    limit: count("How many of them may; 0: no limit."),
    latencyMs: count("Peak moving average of the response time, ms."),
    attempts: count("Since the start."),
    failures: count("Since the start."),
  }),
);

export const originSchema = describes<OriginView>()(
  z.object({
    service: z.string(),
    pool: z.string(),
    origin: z.string().describe("As configured."),
    weight: count("Relative share."),
    addresses: z.array(originAddressSchema),
    addressesSince: z
      .number()
      .nullable()
      .describe("When the addresses of its name last changed, epoch ms; null: never since the first answer."),
    resolution: z.string().describe("Why the name could not be resolved lately; empty when it could."),
  }),
);

export const eventSchema = describes<GatewayEvent>()(
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("exchange"), record: exchangeSchema }),
    z.object({
      kind: z.literal("origin"),
      at: epochMs("When"),
      service: z.string(),
      pool: z.string(),
      origin: z.string(),
      address: z.string(),
      state: addressStateSchema,
      because: z.string(),
    }),
    z.object({
      kind: z.literal("pool"),
      at: epochMs("When"),
      service: z.string(),
      from: z.string(),
      to: z.string(),
      because: z.string(),
    }),
    z.object({
      kind: z.literal("spill"),
      at: epochMs("When"),
      service: z.string(),
      shares: z
        .array(z.object({ pool: z.string(), share: count("Part of the exchanges, 0 to 1.") }))
        .describe("What each pool gets."),
      because: z.string(),
    }),
    z.object({
      kind: z.literal("fail-open"),
      at: epochMs("When"),
      service: z.string(),
      pool: z.string(),
      state: z.enum(["begin", "end"]),
      code: z.string().describe("Which way of failing open, as on the records of the exchanges served so."),
      because: z.string(),
    }),
    z.object({
      kind: z.literal("disagreement"),
      at: epochMs("When"),
      service: z.string(),
      pool: z.string(),
      origin: z.string(),
      address: z.string(),
      state: z.enum(["begin", "end"]),
      because: z.string(),
    }),
    z.object({
      kind: z.literal("resolution"),
      at: epochMs("When"),
      service: z.string(),
      origin: z.string(),
      because: z.string(),
    }),
    z.object({ kind: z.literal("gateway"), at: epochMs("When"), code: z.string(), detail: z.string() }),
  ]),
);
