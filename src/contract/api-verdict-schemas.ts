/** Schemas of evidence and of the verdict on an exchange. */
import { z } from "zod";
import { CAUSES } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CONCLUSIONS } from "../kernel/conclusions.ts";
import type { ConclusionId } from "../kernel/conclusions.ts";
import { describes } from "./api-describes.ts";
import { partySchema } from "./api-party-schemas.ts";
import type { Citation, Evidence } from "./evidence.ts";
import type { ToldVerdict } from "./story.ts";
import type { Finding } from "./verdict/case.ts";

const at = z.number().describe("ms since 1970-01-01 UTC.");

const citationSchema = describes<Citation>()(
  z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("figure"),
      figure: z.string().describe("What was counted."),
      where: z.record(z.string(), z.string()).describe("Of what: dimension and value."),
      from: at,
      to: at,
      value: z.number(),
      usual: z.number().nullable().describe("What it is compared with; null: nothing."),
      unit: z.string(),
    }),
    z.object({
      kind: z.literal("exchange"),
      id: z.string(),
      at,
      fields: z.record(z.string(), z.union([z.string(), z.number()])).describe("Fields of its record that say it."),
    }),
    z.object({ kind: z.literal("change"), id: z.string(), at, text: z.string() }),
    z.object({ kind: z.literal("event"), at, code: z.string(), text: z.string() }),
    z.object({
      kind: z.literal("probe"),
      id: z.string(),
      at,
      rung: z.string(),
      result: z.enum(["holds", "breaks", "unknown"]),
      text: z.string(),
    }),
  ]),
);

export const evidenceSchema = describes<Evidence>()(
  z.object({
    text: z.string().describe("One sentence."),
    cites: z.array(citationSchema).describe("What it stands on; never empty."),
  }),
);

export const findingSchema = describes<Finding>()(
  z
    .enum([
      ...(Object.keys(CAUSES) as [CauseId, ...CauseId[]]), // Object.keys widens the keys of a record whose type lists them.
      ...(Object.keys(CONCLUSIONS) as [ConclusionId, ...ConclusionId[]]),
    ])
    .describe("An id of the table of causes, or of conclusions."),
);

const because = z.array(evidenceSchema).describe("What it stands on, beginning with what was seen at once.");
const sentence = z.string().describe("The verdict in a sentence.");

export const verdictSchema = describes<ToldVerdict>()(
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("decided"), cause: findingSchema, party: partySchema, because, sentence }),
    z.object({
      kind: z.literal("undecided"),
      between: z.array(findingSchema).describe("What fits all that was seen, likeliest first; two or more."),
      party: partySchema.nullable().describe("When all of them have the same one."),
      because,
      tellApart: z.string().describe("What would tell them apart."),
      sentence,
    }),
  ]),
);
