import fc from "fast-check";
import { expect, it } from "vitest";
import {
  AGAIN_BY_PERSON_MS,
  AGAIN_MS,
  CLIMBS_AT_ONCE_MAX,
  CLIMBS_PER_MINUTE_MAX,
  ClimbBounds,
} from "./climb-bounds.ts";

const wish = fc.record({
  waitMs: fc.integer({ min: 0, max: 20_000 }),
  origin: fc.integer({ min: 0, max: 30 }).map(String),
  byPerson: fc.boolean(),
  /** How many of those under way end before it. */
  ends: fc.integer({ min: 0, max: 3 }),
});

it("never lets more climbs begin than at once, in a minute and at one origin are allowed, whoever wishes", () => {
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 200 }), (wishes) => {
      const bounds = new ClimbBounds();
      const begun: { origin: string; at: number }[] = [];
      let underWay = 0;
      let now = 0;
      for (const { waitMs, origin, byPerson, ends } of wishes) {
        now += waitMs;
        for (let i = 0; i < ends && underWay > 0; i += 1) {
          bounds.end();
          underWay -= 1;
        }
        const before = begun.findLast((one) => one.origin === origin);
        if (bounds.begin(origin, now, byPerson) !== null) continue;
        underWay += 1;
        expect(underWay).toBeLessThanOrEqual(CLIMBS_AT_ONCE_MAX);
        if (before !== undefined) {
          expect(now - before.at).toBeGreaterThanOrEqual(byPerson ? AGAIN_BY_PERSON_MS : AGAIN_MS);
        }
        begun.push({ origin, at: now });
        const lately = begun.filter(({ at }) => now - at < 60_000);
        expect(lately.length).toBeLessThanOrEqual(CLIMBS_PER_MINUTE_MAX);
      }
    }),
  );
});

it("lets a person climb again sooner than the engine, and says how long to wait", () => {
  const bounds = new ClimbBounds();
  expect(bounds.begin("http://a1", 0, false)).toBe(null);
  bounds.end();
  expect(bounds.begin("http://a1", 4_000, true)).toBe("the ladder was climbed there 4 s ago; wait 6 s");
  expect(bounds.begin("http://a1", 10_000, false)).toContain("wait 50 s");
  expect(bounds.begin("http://a1", 10_000, true)).toBe(null);
});
