import { expect, test } from "vitest";
import { createIdSource, systemChance } from "./chance.ts";

test("ids are 32 lower-case hex digits and none comes twice, also after the pool has been filled again", () => {
  const next = createIdSource();
  const seen = new Set<string>();
  for (let count = 0; count < 5_000; count += 1) {
    const id = next();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    seen.add(id);
  }
  expect(seen.size).toBe(5_000);
  expect(seen).not.toContain("0".repeat(32));
});

test("two sources share nothing", () => {
  expect(createIdSource()()).not.toBe(createIdSource()());
});

test("chance stays within [0, 1)", () => {
  for (let count = 0; count < 1_000; count += 1) {
    const roll = systemChance();
    expect(roll).toBeGreaterThanOrEqual(0);
    expect(roll).toBeLessThan(1);
  }
});
