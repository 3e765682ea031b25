/** Schema of what a code of another system means. */
import { z } from "zod";
import { describes } from "./api-describes.ts";
import { partySchema } from "./api-party-schemas.ts";
import { causeIdSchema } from "./api-record-schemas.ts";
import type { CodeResponse } from "./api-responses.ts";
import { findingSchema } from "./api-verdict-schemas.ts";

export const codeSchema = describes<CodeResponse>()(
  z.object({
    code: z.string().describe("As asked for."),
    meanings: z
      .array(
        z.object({
          system: z.enum([
            "goodgate",
            "envoy",
            "haproxy",
            "nginx",
            "cloudflare",
            "alb",
            "google",
            "grpc",
            "proxy-status",
            "node",
          ]),
          name: z.string().describe("The system as people call it."),
          code: z.string().describe("As it is written there."),
          also: z.array(z.string()).describe("Other spellings."),
          means: z.string().describe("What it means there."),
          here: z
            .array(
              z.object({
                id: findingSchema,
                title: z.string(),
                party: partySchema,
                evidence: z.string().describe("What shows it, and what tells it from the others."),
                lookFirst: z.string().describe("The first thing to do."),
              }),
            )
            .describe("What it can be here; empty: nothing that this gateway meets."),
        }),
      )
      .describe("One for each system that knows it."),
    hint: z.string().describe("What it may be besides when it is written so short; empty: nothing."),
    latest: z
      .array(
        z.object({
          id: z.string(),
          startedAt: z.number().describe("Epoch ms."),
          cause: causeIdSchema,
          headline: z.string().describe("One sentence."),
        }),
      )
      .describe("Kept exchanges that show what it can be here, newest first."),
  }),
);
