import { describe, expect, it } from "vitest";
import { KNOWN_MAX, readKnown } from "./known-news.ts";
import type { News } from "./shared-knowledge.ts";

const CHECK: News = { kind: "check", target: "a", agoMs: 5, ok: false, detail: "no", identity: null, up: false };

describe("what a predecessor knew", () => {
  it("is as much older as it was on its way", () => {
    expect(readKnown({ at: 1_000, news: [CHECK] }, 3_000)).toEqual({ ok: true, news: [{ ...CHECK, agoMs: 2_005 }] });
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
