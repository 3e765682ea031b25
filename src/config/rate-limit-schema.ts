/** Rate limits of a route, as an operator writes them, and as the program uses them. */
import { z } from "zod";
import { count, text, yesOrNo } from "./fields.ts";
import { nameText } from "./names.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { RateLimitSettings } from "./settings.ts";
import { parseDuration } from "./units.ts";

const COUNT_MAX = 1_000_000;
const BURST_MAX = 1_000_000;
const LIMITS_MAX = 8;
const DAY_MS = 86_400_000;

export const rateLimitSchema = z.strictObject({
  rate: text("rate", parseRate, {
    bounds: "1 to 1000000 in 1ms to 1d",
    pattern: "^[0-9]+/([0-9.]+)?(ms|s|m|h|d)$",
  }).describe("So many requests in so much time: `100/s`, `30/m`, `1000/h`, `5/10s`."),
  burst: count("requests", 1, BURST_MAX)
    .optional()
    .describe("So many at once after a pause. Default: as many as `rate` names."),
  per: text("client, route or header:NAME", parsePer, {
    pattern: "^(client|route|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+)$",
  })
    .prefault("client")
    .describe(
      "Who is counted apart: each `client` by its network (`limits.clientNetwork`), each value of a request field (`header:X-Api-Key`; requests without it count together), or nobody: all of the `route` share one limit.",
    ),
  name: nameText
    .optional()
    .describe("What it is called in `RateLimit` fields and in records. Default: by `per`, such as `client`."),
  shadow: yesOrNo()
    .prefault(false)
    .describe("True: nothing is refused and nothing is told to clients; what would be refused is noted and counted."),
});

/** One, or several that all have to hold. */
export const rateLimitsSchema = z.union([z.array(rateLimitSchema).max(LIMITS_MAX), rateLimitSchema]);

type CheckedRateLimit = z.output<typeof rateLimitSchema>;

export function rateLimitsOf(written: z.output<typeof rateLimitsSchema>): RateLimitSettings[] {
  const taken = new Set<string>();
  return (Array.isArray(written) ? written : [written]).map((limit) => limitOf(limit, taken));
}

function limitOf({ rate, burst, per, name, shadow }: CheckedRateLimit, taken: Set<string>): RateLimitSettings {
  const called = name ?? (per.by === "header" ? per.field : per.by);
  let free = called;
  for (let number = 2; taken.has(free); number += 1) free = `${called}-${number}`;
  taken.add(free);
  return {
    name: free,
    count: rate.count,
    periodMs: rate.periodMs,
    burst: burst ?? rate.count,
    per: per.by,
    header: per.field,
    shadow,
  };
}

function parseRate(input: unknown): Parsed<{ readonly count: number; readonly periodMs: number }> {
  const hint = "Write a number of requests and a time: 100/s, 30/m, 1000/h or 5/10s.";
  const parts = typeof input === "string" ? /^(\d{1,7})\/([\d.]*)(ms|s|m|h|d)$/.exec(input) : null;
  if (parts === null) return refused(`${quoted(input)} is not a rate.`, hint);
  const period = parseDuration(`${parts[2] === "" ? "1" : parts[2]}${parts[3]}`, { min: 1, max: DAY_MS });
  if (!period.ok) return refused(`${quoted(input)} is not a rate. ${period.message}`, hint);
  const requests = Number(parts[1]);
  if (requests < 1) return refused(`${quoted(input)} lets nothing through.`, hint);
  if (requests > COUNT_MAX) return refused(`${quoted(input)} is out of bounds: at most ${COUNT_MAX} requests.`);
  return accepted({ count: requests, periodMs: period.value });
}

/** RFC 9110 §5.1: a token, compared without case. */
function parsePer(input: unknown): Parsed<{ readonly by: "client" | "route" | "header"; readonly field: string }> {
  if (input === "client" || input === "route") return accepted({ by: input, field: "" });
  const parts = typeof input === "string" ? /^header:([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128})$/.exec(input) : null;
  const field = parts?.[1];
  return field === undefined
    ? refused(
        `${quoted(input)} is not what requests can be counted by.`,
        "Write client, route or header:NAME, such as header:X-Api-Key.",
      )
    : accepted({ by: "header", field: field.toLowerCase() });
}
