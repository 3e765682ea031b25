/** Schemas of what the control plane concludes, and of what a person may have it do. */
import { z } from "zod";
import { CAUSES } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CONCLUSIONS } from "../kernel/conclusions.ts";
import type { ConclusionId } from "../kernel/conclusions.ts";
import { describes } from "./api-describes.ts";
import { partySchema } from "./api-party-schemas.ts";
import { evidenceSchema } from "./api-verdict-schemas.ts";
import { controlStateSchema } from "./api-view-schemas.ts";
import type { AlertsView } from "./control-port.ts";
import type {
  AlertsTestBody,
  AlertsTestedResponse,
  ForecastsResponse,
  HealthResponse,
  IncidentActBody,
  IncidentsResponse,
  ProbeBody,
  ProbesResponse,
  SilenceBody,
  SilencedResponse,
  SilenceEndBody,
} from "./control-responses.ts";
import type { ProbeFact } from "./facts.ts";
import type { Forecast, Hypothesis, Impact, Incident } from "./incident.ts";
import type { SeriesAnswer, ServiceHealth } from "./series.ts";

const at = z.number().describe("ms since 1970-01-01 UTC.");
const maybeAt = at.nullable();
const count = z.number().min(0);
const maybeMs = z.number().nullable().describe("ms; null when there is nothing to measure.");
const where = z.record(z.string(), z.string()).describe("Dimension and value: service, pool, origin, route, …");
const finding = z
  .enum([
    ...(Object.keys(CAUSES) as [CauseId, ...CauseId[]]), // Object.keys widens the keys of a record whose type lists them.
    ...(Object.keys(CONCLUSIONS) as [ConclusionId, ...ConclusionId[]]),
  ])
  .nullable()
  .describe("An id of the table of causes, or of conclusions; null while undecided.");

export const severitySchema = z
  .enum(["critical", "warning", "notice"])
  .describe(
    "critical: clients are being failed at a rate that will not do; warning: they are spared, or few; notice: nobody felt it.",
  );

export const hypothesisSchema = describes<Hypothesis>()(
  z.object({
    cause: finding,
    party: partySchema.nullable(),
    claim: z.string().describe("What is thought to be so, in a sentence."),
    confidence: z.number().min(0).max(1),
    for: z.array(evidenceSchema).describe("Never empty."),
    against: z.array(evidenceSchema),
    tellApart: z.string().describe("The check that would tell it from the next one; empty: none is needed."),
    firstStep: z.string(),
  }),
);

const impactSchema = describes<Impact>()(
  z.object({
    failed: count,
    rescued: count,
    failedByClass: z.record(z.string(), z.number()),
    exchanges: count.describe("All of its services while it lasted."),
    clientNetworks: count.describe("Networks of clients that saw failures."),
    clientNetworksMore: z.boolean().describe("There were more than were counted."),
    budgetSpent: z.record(z.string(), z.number()).describe("Part of the 30-day error budget, by service."),
    latencyP95Ms: z.object({ before: z.number(), worst: z.number() }).nullable(),
  }),
);

export const incidentSchema = describes<Incident>()(
  z.object({
    id: z.string(),
    state: z.enum(["open", "recovering", "closed", "merged"]),
    severity: severitySchema,
    title: z.string(),
    summary: z.string(),
    services: z.array(z.string()),
    where,
    cause: finding,
    party: partySchema.nullable(),
    verdict: z.enum(["decided", "undecided", "not enough evidence"]),
    hypotheses: z.array(hypothesisSchema).describe("Likeliest first; never empty."),
    firstFailureAt: at,
    detectedAt: at,
    recoveredAt: maybeAt.describe("When nothing wrong was seen any more; null: it goes on."),
    closedAt: maybeAt,
    impact: impactSchema,
    timeline: z.array(
      z.object({
        at,
        kind: z.enum([
          "first failure",
          "detected",
          "grew",
          "automation",
          "effect",
          "change",
          "probe",
          "verdict",
          "recovered",
          "closed",
          "person",
          "told",
        ]),
        text: z.string(),
      }),
    ),
    nextStep: z.string().describe("What a person should do next."),
    acknowledged: z.object({ by: z.string(), at }).nullable(),
    owner: z.string().describe("Who took over; empty: nobody."),
    merged: z.array(z.string()).describe("Incidents that were merged into this one."),
    parent: z.string().describe("The incident that it is part of; empty: it stands alone."),
    told: z.array(z.object({ at, to: z.string(), text: z.string() })),
  }),
);

export const incidentsSchema = describes<IncidentsResponse>()(
  z.object({ now: at, incidents: z.array(incidentSchema).describe("Newest first.") }),
);

export const forecastSchema = describes<Forecast>()(
  z.object({
    id: z.string(),
    kind: z.enum([
      "certificate",
      "dns drift",
      "keep-alive margin",
      "latency trend",
      "error trend",
      "descriptors",
      "ports",
      "memory",
      "disk",
      "capacity",
      "objective",
      "standby unproven",
      "standby unequal",
    ]),
    severity: severitySchema,
    title: z.string(),
    where,
    when: maybeAt.describe("When it happens; null: it is so already, or no time can be told."),
    confidence: z.number().min(0).max(1),
    evidence: z.array(evidenceSchema),
    advice: z.string(),
    since: at,
  }),
);

export const forecastsSchema = describes<ForecastsResponse>()(
  z.object({ now: at, forecasts: z.array(forecastSchema) }),
);

export const serviceHealthSchema = describes<ServiceHealth>()(
  z.object({
    service: z.string(),
    state: z.enum(["well", "disturbed", "failing", "silent", "no data"]),
    because: z.string(),
    perSecond: count,
    failedRatio: z.number(),
    rescuedRatio: z.number(),
    p50Ms: maybeMs,
    p95Ms: maybeMs,
    p99Ms: maybeMs,
    objective: z
      .object({
        availability: z.number(),
        latencyMs: z.number().nullable(),
        budgetLeft: z.number().describe("Part of the 30-day budget; negative: overspent."),
        burn5m: z.number().describe("How many times faster than allowed the budget burns."),
        burn1h: z.number(),
        from: at,
      })
      .nullable(),
    incidents: z.array(
      z.object({ id: z.string(), severity: severitySchema, title: z.string(), party: partySchema.nullable() }),
    ),
  }),
);

export const healthSchema = describes<HealthResponse>()(
  z.object({ now: at, control: controlStateSchema, services: z.array(serviceHealthSchema) }),
);

export const seriesSchema = describes<SeriesAnswer>()(
  z.object({
    resolution: z.union([z.literal(1), z.literal(10), z.literal(60), z.literal(3600)]),
    series: z.array(
      z.object({
        value: z.string(),
        points: z.array(
          z.object({
            at,
            known: z
              .number()
              .describe("Part of the stretch for which there are facts, 0–1; 0 is no data, never health."),
            exchanges: count,
            failed: count,
            rescued: count,
            p50Ms: maybeMs,
            p95Ms: maybeMs,
            p99Ms: maybeMs,
          }),
        ),
      }),
    ),
  }),
);

export const probeSchema = describes<ProbeFact>()(
  z.object({
    kind: z.literal("probe"),
    at,
    id: z.string(),
    service: z.string(),
    pool: z.string(),
    origin: z.string(),
    rungs: z.array(
      z.object({
        rung: z.string(),
        at: z.string().describe("What it was done to."),
        result: z.enum(["holds", "breaks", "unknown"]),
        ms: z.number(),
        text: z.string(),
      }),
    ),
    located: z.string().describe("What the rungs say together; empty: nothing."),
  }),
);

export const probesSchema = describes<ProbesResponse>()(
  z.object({ now: at, probes: z.array(probeSchema).describe("Newest first.") }),
);

export const alertsSchema = describes<AlertsView>()(
  z.object({
    silences: z.array(z.object({ id: z.string(), at, where, by: z.string(), reason: z.string(), until: at })),
    sinks: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        state: z
          .enum(["ok", "failing", "waiting", "unused"])
          .describe("waiting: the first message is on its way, and none has arrived yet. unused: there was none."),
        because: z.string(),
        lastAt: maybeAt,
      }),
    ),
    sent: z
      .array(
        z.object({
          at,
          incident: z.string(),
          sink: z.string(),
          what: z.enum(["open", "update", "repeat", "escalate", "taken", "recovered"]),
          outcome: z.enum(["delivered", "failed", "waiting", "silenced", "quiet hours"]),
          detail: z.string(),
        }),
      )
      .describe("Newest first."),
  }),
);

const words = (text: string, max: number): z.ZodString => z.string().trim().min(1).max(max).describe(text);
const whereAsked = z
  .record(words("A dimension.", 100), words("Its value.", 500))
  .refine((value) => Object.keys(value).length > 0, "name at least one dimension and its value")
  .describe("Dimension and value; all must match.");

export const incidentActSchema = describes<IncidentActBody>()(
  z.object({
    by: words("Who does it.", 200),
    text: words("Of annotate and close.", 4000).exactOptional(),
    into: words("Of merge: the id of the other incident.", 100).exactOptional(),
    where: whereAsked.exactOptional(),
  }),
);

export const probeBodySchema = describes<ProbeBody>()(
  z.object({
    service: words("The service.", 500),
    origin: words("Its origin, by its URL as configured.", 500),
    by: words("Who wants to know.", 200),
  }),
);

export const silenceBodySchema = describes<SilenceBody>()(
  z.object({
    where: whereAsked,
    by: words("Who wants silence.", 200),
    reason: words("Why.", 500),
    for: words("How long, 1m to 30d.", 20),
  }),
);

export const silenceEndSchema = describes<SilenceEndBody>()(z.object({ by: words("Who ends it.", 200) }));

export const silencedSchema = describes<SilencedResponse>()(z.object({ id: z.string(), until: at }));

export const alertsTestSchema = describes<AlertsTestBody>()(
  z.object({
    by: words("Who wants to know.", 200),
    sink: words("Which sink. Default: all of them.", 100).exactOptional(),
  }),
);

export const alertsTestedSchema = describes<AlertsTestedResponse>()(
  z.object({
    tested: z.array(
      z.object({ sink: z.string(), outcome: z.enum(["delivered", "failed", "waiting"]), detail: z.string() }),
    ),
  }),
);
