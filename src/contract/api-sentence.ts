/**
 * The state of a gateway in one sentence, for the head of the dashboard, `goodgate status` and the API.
 * The worst comes first, because a reader in a hurry reads no further.
 */
import { countText } from "./quantities.ts";
import type { ServiceStatusView, StatusView } from "./view.ts";

export function gatewaySentence(status: StatusView): string {
  const { head, joint, rest } = gatewayInShort(status);
  return `${head}${rest === "" ? "" : joint}${rest}.`;
}

/** The same in two parts: what fits into a headline, and what has to be said with it where something is wrong. */
export function gatewayInShort(status: StatusView): {
  readonly head: string;
  readonly joint: string;
  readonly rest: string;
} {
  if (status.state === "draining") {
    const rest = `${countText(status.exchangesActive, "exchange")} may still finish, nothing new is taken`;
    return { head: "Draining", joint: ": ", rest };
  }
  const troubled = status.services.filter((service) => service.state !== "healthy");
  const [only] = troubled;
  if (only === undefined)
    return { head: `Serving: ${allHealthy(status.services)}`, joint: ", ", rest: pickable(status.services) };
  const down = troubled.filter((service) => service.state === "down");
  const isNone = down.length === status.services.length;
  if (isNone && down.length > 1)
    return { head: `Not serving: all ${down.length} services are down`, joint: "", rest: "" };
  if (troubled.length === 1) {
    const head = `${isNone ? "Not serving:" : "Serving, but"} ${list([only])}`;
    return { head, joint: ": ", rest: only.because.replace(/\.$/, "") };
  }
  const head = `Serving, but ${troubled.length} of ${status.services.length} services are in trouble`;
  return { head, joint: ": ", rest: list(troubled) };
}

/** Worst first, the order in which a person should look. */
export const SERVICE_STATES_WORST_FIRST: readonly ServiceStatusView["state"][] = [
  "down",
  "failing open",
  "degraded",
  "healthy",
];

function allHealthy(services: readonly ServiceStatusView[]): string {
  return services.length === 1 && services[0] !== undefined
    ? `service ${services[0].name} is healthy`
    : `all ${services.length} services are healthy`;
}

function pickable(services: readonly ServiceStatusView[]): string {
  const pools = services.flatMap((service) => service.pools);
  const origins = pools.reduce((sum, pool) => sum + pool.origins, 0);
  const available = pools.reduce((sum, pool) => sum + pool.available, 0);
  return `${available} of ${countText(origins, "origin")} can be picked`;
}

function list(services: readonly ServiceStatusView[]): string {
  const ordered = SERVICE_STATES_WORST_FIRST.flatMap((state) => services.filter((service) => service.state === state));
  const named = ordered.map((service) => `${service.name} is ${service.state}`);
  return named.length <= 4 ? named.join(", ") : `${named.slice(0, 3).join(", ")} and ${named.length - 3} more`;
}
