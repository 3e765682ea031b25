/** Names and authorities over months of virtual time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  authorityFailed,
  authorityWorked,
  dueOf,
  nameFailed,
  newName,
  obtained,
  planOrder,
  wantedNow,
} from "./order-plan.ts";
import type { AuthorityState, Held, NameState, OrderOptions } from "./order-plan.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1_790_000_000_000;
const OPTIONS: OrderOptions = { authorities: ["https://one", "https://two"], perWeekMax: 5 };
const AUTHORITIES: readonly AuthorityState[] = OPTIONS.authorities.map((url) => ({ url, failures: 0, waitUntil: 0 }));

function held(notBefore: number, days = 90, roll = 0): Held {
  return { notBefore, notAfter: notBefore + days * DAY, authority: "https://one", roll, window: null };
}

function withHeld(name: string, one: Held): NameState {
  return obtained(newName(name), one, NOW - 30 * DAY);
}

describe("when a certificate is ordered", () => {
  test("at once where there is none", () => {
    expect(planOrder(OPTIONS, [newName("a")], AUTHORITIES, NOW)).toEqual({
      kind: "order",
      name: "a",
      authority: "https://one",
    });
  });

  test("at two thirds of its life, and not at the same moment for all", () => {
    expect(dueOf(OPTIONS, withHeld("a", held(NOW)), NOW).at).toBe(NOW + 60 * DAY);
    expect(dueOf(OPTIONS, withHeld("a", held(NOW, 90, 1)), NOW).at).toBe(NOW + 55.5 * DAY);
    expect(dueOf(OPTIONS, withHeld("a", held(NOW, 6)), NOW).at).toBe(NOW + 4 * DAY);
  });

  test("when its issuer suggests it, also when that is at once: it is going to be revoked", () => {
    const window = { start: NOW + 10 * DAY, end: NOW + 12 * DAY };
    const state = withHeld("a", { ...held(NOW), roll: 0.5, window });
    expect(dueOf(OPTIONS, state, NOW).at).toBe(NOW + 11 * DAY);
    const past = withHeld("a", { ...held(NOW), window: { start: NOW - DAY, end: NOW - HOUR } });
    expect(planOrder(OPTIONS, [past], AUTHORITIES, NOW).kind).toBe("order");
  });

  test("those without one before those whose one ends, and of these the one that ends first", () => {
    const names = [withHeld("late", held(NOW - 80 * DAY)), withHeld("later", held(NOW - 70 * DAY)), newName("none")];
    expect(planOrder(OPTIONS, names, AUTHORITIES, NOW)).toMatchObject({ name: "none" });
    expect(planOrder(OPTIONS, names.slice(0, 2), AUTHORITIES, NOW)).toMatchObject({ name: "late" });
  });

  test("by hand at once, and never more often than the week allows", () => {
    const state = wantedNow(nameFailed(withHeld("a", held(NOW)), "no", -1, 1, NOW), NOW);
    expect(planOrder(OPTIONS, [state], AUTHORITIES, NOW).kind).toBe("order");
    let often = state;
    for (let i = 5; i > 0; i -= 1) often = wantedNow(obtained(often, held(NOW), NOW - i * HOUR), NOW);
    expect(dueOf(OPTIONS, often, NOW)).toMatchObject({ because: expect.stringContaining("acme.certificatesPerWeek") });
  });
});

describe("what fails", () => {
  test("for the name's own reasons waits longer each time, up to a day", () => {
    let state = newName("a");
    const waits: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      state = nameFailed(state, "nobody answered", -1, 1, NOW);
      waits.push(state.waitUntil - NOW);
    }
    expect(waits.slice(0, 3)).toEqual([HOUR / 6, HOUR / 3, (HOUR / 3) * 2]);
    expect(waits.at(-1)).toBe(DAY);
    expect(planOrder(OPTIONS, [state], AUTHORITIES, NOW)).toEqual({ kind: "wait", until: NOW + DAY });
  });

  test("at an authority is tried at the next at once, and at the first again after a while", () => {
    const [one, two] = AUTHORITIES.map((state) => authorityFailed(state, -1, 1, NOW));
    if (one === undefined || two === undefined) throw new Error("there are two");
    const rest = AUTHORITIES.slice(1);
    expect(planOrder(OPTIONS, [newName("a")], [one, ...rest], NOW)).toMatchObject({ authority: "https://two" });
    expect(planOrder(OPTIONS, [newName("a")], [one, two], NOW)).toEqual({ kind: "wait", until: NOW + HOUR / 60 });
    expect(planOrder(OPTIONS, [newName("a")], [authorityWorked(one), two], NOW)).toMatchObject({
      authority: "https://one",
    });
  });

  test("keeps to what the authority says, and to no more than a week", () => {
    const said = authorityFailed({ url: "https://one", failures: 0, waitUntil: 0 }, 3 * HOUR, 0, NOW);
    expect(said.waitUntil).toBe(NOW + 3 * HOUR);
    expect(authorityFailed(said, 900 * DAY, 0, NOW).waitUntil).toBe(NOW + 7 * DAY);
  });
});

test("whatever happens in two years, no week has more certificates than allowed, and nobody is forgotten", () => {
  const outcome = fc.constantFrom("obtained", "name", "authority", "later");
  fc.assert(
    fc.property(
      fc.infiniteStream(outcome),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (outcomes, rolls) => {
        let now = NOW;
        let state = newName("a");
        let authorities = [...AUTHORITIES];
        const times: number[] = [];
        const roll = (): number => rolls.next().value ?? 0;
        for (let step = 0; step < 400 && now < NOW + 730 * DAY; step += 1) {
          const plan = planOrder(OPTIONS, [state], authorities, now);
          if (plan.kind === "wait") {
            expect(plan.until).toBeGreaterThan(now);
            expect(plan.until - now).toBeLessThanOrEqual(7 * DAY);
            now = plan.until;
            continue;
          }
          const result = outcomes.next().value;
          now += 5_000;
          if (result === "obtained") {
            // One that something loses again: it is due at once.
            state = wantedNow(obtained(state, held(now, 90, roll()), now), now);
            times.push(now);
          } else if (result === "name") state = nameFailed(state, "no", -1, roll(), now);
          else {
            authorities = authorities.map((one) =>
              one.url === plan.authority ? authorityFailed(one, result === "later" ? HOUR : -1, roll(), now) : one,
            );
          }
        }
        for (const at of times) {
          expect(times.filter((other) => other > at - 7 * DAY && other <= at).length).toBeLessThanOrEqual(5);
        }
        expect(state.obtained.length).toBeLessThanOrEqual(5);
      },
    ),
    { numRuns: 200 },
  );
});
