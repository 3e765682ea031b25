import { expect, test } from "vitest";
import type { FleetView } from "../contract/fleet.ts";
import { fleetFinding } from "./fleet-finding.ts";

const view: FleetView = {
  state: "connected",
  detail: "",
  since: 0,
  database: "db:5432/fleet",
  holder: "",
  nodes: [{ name: "a", seenAt: 0, isCurrent: true }],
};

test("a database that answers is fine, one that is away is worth a look, and one that takes a person is not", () => {
  expect(fleetFinding(view)).toMatchObject({
    level: "ok",
    says: "db:5432/fleet answers; 1 node, nobody orders a certificate now.",
  });
  expect(fleetFinding({ ...view, holder: "a" }).says).toContain("a orders a certificate now");
  const away = fleetFinding({ ...view, state: "unreachable", detail: "connect ECONNREFUSED" });
  expect(away).toMatchObject({ level: "warn" });
  expect(away.says).toContain("db:5432/fleet is unreachable: connect ECONNREFUSED.");
  expect(fleetFinding({ ...view, state: "unusable", detail: "x", database: "" })).toMatchObject({ level: "bad" });
});
