/** Schemas of what the API says of the configuration. */
import { z } from "zod";
import { describes } from "./api-describes.ts";
import type { AppliedResponse, ConfigResponse, UpgradedResponse } from "./api-responses.ts";
import type { ConfigProblem } from "../config/problems.ts";
import type { SettingChange } from "../config/setting-changes.ts";
import type { ConfigState } from "./config-desk.ts";
import type { Revision } from "./revision.ts";

const epochMs = (what: string): z.ZodNumber => z.number().describe(`${what}, ms since 1970-01-01 UTC.`);

const settingChangeSchema = describes<SettingChange>()(
  z.object({
    path: z.string().describe("Lists by the names of what is in them: services.shop.pools.aws.origins.http://10.0.0.1"),
    from: z.string().nullable().describe("As JSON; null: it was not there."),
    to: z.string().nullable().describe("As JSON; null: it is not there any more."),
  }),
);

export const revisionSchema = describes<Revision>()(
  z.object({
    number: z.number().min(1).describe("1 is what the gateway started with."),
    hash: z.string().describe("The same settings have the same."),
    at: epochMs("When it was put into effect"),
    by: z.string().describe("Who asked for it; empty when nobody said."),
    reason: z.string(),
    changes: z.array(settingChangeSchema).readonly().describe("Against the one before it."),
  }),
);

const state = {
  revision: revisionSchema,
  lastOk: z.boolean().describe("Whether the last change that was asked for was accepted."),
  lastAt: epochMs("When that was"),
  lastProblem: z.string().describe("Why it was not; empty when it was."),
};

export const configStateSchema = describes<ConfigState>()(z.object(state));

export const configSchema = describes<ConfigResponse>()(
  z.object({
    ...state,
    settings: z
      .record(z.string(), z.unknown())
      .describe("As the program uses them: every default written out, durations in ms, sizes in bytes."),
  }),
);

export const appliedSchema = describes<AppliedResponse>()(
  z.object({
    outcome: z
      .enum(["applied", "unchanged", "would apply"])
      .describe("unchanged: it is in effect already. would apply: of a dry run."),
    revision: revisionSchema.nullable().describe("What is in effect now; null: of a dry run."),
    changes: z.array(settingChangeSchema).readonly(),
  }),
);

export const upgradedSchema = describes<UpgradedResponse>()(
  z.object({ pid: z.number().describe("The process that serves from now on.") }),
);

export const configProblemSchema = describes<ConfigProblem>()(
  z.object({
    file: z.string(),
    line: z.number(),
    column: z.number(),
    path: z.string(),
    message: z.string(),
    hint: z.string(),
  }),
);
