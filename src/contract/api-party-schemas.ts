/** Schemas of who is at fault: of a cause, and of anything. */
import { z } from "zod";
import type { Party, PartyOfCause } from "../kernel/causes.ts";
import { describes } from "./api-describes.ts";

export const partyOfCauseSchema = describes<PartyOfCause>()(
  z.enum(["client", "gateway", "network", "dns", "origin", "configuration", "overload"]).describe("Who is at fault."),
);

export const partySchema = describes<Party>()(
  z.enum([...partyOfCauseSchema.options, "provider", "change"]).describe("Who is at fault."),
);
