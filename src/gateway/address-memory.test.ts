import { expect, test } from "vitest";
import { createEjection } from "../policies/ejection-state.ts";
import { UNCHECKED } from "../policies/health.ts";
import { createKeepAlive } from "../policies/keep-alive.ts";
import { createPeakEwma } from "../policies/peak-ewma.ts";
import { AddressMemory } from "./address-memory.ts";
import type { AddressKnowledge } from "./address-memory.ts";

function knowledge(): AddressKnowledge {
  const ejection = createEjection(
    {
      consecutiveFailures: 5,
      successRatioMin: 0.8,
      requestsMin: 20,
      windowMs: 10_000,
      returnAfterMs: 1_000,
      returnAfterMaxMs: 60_000,
      rampMs: 10_000,
      ejectedRatioMax: 0.5,
      slow: null,
    },
    0,
  );
  const check = { ok: null, at: 0, detail: "" };
  return { latency: createPeakEwma(), ejection, keepAlive: createKeepAlive(), health: UNCHECKED, check };
}

test("what left comes back as it was for ten minutes, once", () => {
  const memory = new AddressMemory();
  const known = knowledge();
  memory.remember("a", known, 1_000);
  expect(memory.recall("a", 600_999)).toBe(known);
  expect(memory.recall("a", 600_999)).toBeNull();
  memory.remember("a", known, 1_000);
  expect(memory.recall("a", 601_000)).toBeNull();
  expect(memory.recall("never", 0)).toBeNull();
});

test("of a thousand and one the oldest is forgotten, by the time of its last departure", () => {
  const memory = new AddressMemory();
  const known = knowledge();
  for (let number = 0; number < 1_000; number += 1) memory.remember(`a${number}`, known, number);
  memory.remember("a0", known, 2_000);
  memory.remember("one more", known, 2_000);
  expect(memory.recall("a1", 2_000)).toBeNull();
  expect(memory.recall("a0", 2_000)).toBe(known);
  expect(memory.recall("a2", 2_000)).toBe(known);
});
