/**
 * What a gateway knows of its origins, on its way to the process that takes its place. The two may be of different
 * versions, so what comes is looked at before it is believed: all of it fits, or none of it is taken in. It is news as
 * workers tell it to each other, and a configuration that has changed meanwhile passes over what it does not name.
 */
import { z } from "zod";
import { olderBy } from "./news-keys.ts";
import type { News } from "./shared-knowledge.ts";

/** In a message to a successor. */
export interface KnownLeft {
  /** Epoch ms. */
  readonly at: number;
  readonly news: readonly News[];
  /**
   * What origins can take at once. Beside the news, because programs that do not know of it would not understand the
   * rest for it. Absent in older programs.
   */
  readonly loads?: { readonly version: number; readonly news: readonly News[] };
}

export const KNOWN_MAX = 16_384;
export const LOADS_MAX = 2_048;
/** Of the shape and meaning of loads. */
const LOADS_VERSION = 1;
/** Starting takes a second; what is so much older is of a process that stood still, or of another clock. */
const OLD_MS = 60_000;

const text = z.string().max(4_096);
const ms = z.number().min(0);
const count = z.int().min(0).max(1_000_000);
const place = z.object({ service: text, pool: text, origin: text, address: text });
const news = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("ejection"),
    at: place,
    phase: z.enum(["ejected", "probation", "ramping"]),
    agoMs: ms,
    forMs: ms,
    times: count,
    refused: z.boolean(),
    because: text,
  }),
  z.object({
    kind: z.literal("check"),
    target: text,
    agoMs: ms,
    ok: z.boolean(),
    detail: text,
    identity: z.boolean().nullable(),
    up: z.boolean(),
  }),
  z.object({
    kind: z.literal("drain"),
    service: text,
    origin: text,
    agoMs: ms,
    forMs: ms,
    by: text,
    reason: text,
  }),
  z.object({
    kind: z.literal("breaker"),
    at: place,
    route: text,
    phase: z.enum(["open", "trying", "closed"]),
    agoMs: ms,
    forMs: ms,
    times: count,
    because: text,
  }),
  z.object({
    kind: z.literal("quarantine"),
    service: text,
    fingerprint: text,
    agoMs: ms,
    forMs: ms,
    times: count,
    broken: z.array(text).max(100),
  }),
  z.object({
    kind: z.literal("keep-alive"),
    at: place,
    teacher: z.enum(["hint", "closed", "raced"]),
    idleMs: ms,
    agoMs: ms,
  }),
  z.object({
    kind: z.literal("pool"),
    service: text,
    pools: z.array(text).max(1_000),
    first: text,
    agoMs: ms,
    relapses: count,
  }),
]);
const LIMIT_MAX = 1_000_000;
/** An hour: longer is no usual wait. */
const WAIT_MAX_MS = 3_600_000;
const limit = z.number().min(0).max(LIMIT_MAX);
const wait = z.number().max(WAIT_MAX_MS);
const load = z.object({
  kind: z.literal("load"),
  at: place,
  agoMs: ms,
  sharers: z.int().min(1).max(10_000),
  limit,
  shrunkAgoMs: ms,
  latencyMs: wait.min(-1),
  routes: z.array(z.object({ name: text, usualMs: wait.min(0), limit })).max(64),
});
const loads = z.object({ version: z.literal(LOADS_VERSION), news: z.array(load).max(LOADS_MAX) });
const known = z.object({ at: z.number(), news: z.array(news).max(KNOWN_MAX) });

export type KnownRead =
  /** `passedOver`: why a part of it was not believed, as below; empty: all was. */
  | { readonly ok: true; readonly news: readonly News[]; readonly passedOver: string }
  /** The rest of a sentence that begins with what was left. */
  | { readonly ok: false; readonly because: string };

/** For a successor of any version. */
export function leaveKnown(all: readonly News[], at: number): KnownLeft {
  return {
    at,
    news: all.filter(({ kind }) => kind !== "load").slice(0, KNOWN_MAX),
    loads: { version: LOADS_VERSION, news: all.filter(({ kind }) => kind === "load").slice(0, LOADS_MAX) },
  };
}

/** `now`: epoch ms. */
export function readKnown(left: unknown, now: number): KnownRead {
  const read = known.safeParse(left);
  if (!read.success) {
    const [issue] = read.error.issues;
    return { ok: false, because: `is not understood (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""})` };
  }
  const agoMs = now - read.data.at;
  if (agoMs > OLD_MS) return { ok: false, because: `is ${Math.round(agoMs / 1000)} s old` };
  if (agoMs < 0) return { ok: false, because: "is of the future by this machine's clock" };
  const beside = readLoads(left);
  const news = [...read.data.news, ...beside.news].map((each) => olderBy(each, agoMs));
  return { ok: true, news, passedOver: beside.passedOver };
}

/** What is not understood of it takes nothing else along. */
function readLoads(left: unknown): { readonly news: readonly News[]; readonly passedOver: string } {
  const told = (left as Partial<KnownLeft>).loads;
  if (told === undefined) return { news: [], passedOver: "" };
  const read = loads.safeParse(told);
  if (read.success) return { news: read.data.news, passedOver: "" };
  const [issue] = read.error.issues;
  return { news: [], passedOver: `is not understood (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""})` };
}
