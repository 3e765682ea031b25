/** What `doctor` says of the database that a running gateway shares with others. The traffic needs none of it. */
import type { FleetView } from "../contract/fleet.ts";
import { countText } from "../contract/quantities.ts";
import type { Finding } from "./machine-findings.ts";
import { ok } from "./machine-findings.ts";

/** Gateways of other versions say nothing of it. */
export function isFleet(fleet: unknown): fleet is FleetView {
  return typeof fleet === "object" && fleet !== null && "nodes" in fleet && Array.isArray(fleet.nodes);
}

export function fleetFinding({ state, detail, database, nodes, holder }: FleetView): Finding {
  const id = "fleet";
  if (state === "connected") {
    const order = holder === "" ? "nobody orders a certificate now" : `${holder} orders a certificate now`;
    return ok(id, `${database} answers; ${countText(nodes.length, "node")}, ${order}.`);
  }
  const says = `${database === "" ? "the database" : database} is ${state}${detail === "" ? "" : `: ${detail}`}. What was obtained is served; no certificate is ordered.`;
  const todo =
    state === "unusable"
      ? "It is tried again by itself; somebody has to change what is named."
      : "It is tried again by itself. Certificates last for weeks; see how long:  goodgate certificate list";
  return { id, level: state === "unusable" ? "bad" : "warn", says, todo };
}
