/**
 * The bodies of the API as schemas, by the names that they have in the OpenAPI document. Whoever receives
 * an answer can check it with these; the gateway's own tests check every answer so.
 */
import type { AcmeCertificateView } from "./acme.ts";
import type { FleetView } from "./fleet.ts";
import { z } from "zod";
import { describes } from "./api-describes.ts";
import type { PurgeResult } from "./view.ts";
import {
  attemptSchema,
  causeSchema,
  decisionSchema,
  exchangeSchema,
  judgedExchangeSchema,
  storySchema,
} from "./api-record-schemas.ts";
import { codeSchema } from "./api-code-schemas.ts";
import {
  appliedSchema,
  configProblemSchema,
  configSchema,
  revisionSchema,
  upgradedSchema,
} from "./api-config-schemas.ts";
import {
  alertsSchema,
  alertsTestedSchema,
  alertsTestSchema,
  forecastSchema,
  forecastsSchema,
  healthSchema,
  hypothesisSchema,
  incidentActSchema,
  incidentSchema,
  incidentsSchema,
  probeBodySchema,
  probeSchema,
  probesSchema,
  seriesSchema,
  serviceHealthSchema,
  silenceBodySchema,
  silencedSchema,
  silenceEndSchema,
} from "./api-control-schemas.ts";
import { sampleBreakSchema, sampleBrokenSchema, samplesSchema } from "./api-sample-schemas.ts";
import { evidenceSchema, verdictSchema } from "./api-verdict-schemas.ts";
import type {
  CacheResponse,
  CausesResponse,
  DrainBody,
  CertificatesResponse,
  DrainedResponse,
  RenewBody,
  EventsLost,
  ExchangesResponse,
  FiguresResponse,
  OriginsResponse,
  Problem,
  RestoreBody,
} from "./api-responses.ts";
import type { KeysResponse, KeyView } from "./keys.ts";
import {
  controlStateSchema,
  eventSchema,
  originAddressSchema,
  originSchema,
  processSchema,
  serviceStatusSchema,
  statusSchema,
} from "./api-view-schemas.ts";

const originsSchema = describes<OriginsResponse>()(
  z.object({
    now: z.number().describe("The gateway's clock when this was said, ms since 1970-01-01 UTC."),
    origins: z.array(originSchema),
  }),
);

const exchangesSchema = describes<ExchangesResponse>()(
  z.object({ exchanges: z.array(exchangeSchema).describe("Newest first.") }),
);

const causesSchema = describes<CausesResponse>()(z.object({ causes: z.array(causeSchema) }));

const kept = (text: string): z.ZodNumber => z.number().min(0).describe(text);

const cacheSchema = describes<CacheResponse>()(
  z.object({
    entries: kept("Stored responses."),
    bytes: kept("Memory that they take, and those that are being stored."),
    bytesMax: kept("Memory that they may take."),
    stored: kept("Responses stored since the start."),
    evicted: kept("Of those, removed to make room."),
    purged: kept("Removed on somebody's word."),
    invalidated: kept("Removed because an unsafe request may have changed them."),
    disk: z.object({
      bytes: kept("Of the files that outlive the process."),
      bytesMax: kept("That they may have; 0: nothing outlives the process."),
      entries: kept("Responses on disk."),
      damaged: kept("Found damaged and dropped since the start."),
      skipped: kept("Not written since the start: too much waited, or the disk failed."),
    }),
    routes: z.array(
      z.object({
        service: z.string(),
        route: z.string(),
        answers: z.object({
          hit: kept("A stored response that was fresh."),
          stale: kept("A stored response that was stale."),
          revalidated: kept("A stored response that an origin had confirmed."),
          collapsed: kept("The response to another request for the same."),
          miss: kept("An origin's, because no stored one could answer."),
          pass: kept("An origin's, because it was none of the cache's business."),
          "last-good": kept("A stored response, because no origin could answer."),
          refresh: kept("Fetched anew with nobody waiting."),
        }),
      }),
    ),
  }),
);

const purgedSchema = describes<PurgeResult>()(z.object({ purged: kept("Stored responses removed.") }));
const ms = (text: string): z.ZodNullable<z.ZodNumber> =>
  z.number().nullable().describe(`${text}, ms; null when nothing ended.`);

const figures = z.object({
  service: z.string().describe("Empty: what no route took."),
  exchanges: kept("Exchanges that ended."),
  perSecond: kept("Of them, each second."),
  failed: kept("Of them."),
  rescued: kept("Of them."),
  refusedOrAborted: kept("Of them."),
  retries: kept("Attempts beyond the first."),
  p50Ms: ms("Median of the whole duration"),
  p95Ms: ms("95th percentile"),
  p99Ms: ms("99th percentile"),
});

const figuresSchema = describes<FiguresResponse>()(
  z.object({
    now: z.number().describe("The gateway's clock when this was said, ms since 1970-01-01 UTC."),
    seconds: kept("What the figures cover: about ten while somebody asks again and again."),
    isSinceStart: z.boolean().describe("Nobody asked before, so they cover everything."),
    services: z.array(figures),
    routes: z.array(figures.extend({ route: z.string() })),
  }),
);

const words = (text: string): z.ZodString => z.string().trim().min(1).max(500).describe(text);

export const restoreBodySchema = describes<RestoreBody>()(
  z.object({
    service: words("The service."),
    origin: words("Its origin, by its URL as configured."),
    by: words("Who does it."),
    reason: words("Why."),
  }),
);

export const drainBodySchema = describes<DrainBody>()(
  restoreBodySchema.extend({
    for: z.string().exactOptional().describe("How long, 1s to 7d; 1h when left out. Then it comes back by itself."),
  }),
);

const drainedSchema = describes<DrainedResponse>()(
  z.object({
    until: z.number().nullable().describe("When it comes back by itself, ms since 1970-01-01 UTC; null: it is back."),
  }),
);

const certificateSchema = describes<AcmeCertificateView>()(
  z.object({
    name: z.string(),
    state: z.enum(["good", "missing", "ordering", "failing", "expired"]),
    notBefore: z.number().describe("ms since 1970-01-01 UTC; 0: there is none."),
    notAfter: z.number(),
    authority: z.string().describe("The directory of who issued it; empty: nobody has."),
    nextAt: z.number().describe("When it is ordered, or ordered again; ms since 1970-01-01 UTC."),
    because: z.string().describe("Why then."),
    lastError: z.string().describe("Of the last try; empty: it went well, or there was none."),
    lately: z.number().describe("Obtained in the last seven days."),
  }),
);

const fleetSchema = describes<FleetView>()(
  z.object({
    state: z
      .enum(["connecting", "connected", "unreachable", "unusable"])
      .describe("`unreachable`: it is tried again. `unusable`: somebody has to change something; it is tried as well."),
    detail: z.string().describe("Why it is not connected; empty: it is."),
    since: z.number().describe("ms since 1970-01-01 UTC."),
    database: z.string().describe("HOST:PORT/NAME; empty: not known yet."),
    holder: z.string().describe("The node that orders now; empty: none does."),
    nodes: z
      .array(
        z.object({
          name: z.string(),
          seenAt: z.number().describe("ms since 1970-01-01 UTC."),
          isCurrent: z.boolean().describe("It has all that is written."),
        }),
      )
      .describe("Those that were there within a day, as last heard, this one among them."),
  }),
);

const certificatesSchema = describes<CertificatesResponse>()(
  z.object({
    certificates: z.array(certificateSchema),
    fleet: fleetSchema
      .nullable()
      .describe("How it is with the database that several gateways share; null: there is none."),
  }),
);

export const renewBodySchema = describes<RenewBody>()(z.object({ name: words("The name, such as shop.example.com.") }));

const keySchema = describes<KeyView>()(
  z.object({
    id: z.string().describe("Of several uses of one key each has its own."),
    key: z.string().describe("As the client wrote it."),
    service: z.string(),
    route: z.string(),
    method: z.string(),
    target: z.string(),
    requestId: z.string().describe("Of the exchange that was sent."),
    startedAt: z.number().describe("ms since 1970-01-01 UTC."),
    expiresAt: z.number().describe("ms since 1970-01-01 UTC; then the key is forgotten."),
    state: z.enum(["started", "answered", "uncertain"]),
    status: z.number().describe("Of the answer; 0: none is known."),
    kept: z.boolean().describe("The answer is stored and given to whoever repeats the request."),
    because: z.string().describe("Why it is uncertain, or why its answer is not kept; otherwise empty."),
  }),
);

const keysSchema = describes<KeysResponse>()(z.object({ keys: z.array(keySchema).describe("Newest first.") }));

const eventsLostSchema = describes<EventsLost>()(
  z.object({
    kind: z.literal("lost"),
    count: z.number().nullable().describe("How many events this stream does not carry; null when that is not known."),
    because: z.string(),
  }),
);

const problemSchema = describes<Problem>()(
  z.object({
    title: z.string().describe("The phrase of the status code."),
    status: z.number(),
    code: z
      .enum([
        "unauthorised",
        "unknown-path",
        "unknown-parameter",
        "bad-parameter",
        "unknown-exchange",
        "no-exchange-yet",
        "unknown-cause",
        "unknown-code",
        "method-not-allowed",
        "not-json",
        "bad-body",
        "foreign-origin",
        "unknown-origin",
        "last-origin",
        "not-drained",
        "workers-silent",
        "unknown-certificate",
        "renewal-waits",
        "unknown-key",
        "key-not-uncertain",
        "keys-unavailable",
        "control-unavailable",
        "unknown-incident",
        "unknown-silence",
        "unknown-pool",
        "no-samples",
        "refused",
        "config-invalid",
        "config-removes",
        "config-unusable",
        "config-needs-restart",
        "draining",
        "no-config-file",
        "upgrade-failed",
        "too-many-streams",
      ])
      .describe("Stable, for programs."),
    detail: z.string().describe("For people: what is wrong and what would be right."),
    parameter: z.string().exactOptional().describe("The query parameter at fault."),
    nearest: z.string().exactOptional().describe("The known name that is nearest to the one given."),
    known: z.array(z.string()).exactOptional().describe("All names that would have been understood."),
    problems: z.array(configProblemSchema).exactOptional().describe("What is wrong with a configuration."),
  }),
);

export const API_SCHEMAS = {
  Status: statusSchema,
  Process: processSchema,
  ServiceStatus: serviceStatusSchema,
  Origins: originsSchema,
  Origin: originSchema,
  OriginAddress: originAddressSchema,
  DrainBody: drainBodySchema,
  RestoreBody: restoreBodySchema,
  Drained: drainedSchema,
  Figures: figuresSchema,
  Exchanges: exchangesSchema,
  Exchange: exchangeSchema,
  JudgedExchange: judgedExchangeSchema,
  Attempt: attemptSchema,
  Decision: decisionSchema,
  Story: storySchema,
  Verdict: verdictSchema,
  Evidence: evidenceSchema,
  Cache: cacheSchema,
  Purged: purgedSchema,
  Config: configSchema,
  Applied: appliedSchema,
  Revision: revisionSchema,
  Upgraded: upgradedSchema,
  Causes: causesSchema,
  Code: codeSchema,
  Cause: causeSchema,
  Certificates: certificatesSchema,
  Certificate: certificateSchema,
  RenewBody: renewBodySchema,
  Renewed: renewBodySchema,
  Keys: keysSchema,
  Key: keySchema,
  Incidents: incidentsSchema,
  Incident: incidentSchema,
  Hypothesis: hypothesisSchema,
  IncidentAct: incidentActSchema,
  Forecasts: forecastsSchema,
  Forecast: forecastSchema,
  Health: healthSchema,
  ServiceHealth: serviceHealthSchema,
  ControlState: controlStateSchema,
  Series: seriesSchema,
  Probes: probesSchema,
  Probe: probeSchema,
  ProbeBody: probeBodySchema,
  Alerts: alertsSchema,
  AlertsTest: alertsTestSchema,
  AlertsTested: alertsTestedSchema,
  SilenceBody: silenceBodySchema,
  Silenced: silencedSchema,
  SilenceEnd: silenceEndSchema,
  Samples: samplesSchema,
  SampleBreakBody: sampleBreakSchema,
  SampleBroken: sampleBrokenSchema,
  Event: eventSchema,
  EventsLost: eventsLostSchema,
  Problem: problemSchema,
} as const satisfies Record<string, z.ZodType>;

export type ApiSchemaName = keyof typeof API_SCHEMAS;
