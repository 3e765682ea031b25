import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCacheControl, readRequestDirectives, readTargeted } from "./cache-control.ts";

describe("Cache-Control", () => {
  it.each([
    ["max-age=60", 60],
    ["MaX-aGe=60", 60],
    ['max-age="60"', 60],
    ["max-age=00060", 60],
    ["max-age=99999999999", 2 ** 31],
    ["max-age", 0],
    ["max-age=", 0],
    ["max-age=-1", 0],
    ["max-age=1.5", 0],
    ["max-age=60s", 0],
    ["max-age='60'", 0],
    ["max-age = 60", 0],
    ["max-age=60, max-age=60", 60],
    ["max-age=60, max-age=61", 0],
    ['x="max-age=60"', -1],
    ['x="a\\"b, max-age=60", y', -1],
    ["max-age=60;x", 0],
  ])("%s is a lifetime of %i s", (value, seconds) => {
    expect(readCacheControl(value).maxAge).toBe(seconds);
  });

  it("is no-store when a quote does not end, because anything may be hidden behind it", () => {
    expect(readCacheControl('max-age=60, x="y').noStore).toBe(true);
  });

  it.each([
    ["private; max-age=60", "isPrivate"],
    ["max-age=60; private", "isPrivate"],
    ["public no-store", "noStore"],
    ["max-age=60;no-cache", "noCache"],
    ["Must-Revalidate; x", "mustRevalidate"],
  ] as const)("%s forbids what it was meant to (%s)", (value, what) => {
    expect(readCacheControl(value)[what]).toBe(true);
    expect(readCacheControl(value).isPublic).toBe(false);
  });

  it("finds every directive wherever it stands, and none that is not there", () => {
    const names = ["no-store", "no-cache", "private", "public", "must-revalidate", "proxy-revalidate"] as const;
    const noise = fc.constantFrom("x", 'y="a, no-store"', "z=1", "", " ");
    fc.assert(
      fc.property(fc.subarray([...names]), fc.array(noise), fc.integer(), (chosen, others, turn) => {
        const members = [...chosen, ...others];
        const at = members.length === 0 ? 0 : Math.abs(turn % members.length);
        const read = readCacheControl([...members.slice(at), ...members.slice(0, at)].join(" ,"));
        expect([
          read.noStore,
          read.noCache,
          read.isPrivate,
          read.isPublic,
          read.mustRevalidate,
          read.proxyRevalidate,
        ]).toEqual(names.map((name) => chosen.includes(name)));
      }),
    );
  });

  it("is read in time that grows with its length, whatever it is", () => {
    for (const value of [",".repeat(30_000), '"'.repeat(29_999), 'a="\\'.repeat(7_000), "=".repeat(30_000)]) {
      expect(readCacheControl(value)).toBeDefined();
    }
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (value) => readCacheControl(value).maxAge >= -1));
  });
});

describe("CDN-Cache-Control", () => {
  it("is a dictionary of structured fields", () => {
    expect(readTargeted("max-age=60;x=1, must-revalidate, a=(1 2);q, no-store=?0")).toMatchObject({
      maxAge: 60,
      mustRevalidate: true,
      noStore: false,
    });
    expect(readTargeted("max-age=1, max-age=60")?.maxAge).toBe(60);
    expect(readTargeted('private="x"')?.isPrivate).toBe(true);
    expect(readTargeted("max-age=1.5")?.maxAge).toBe(0);
  });

  it.each(["", " ", "max-age=60,", "Max-Age=60", "max-age=60 60", "max-age=60, =", 'a="', "max-age=6\u00e4"])(
    "%j is none, and as if it were not there",
    (value) => {
      expect(readTargeted(value)).toBeNull();
    },
  );
});

it("what a client asks for is read alike", () => {
  expect(readRequestDirectives("No-Cache, max-age=5, max-stale, min-fresh=3")).toEqual({
    noStore: false,
    noCache: true,
    maxAge: 5,
    minFresh: 3,
    maxStale: Infinity,
  });
  expect(readRequestDirectives("max-stale=7").maxStale).toBe(7);
});
