/**
 * The bodies of the API as schemas, by the names that they have in the OpenAPI document. Whoever receives
 * an answer can check it with these; the gateway's own tests check every answer so.
 */
import { z } from "zod";
import { describes } from "./api-describes.ts";
import { attemptSchema, causeSchema, decisionSchema, exchangeSchema, storySchema } from "./api-record-schemas.ts";
import type { CausesResponse, EventsLost, ExchangesResponse, OriginsResponse, Problem } from "./api-responses.ts";
import {
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
        "method-not-allowed",
        "too-many-streams",
      ])
      .describe("Stable, for programs."),
    detail: z.string().describe("For people: what is wrong and what would be right."),
    parameter: z.string().exactOptional().describe("The query parameter at fault."),
    nearest: z.string().exactOptional().describe("The known name that is nearest to the one given."),
    known: z.array(z.string()).exactOptional().describe("All names that would have been understood."),
  }),
);

export const API_SCHEMAS = {
  Status: statusSchema,
  Process: processSchema,
  ServiceStatus: serviceStatusSchema,
  Origins: originsSchema,
  Origin: originSchema,
  OriginAddress: originAddressSchema,
  Exchanges: exchangesSchema,
  Exchange: exchangeSchema,
  Attempt: attemptSchema,
  Decision: decisionSchema,
  Story: storySchema,
  Causes: causesSchema,
  Cause: causeSchema,
  Event: eventSchema,
  EventsLost: eventsLostSchema,
  Problem: problemSchema,
} as const satisfies Record<string, z.ZodType>;

export type ApiSchemaName = keyof typeof API_SCHEMAS;
