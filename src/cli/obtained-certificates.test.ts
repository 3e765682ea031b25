import { expect, test } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import type { CliWorld } from "../../test/support/cli-world.ts";
import { EXIT } from "./exit-codes.ts";

const GOOD = {
  name: "shop.test",
  state: "good",
  notBefore: 0,
  notAfter: 1_900_000_000_000,
  authority: "https://ca",
  nextAt: 1_890_000_000_000,
  because: "two thirds of its life are over then",
  lastError: "",
  lately: 1,
};
const FLEET = {
  state: "connected",
  detail: "",
  since: 0,
  database: "db:5432/fleet",
  holder: "a",
  nodes: [
    { name: "a", seenAt: 0, isCurrent: true },
    { name: "b", seenAt: 0, isCurrent: false },
  ],
};

function listed(more: object): CliWorld {
  const json = { certificates: [GOOD], ...more };
  return cliWorld({ admin: { "/api/v1/certificates": { kind: "answer", status: 200, json } } });
}

test("with a fleet the list says who is there, who orders, and who is behind", async () => {
  const world = listed({ fleet: FLEET });
  expect(await world.run("certificate", "list")).toBe(EXIT.ok);
  expect(world.out()).toContain("fleet: db:5432/fleet is connected for");
  expect(world.out()).toContain("a, b; a orders now");
  expect(world.out()).toContain("without what was written last: b");
});

test("while the database is away it says so, which is no fault of a certificate", async () => {
  const world = listed({ fleet: { ...FLEET, state: "unreachable", detail: "connect ECONNREFUSED", holder: "" } });
  expect(await world.run("certificate", "list")).toBe(EXIT.ok);
  expect(world.out()).toMatch(/is unreachable for .*: connect ECONNREFUSED/);
  expect(world.out()).toContain("what was obtained is served, and nothing is ordered");
});

test("without one, or from a gateway of another version, nothing is said of it", async () => {
  for (const more of [{ fleet: null }, {}]) {
    const world = listed(more);
    // oxlint-disable-next-line no-await-in-loop -- Two of them.
    expect(await world.run("certificate", "list")).toBe(EXIT.ok);
    expect(world.out()).not.toContain("fleet");
  }
});
