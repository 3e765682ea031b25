import { expect, it } from "vitest";
import { heldInWords, roomInWords } from "./room-words.ts";

it("says who waits and whether anybody is turned away, and nothing where all is well", () => {
  expect(roomInWords({ waiting: 0, shedding: false })).toBe("");
  expect(roomInWords({ waiting: 12, shedding: false })).toBe("12 waiting for room");
  expect(roomInWords({ waiting: 0, shedding: true })).toBe("0 waiting for room, shedding");
});

it("says how many an origin holds and may hold, where that is limited", () => {
  expect(heldInWords({ held: 3, limit: 100 })).toBe("3 of 100");
  expect(heldInWords({ held: 3, limit: 0 })).toBe("3");
});
