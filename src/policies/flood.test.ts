/** Mechanism: the defence turns on your own traffic. Seeded, with a flood that has to be cut in the same run. */
import { describe, expect, test } from "vitest";
import { answeredWell, createFloodState, floodInWords, floodVerdict, heldBack } from "./flood.ts";
import type { FloodOptions, FloodState, FloodVerdict } from "./flood.ts";

const OPTIONS: FloodOptions = { stressedTimes: 10, stressedPerSecond: 50, calmTimes: 100, calmPerSecond: 1_000 };
const SECOND = 1_000;
const MINUTE = 60_000;

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Crowd {
  readonly name: string;
  readonly keys: readonly number[];
  /** Requests a second of each, at a time. */
  readonly rate: (now: number) => number;
  readonly isProtected?: boolean;
}

interface Tally {
  asked: number;
  refused: number;
  /** By second, how many were refused. */
  readonly bySecond: Map<number, number>;
  readonly verdicts: Map<FloodVerdict, number>;
}

/** Capacity of the whole, requests a second: beyond it there is stress, and answers are not good. */
const CAPACITY = 1_200;
const TICK_MS = 20;

function play(crowds: readonly Crowd[], from: number, to: number, seed: number, state: FloodState): Map<string, Tally> {
  const chance = seeded(seed);
  const tallies = new Map<string, Tally>(
    crowds.map(({ name }) => [name, { asked: 0, refused: 0, bySecond: new Map(), verdicts: new Map() }]),
  );
  let admittedLately = 0;
  for (let now = from; now < to; now += TICK_MS) {
    const stressed = admittedLately > CAPACITY;
    let admitted = 0;
    for (const crowd of crowds) {
      const tally = tallies.get(crowd.name);
      if (tally === undefined) continue;
      const perTick = (crowd.rate(now) * TICK_MS) / SECOND;
      for (const key of crowd.keys) {
        const count = Math.floor(perTick) + (chance() < perTick % 1 ? 1 : 0);
        for (let i = 0; i < count; i += 1) {
          const verdict = floodVerdict(OPTIONS, state, key, crowd.isProtected === true, stressed, chance(), now);
          tally.asked += 1;
          tally.verdicts.set(verdict, (tally.verdicts.get(verdict) ?? 0) + 1);
          if (verdict.startsWith("refuse")) {
            tally.refused += 1;
            const second = Math.floor((now - from) / SECOND);
            tally.bySecond.set(second, (tally.bySecond.get(second) ?? 0) + 1);
          } else {
            admitted += 1;
            if (!stressed) answeredWell(state, key, now);
          }
        }
      }
    }
    // A moving second.
    admittedLately = admittedLately * (1 - TICK_MS / SECOND) + admitted;
  }
  return tallies;
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

const steady = (perSecond: number) => () => perSecond;

describe.each([1, 2, 3, 4, 5])(
  "seed %i: a batch ten times its size, a burst of probes and a real flood at once",
  (seed) => {
    const state = createFloodState(8_192);
    const people: Crowd = { name: "people", keys: range(1_000, 150), rate: steady(2) };
    const partner: Crowd = { name: "partner", keys: [7], rate: (now) => (now < 5 * MINUTE ? 20 : 200) };
    const internal: Crowd = {
      name: "internal",
      keys: [8],
      rate: (now) => (now < 5 * MINUTE ? 0 : 800),
      isProtected: true,
    };
    const probes: Crowd = { name: "probes", keys: [9], rate: (now) => (now < 5 * MINUTE ? 1 : 100), isProtected: true };
    const flood: Crowd = { name: "flood", keys: range(50_000, 4), rate: (now) => (now < 5 * MINUTE ? 0 : 1_500) };
    const before = play([people, partner, internal, probes, flood], 0, 5 * MINUTE, seed, state);
    const during = play([people, partner, internal, probes, flood], 5 * MINUTE, 6 * MINUTE, seed + 100, state);

    test("before it nobody is refused", () => {
      for (const tally of before.values()) expect(tally.refused).toBe(0);
    });

    test("legitimate requests refused stay below a thousandth; probes and protected ranges are never refused", () => {
      const legitimate = ["people", "partner", "internal", "probes"].map((name) => during.get(name));
      const asked = legitimate.reduce((sum, tally) => sum + (tally?.asked ?? 0), 0);
      const refused = legitimate.reduce((sum, tally) => sum + (tally?.refused ?? 0), 0);
      expect(refused / asked).toBeLessThanOrEqual(0.001);
      expect(during.get("probes")?.refused).toBe(0);
      expect(during.get("internal")?.refused).toBe(0);
      expect(during.get("internal")?.verdicts.get("spare.protected")).toBeGreaterThan(0);
    });

    test("the partner was good before and is spared, and says so", () => {
      expect(during.get("partner")?.refused).toBe(0);
      expect(during.get("partner")?.verdicts.get("spare.known")).toBeGreaterThan(0);
    });

    test("the flood is cut by 95 % and more", () => {
      const tally = during.get("flood");
      expect((tally?.refused ?? 0) / (tally?.asked ?? 1)).toBeGreaterThanOrEqual(0.95);
    });

    test("without memory and without protected ranges the same run turns on its own traffic", () => {
      // The negative control.
      const control = createFloodState(8_192);
      const naive = play(
        [{ ...partner, name: "partner", keys: [70_001] }, { ...internal, isProtected: false }, people, flood],
        5 * MINUTE,
        6 * MINUTE,
        seed,
        control,
      );
      expect(naive.get("internal")?.refused).toBeGreaterThan(0);
    });
  },
);

describe("a block", () => {
  /** A hundred clients that are known, one second at a time. */
  function town(perSecond = 2): { state: FloodState; crowd: Crowd } {
    const state = createFloodState(1_024);
    const crowd: Crowd = { name: "people", keys: range(1_000, 100), rate: steady(perSecond) };
    play([crowd], 0, 3 * MINUTE, 1, state);
    return { state, crowd };
  }

  function burst(state: FloodState, key: number, count: number, now: number): FloodVerdict[] {
    return Array.from({ length: count }, (_, i) =>
      floodVerdict(OPTIONS, state, key, false, true, 0.999, now + (i * SECOND) / count),
    );
  }

  test("falls within the first second, and ends within ten when the flood does", () => {
    const { state, crowd } = town();
    const start = 3 * MINUTE;
    const flood: Crowd = { name: "flood", keys: [5], rate: (now) => (now < start + 10_000 ? 3_000 : 1) };
    const { bySecond } = play([crowd, flood], start, start + 40_000, 2, state).get("flood") ?? { bySecond: new Map() };
    expect(bySecond.get(0)).toBeGreaterThan(1_000);
    expect(bySecond.get(9)).toBeGreaterThan(2_900);
    expect([...bySecond.keys()].every((second) => second < 25)).toBe(true);
    expect(heldBack(state, start + 40_000)).toBe(0);
  });

  test("of a client that goes on is renewed without a gap: what is offered counts, not what passes", () => {
    const { state, crowd } = town();
    const start = 3 * MINUTE;
    const flood: Crowd = { name: "flood", keys: [5], rate: steady(2_000) };
    const tally = play([crowd, flood], start, start + 2 * MINUTE, 3, state).get("flood");
    expect((tally?.asked ?? 0) - (tally?.refused ?? 0)).toBeLessThan(4_000);
  });

  test("is left step by step, so that its end is no surge", () => {
    const { state, crowd } = town();
    const start = 3 * MINUTE;
    burst(state, 5, 500, start);
    play([crowd], start, start + 9_500, 4, state);
    const admitted = (at: number): number =>
      Array.from({ length: 20 }, (_, i) => floodVerdict(OPTIONS, state, 5, false, true, i / 20, at)).filter(
        (verdict) => verdict === "pass",
      ).length;
    const last = start + 100 + 10_000;
    expect(admitted(last + 100)).toBeLessThanOrEqual(6);
    const later = admitted(last + 2_000);
    expect(later).toBeGreaterThan(9);
    expect(later).toBeLessThan(16);
    expect(admitted(last + 4_100)).toBe(20);
  });

  test("falls on nobody without stress, unless one client is far above a crowd of others", () => {
    const { state } = town();
    const start = 3 * MINUTE;
    const calm = (key: number, perSecond: number, now: number): FloodVerdict[] => {
      for (let other = 1_000; other < 1_020; other += 1) floodVerdict(OPTIONS, state, other, false, false, 0.5, now);
      return asked(key, perSecond, now);
    };
    const asked = (key: number, perSecond: number, now: number): FloodVerdict[] =>
      Array.from({ length: perSecond }, (_, i) =>
        floodVerdict(OPTIONS, state, key, false, false, 0.5, now + (i * SECOND) / perSecond),
      );
    expect(new Set(calm(5, 900, start))).toEqual(new Set(["pass"]));
    expect(new Set(calm(6, 4_000, start + SECOND))).toContain("refuse.dominant");
    const alone = createFloodState(1_024);
    const verdicts = Array.from({ length: 20_000 }, (_, i) =>
      floodVerdict(OPTIONS, alone, 1, false, false, 0.5, i / 10),
    );
    expect(new Set(verdicts)).toEqual(new Set(["pass"]));
  });

  test("earns no goodwill by what got through before it", () => {
    const state = createFloodState(1_024);
    const crowd: Crowd = { name: "people", keys: range(1_000, 100), rate: steady(2) };
    const flood: Crowd = { name: "flood", keys: [5], rate: steady(2_500) };
    play([crowd, flood], 0, 5 * MINUTE, 6, state);
    const tally = play([crowd, flood], 5 * MINUTE, 6 * MINUTE, 7, state).get("flood");
    expect((tally?.refused ?? 0) / (tally?.asked ?? 1)).toBeGreaterThan(0.95);
  });

  test("of a client that was good for a while costs no more than a thousandth of the good traffic", () => {
    const { state, crowd } = town(20);
    // Two stretches of a hundredth of a request a second: it may be held back; of ten a second: it may not.
    for (const [key, count] of [
      [11, 1],
      [12, 100],
    ] as const) {
      for (const at of [3 * MINUTE, 3 * MINUTE + 10_000]) {
        for (let i = 0; i < count; i += 1) {
          floodVerdict(OPTIONS, state, key, false, false, 0.5, at + i);
          answeredWell(state, key, at + i);
        }
      }
    }
    play([crowd], 3 * MINUTE, 3 * MINUTE + 21_000, 8, state);
    const now = 3 * MINUTE + 21_000;
    expect(burst(state, 11, 600, now).at(-1)).toBe("refuse.stressed");
    expect(burst(state, 12, 600, now).at(-1)).toBe("spare.budget");
  });

  test("is lifted within a second when it has become too dear", () => {
    const { state, crowd } = town(20);
    for (const at of [3 * MINUTE, 3 * MINUTE + 10_000]) {
      for (let i = 0; i < 10; i += 1) {
        floodVerdict(OPTIONS, state, 11, false, false, 0.5, at + i);
        answeredWell(state, 11, at + i);
      }
    }
    const start = 3 * MINUTE + 21_000;
    play([crowd], 3 * MINUTE + 10_000, start, 9, state);
    expect(burst(state, 11, 600, start).at(-1)).toBe("refuse.stressed");
    // Most of the others go home: now this one is a large part of those that are known to be good.
    const few: Crowd = { ...crowd, keys: crowd.keys.slice(0, 5), rate: steady(2) };
    play([few], start + SECOND, start + 4 * SECOND, 10, state);
    expect(heldBack(state, start + 4 * SECOND)).toBe(0);
  });

  test("is told in numbers", () => {
    const { state } = town();
    burst(state, 5, 600, 3 * MINUTE);
    expect(floodInWords(state, 5, 3 * MINUTE + 999)).toMatch(
      /^\d+ requests a second; the other \d+ clients bring \d(\.\d)? a second each; held back for 9.\d s more at most$/,
    );
  });
});

describe("the table", () => {
  test("keeps whoever is held back and whoever is known, however many strangers come", () => {
    const state = createFloodState(64);
    const known: Crowd = { name: "known", keys: range(1, 8), rate: steady(2) };
    play([known], 0, 3 * MINUTE, 1, state);
    const now = 3 * MINUTE;
    for (let i = 0; i < 200; i += 1) floodVerdict(OPTIONS, state, 9, false, true, 0.5, now + i);
    expect(heldBack(state, now + 300)).toBe(1);
    for (let stranger = 0; stranger < 20_000; stranger += 1)
      floodVerdict(OPTIONS, state, 1_000 + stranger, false, true, 0.5, now + 300);
    expect(heldBack(state, now + 300)).toBe(1);
    for (const key of known.keys) {
      expect(state.keys).toContain(key);
    }
  });
});
