import { describe, expect, it } from "vitest";
import { RecentSuccesses } from "./recent-successes.ts";

describe("what has just been answered", () => {
  it("is found by method and target, the newest first", () => {
    const recent = new RecentSuccesses();
    recent.add("GET", "/a", 1);
    recent.add("GET", "/a", 5);
    recent.add("HEAD", "/a", 9);
    expect(recent.last("GET", "/a")).toBe(5);
    expect(recent.last("GET", "/b")).toBe(-Infinity);
  });

  it("is forgotten when a few hundred others have come after it", () => {
    const recent = new RecentSuccesses();
    recent.add("GET", "/old", 1);
    for (let n = 0; n < 255; n += 1) recent.add("GET", `/${n}`, 2);
    expect(recent.last("GET", "/old")).toBe(1);
    recent.add("GET", "/one-more", 3);
    expect(recent.last("GET", "/old")).toBe(-Infinity);
  });
});
