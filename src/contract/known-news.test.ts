import { describe, expect, it } from "vitest";
import { KNOWN_MAX, LOADS_MAX, leaveKnown, readKnown } from "./known-news.ts";
import type { News } from "./shared-knowledge.ts";

const CHECK: News = { kind: "check", target: "a", agoMs: 5, ok: false, detail: "no", identity: null, up: false };

const LOAD: News = {
  kind: "load",
  at: { service: "shop", pool: "main", origin: "http://a", address: "10.0.0.1:80" },
  agoMs: 0,
  sharers: 1,
  limit: 100,
  shrunkAgoMs: 20_000,
  latencyMs: 12.5,
  routes: [{ name: "all", usualMs: 11, limit: 0 }],
};

describe("what a predecessor knew", () => {
  it("is as much older as it was on its way", () => {
    expect(readKnown({ at: 1_000, news: [CHECK] }, 3_000)).toEqual({
      ok: true,
      news: [{ ...CHECK, agoMs: 2_005 }],
      passedOver: "",
    });
  });

  it("of loads is beside the rest, for programs that know nothing of it, and bounded", () => {
    const left = leaveKnown([LOAD, CHECK, ...Array.from({ length: LOADS_MAX }, () => LOAD)], 1_000);
    expect([left.news, left.loads?.news.length]).toEqual([[CHECK], LOADS_MAX]);
    const read = readKnown(structuredClone(left), 2_000);
    expect(read).toMatchObject({ ok: true, passedOver: "" });
    expect(read.ok && read.news[1]).toEqual({ ...LOAD, agoMs: 1_000 });
  });

  it.each([
    ["of another version", { version: 2, news: [LOAD] }],
    ["without a version", { news: [LOAD] }],
    ["too much", { version: 1, news: Array.from({ length: LOADS_MAX + 1 }, () => LOAD) }],
    ["no load", { version: 1, news: [CHECK] }],
    ["no finite limit", { version: 1, news: [{ ...LOAD, limit: Number.POSITIVE_INFINITY }] }],
    ["no amount", { version: 1, news: [{ ...LOAD, routes: [{ name: "a", usualMs: -5, limit: 0 }] }] }],
    ["nobody's", { version: 1, news: [{ ...LOAD, sharers: 0 }] }],
    ["nothing", "nothing"],
  ])("of loads is passed over and told where it is %s, and takes nothing else along", (_what, loads) => {
    const read = readKnown({ at: 1_000, news: [CHECK], loads }, 1_000);
    expect(read).toMatchObject({ ok: true, news: [CHECK], passedOver: expect.stringContaining("is not understood") });
  });

  it.each([
    ["is not understood", undefined],
    ["is not understood", { at: 1_000, news: [CHECK, { ...CHECK, kind: "rumour" }] }],
    ["is not understood", { at: 1_000, news: [{ ...CHECK, agoMs: -1 }] }],
    ["is not understood", { at: 1_000, news: [{ ...CHECK, agoMs: Number.NaN }] }],
    ["is not understood", { at: 1_000, news: [{ ...CHECK, detail: "x".repeat(5_000) }] }],
    ["is not understood", { at: 1_000, news: Array.from({ length: KNOWN_MAX + 1 }, () => CHECK) }],
    ["is 99 s old", { at: 1_000 - 99_000, news: [CHECK] }],
    ["is of the future", { at: 5_000, news: [CHECK] }],
  ])("that %s is ignored as a whole", (because, left) => {
    expect(readKnown(left, 1_000)).toMatchObject({ ok: false, because: expect.stringContaining(because) });
  });
});
