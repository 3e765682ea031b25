/** Schemas of the bundled sample origins, which may be broken on purpose. */
import { z } from "zod";
import { describes } from "./api-describes.ts";
import { OUTAGE_KINDS } from "./samples.ts";
import type { SampleBreakBody, SampleBroken, SamplesView } from "./samples.ts";

const kind = z
  .enum(OUTAGE_KINDS)
  .describe("crash: connections are refused; hang: no answer; slow: two seconds late; errors: status 500.");
const until = z.number().describe("When it is whole again, ms since 1970-01-01 UTC.");

export const samplesSchema = describes<SamplesView>()(
  z.object({
    pools: z.array(
      z.object({
        name: z.string(),
        origins: z.number(),
        outage: z.object({ kind, until }).nullable().describe("Null: it is whole."),
      }),
    ),
    perSecond: z.number().describe("Requests that the samples' own client sends each second."),
  }),
);

export const sampleBreakSchema = describes<SampleBreakBody>()(
  z.object({
    kind,
    pool: z.string().exactOptional().describe("The first one when left out."),
    for: z.string().exactOptional().describe("How long, 1s to 10m; 30s when left out."),
  }),
);

export const sampleBrokenSchema = describes<SampleBroken>()(z.object({ pool: z.string(), kind, until }));
