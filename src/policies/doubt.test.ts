import { describe, expect, it } from "vitest";
import { doubtedOf, isDoubtful } from "./doubt.ts";

const well = { brokenAt: -1 };
const broken = { brokenAt: 100 };

describe("an origin whose last request got no answer", () => {
  it("is doubted until a request succeeds there, or for ten seconds", () => {
    expect(isDoubtful({ brokenAt: 0 }, 0)).toBe(true);
    expect(isDoubtful({ brokenAt: 0 }, 9_999)).toBe(true);
    expect(isDoubtful({ brokenAt: 0 }, 10_000)).toBe(false);
    expect(isDoubtful(well, 100)).toBe(false);
  });

  it("is spared as long as that leaves half of the pool", () => {
    expect(doubtedOf([well, broken], 200)).toEqual([broken]);
    expect(doubtedOf([well, broken, { brokenAt: 150 }, well], 200)).toHaveLength(2);
    expect(doubtedOf([well, broken, { brokenAt: 150 }], 200)).toBeNull();
    expect(doubtedOf([broken], 200)).toBeNull();
    expect(doubtedOf([well, well], 200)).toBeNull();
    expect(doubtedOf([], 200)).toBeNull();
  });
});
