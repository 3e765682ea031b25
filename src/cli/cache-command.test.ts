import { expect, test } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import type { CacheResponse } from "../contract/api-responses.ts";

const CACHE: CacheResponse = {
  entries: 2,
  bytes: 2048,
  bytesMax: 67_108_864,
  stored: 9,
  evicted: 1,
  purged: 3,
  invalidated: 4,
  disk: { bytes: 1024, bytesMax: 4096, entries: 1, damaged: 0, skipped: 0 },
  routes: [
    {
      service: "shop",
      route: "default",
      answers: { hit: 90, stale: 1, revalidated: 2, collapsed: 3, miss: 4, pass: 5, "last-good": 6, refresh: 7 },
    },
  ],
};

test("it shows what the cache holds and what it answered", async () => {
  const world = cliWorld({ admin: { "/api/v1/cache": { kind: "answer", status: 200, json: CACHE } } });
  expect(await world.run("cache")).toBe(0);
  expect(world.out()).toContain("2 stored responses, 2 KiB of 64 MiB");
  expect(world.out()).toContain("on disk: 1, 1 KiB of 4 KiB");
  expect(world.out()).toMatch(/shop +default +90 +1 +2 +3 +4 +5 +6 +7/);
});

test("it purges by URL, prefix or tag, and says how much went", async () => {
  const answer = { kind: "answer", status: 200, json: { purged: 3 } } as const;
  for (const [option, value] of [
    ["--url", "http://shop.example.com/a?b=c d"],
    ["--prefix", "/a/"],
    ["--tag", "news"],
  ] as const) {
    const world = cliWorld({ admin: { "/api/v1/cache/purge": answer } });
    expect(await world.run("cache", "purge", option, value)).toBe(0);
    expect(world.out()).toBe("Removed 3 stored responses.\n");
    const [asked = ""] = world.asked;
    expect(asked.startsWith("POST ")).toBe(true);
    expect(new URL(asked.slice(5)).searchParams.get(option.slice(2))).toBe(value);
  }
});

test.each([
  [["cache", "purge"]],
  [["cache", "purge", "--tag", "a", "--url", "/b"]],
  [["cache", "empty"]],
  [["cache", "--tag", "a"]],
])("%j is not understood, and nothing is purged", async (args) => {
  const world = cliWorld({ admin: {} });
  expect(await world.run(...args)).toBe(2);
  expect(world.asked).toEqual([]);
});
