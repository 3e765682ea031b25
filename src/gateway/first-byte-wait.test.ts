import fc from "fast-check";
import { expect, test } from "vitest";
import { FirstByteWaits } from "./first-byte-wait.ts";
import type { FirstByteWait } from "./first-byte-wait.ts";

function aWait(): FirstByteWait {
  return {
    beganMs: 0,
    turnMs: -1,
    sentMs: -1,
    nth: 1,
    asked: () => expect.fail("nobody has to know"),
    pin: "unknown",
    toldSlow: false,
    older: null,
    newer: null,
    onPoolSilent: () => undefined,
  };
}

test("each wait that lasts is told once, oldest first, and none that has ended, whatever the order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("add", "end", "look"), fc.nat({ max: 9 }))), (steps) => {
      const waits = new FirstByteWaits();
      const here: FirstByteWait[] = [];
      const told = new Set<FirstByteWait>();
      let now = 0;
      for (const [what, which] of steps) {
        now += which;
        if (what === "add") {
          const wait = aWait();
          waits.add(wait, now);
          here.push(wait);
        } else if (what === "end") {
          const [wait] = here.splice(which, 1);
          if (wait !== undefined) waits.remove(wait);
        } else {
          const due = here.filter((wait) => now - wait.turnMs >= 10 && !told.has(wait));
          const heard: FirstByteWait[] = [];
          for (let wait = waits.nextSlow(10, now); wait !== null; wait = waits.nextSlow(10, now)) heard.push(wait);
          expect(heard).toEqual(due);
          for (const wait of heard) told.add(wait);
        }
        expect(waits.oldest).toBe(here[0] ?? null);
      }
    }),
  );
});
