import { expect, test } from "vitest";
import { doubtIdentity, isStranger, NO_IDENTITY, stepIdentity, unproven } from "./origin-identity.ts";

const shown = { detail: "status 200", identity: true };
const other = { detail: "the field x-service is not what is expected", identity: false };
const silent = { detail: "no answer in 1 s" };

test("an address is a stranger until it has shown the sign once", () => {
  const first = unproven(0);
  expect(isStranger(first)).toBe(true);
  expect(stepIdentity(first, silent, false, 1)).toBe(first);
  expect(isStranger(stepIdentity(first, shown, false, 2))).toBe(false);
});

test("another sign makes it a stranger at once, and the right one makes it known again", () => {
  const known = stepIdentity(unproven(0), shown, false, 1);
  const foreign = stepIdentity(known, other, false, 2);
  expect(foreign).toEqual({
    kind: "foreign",
    since: 2,
    because: "another tenant answers: the field x-service is not what is expected",
  });
  expect(stepIdentity(foreign, other, false, 3)).toBe(foreign);
  expect(stepIdentity(foreign, silent, true, 3)).toBe(foreign);
  expect(stepIdentity(foreign, shown, false, 4)).toEqual({ kind: "proven", since: 4 });
});

test("after nobody answered there it has to show it again; a check that is only late changes nothing", () => {
  const known = stepIdentity(unproven(0), shown, false, 1);
  expect(stepIdentity(known, silent, false, 2)).toBe(known);
  expect(stepIdentity(known, silent, true, 2).kind).toBe("unproven");
  expect(doubtIdentity(known, 2).kind).toBe("unproven");
});

test("where no sign is asked for nobody is a stranger", () => {
  expect(stepIdentity(NO_IDENTITY, shown, true, 1)).toBe(NO_IDENTITY);
  expect(doubtIdentity(NO_IDENTITY, 1)).toBe(NO_IDENTITY);
  expect(isStranger(NO_IDENTITY)).toBe(false);
});
