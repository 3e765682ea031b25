import { expect, test } from "vitest";
import { CONCLUSIONS, isConclusionId } from "../../src/kernel/conclusions.ts";
import { SeededChance } from "../chance.ts";
import { MECHANISMS, NO_FAULT, NOT_CONCLUDED, PAIRS } from "./coverage.ts";
import { DISTURBANCES } from "./disturbances.ts";
import { QUIET_KINDS } from "./quiet.ts";
import { LABELLED } from "./simulated.ts";

const CASES: ReadonlySet<string> = new Set([
  ...DISTURBANCES.map(({ name }) => name),
  ...LABELLED.map(({ scenario }) => scenario),
  ...QUIET_KINDS.map(({ name }) => name),
]);
const missing = (names: readonly string[]): string[] => names.filter((name) => !CASES.has(name));

test("Every mechanism has a case, or a reason why there is nothing to see of it", () => {
  expect(MECHANISMS.map(({ number }) => number)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  for (const { title, cases, unseen } of MECHANISMS) {
    expect(missing(cases), title).toEqual([]);
    expect(cases.length > 0 || unseen !== "", title).toBe(true);
  }
});

test("Of every two things that are mistaken for each other both are there", () => {
  for (let number = 1; number <= 10; number += 1) expect(PAIRS.map(({ id }) => id)).toContain(`A${number}`);
  for (const { id, suspect, truth } of PAIRS) {
    expect(missing([...suspect, ...truth]), id).toEqual([]);
    expect(Math.min(suspect.length, truth.length), id).toBeGreaterThan(0);
    // Two names for one case would be no pair.
    expect(
      suspect.filter((name) => truth.includes(name)),
      id,
    ).toEqual([]);
  }
});

test("Every conclusion is the right answer to some case, or it says why it is not", () => {
  const answers = new Set(
    DISTURBANCES.flatMap(({ make }) => make(new SeededChance(1, "magnitude")).truth.causes).concat(
      LABELLED.flatMap(({ truth }) => truth.causes),
    ),
  );
  const without = Object.keys(CONCLUSIONS).filter((id) => isConclusionId(id) && !answers.has(id));
  expect(without.toSorted()).toEqual(Object.keys(NOT_CONCLUDED).toSorted());
});

test("What is no fault is there as well, and no name stands twice", () => {
  for (const { title, cases } of NO_FAULT) expect(missing(cases), title).toEqual([]);
  expect(new Set(DISTURBANCES.map(({ name }) => name)).size).toBe(DISTURBANCES.length);
});
