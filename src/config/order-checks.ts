/**
 * Pairs of values of which one bounds the other. Only a value that somebody wrote can contradict: a default
 * gives way instead (normalise.ts).
 */
import type { z } from "zod";
import { headsSchema } from "./heads-schema.ts";
import { valueAt } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";
import { controlSchema, dnsSchema } from "./schema.ts";
import { backoffSchema, connectionsSchema, ejectionSchema, healthSchema, overloadSchema } from "./service-schema.ts";
import { isMapping } from "./yaml-tree.ts";

export function orderFindings(file: unknown): Finding[] {
  const services = valueAt(file, ["services"]);
  const listeners = valueAt(file, ["listeners"]);
  return [
    ...check(file, ["dns"], TTL),
    ...check(file, ["control"], FACTS),
    ...(Array.isArray(listeners)
      ? listeners.flatMap((_, index) => check(file, ["listeners", index, "heads"], LINE))
      : []),
    ...Object.keys(isMapping(services) ? services : {}).flatMap((name) => [
      ...check(file, ["services", name, "heads"], LINE),
      ...check(file, ["services", name, "health"], CHECK_TIME),
      ...check(file, ["services", name, "ejection"], RETURN),
      ...check(file, ["services", name, "connections"], IDLE),
      ...check(file, ["services", name, "retry", "backoff"], BACKOFF),
      ...check(file, ["services", name, "overload", "queueWait"], QUEUE_WAIT),
    ]),
  ];
}

/** `low` may not be more than `high`. */
interface Pair {
  readonly fields: Readonly<Record<string, z.ZodType>>;
  readonly low: string;
  readonly high: string;
  readonly message: string;
}

const TTL: Pair = { fields: dnsSchema.shape, low: "ttlMin", high: "ttlMax", message: "ttlMin is longer than ttlMax." };

const FACTS: Pair = {
  fields: controlSchema.shape,
  low: "facts",
  high: "disk",
  message: "The facts are a part of what is kept on disk and cannot be larger.",
};

const LINE: Pair = {
  fields: headsSchema.shape,
  low: "line",
  high: "head",
  message: "The start line is a part of the head and cannot be larger.",
};

const CHECK_TIME: Pair = {
  fields: healthSchema.shape,
  low: "timeout",
  high: "interval",
  message: "A check may not take longer than the interval to the next one.",
};

const RETURN: Pair = {
  fields: ejectionSchema.shape,
  low: "returnAfter",
  high: "returnAfterMax",
  message: "The first ejection would last longer than the longest may.",
};

const IDLE: Pair = {
  fields: connectionsSchema.shape,
  low: "idlePerOrigin",
  high: "perOrigin",
  message: "More connections would be kept idle than may be open.",
};

const BACKOFF: Pair = {
  fields: backoffSchema.shape,
  low: "base",
  high: "max",
  message: "The first pause would be longer than the longest may be.",
};

const QUEUE_WAIT: Pair = {
  fields: overloadSchema.shape.queueWait.unwrap().shape,
  low: "stressed",
  high: "calm",
  message: "Requests would wait longer while the queue stands than they usually do.",
};

function check(file: unknown, path: Path, { fields, low, high, message }: Pair): Finding[] {
  const section = valueAt(file, path);
  if (!isMapping(section) || section[low] === undefined) return [];
  const lower = fields[low]?.safeParse(section[low]);
  const upper = fields[high]?.safeParse(section[high]);
  if (lower?.success !== true || upper?.success !== true || Number(lower.data) <= Number(upper.data)) return [];
  return [{ path: [...path, low], at: "value", message, hint: `Lower ${low} or raise ${high}.` }];
}
