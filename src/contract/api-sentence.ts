/**
 * The state of a gateway in one sentence, for the head of the dashboard, `goodgate status` and the API.
 * The worst comes first, because a reader in a hurry reads no further.
 */
import { countText } from "./quantities.ts";
import type { ServiceStatusView, StatusView } from "./view.ts";

export function gatewaySentence(status: StatusView): string {
  if (status.state === "draining") {
    return `Draining: ${countText(status.exchangesActive, "exchange")} may still finish, nothing new is taken.`;
  }
  const troubled = status.services.filter((service) => service.state !== "healthy");
  if (troubled.length === 0) return `Serving: ${allHealthy(status.services)}.`;
  const down = troubled.filter((service) => service.state === "down");
  if (down.length === status.services.length) {
    return down.length === 1 ? `Not serving: ${reason(down)}.` : `Not serving: all ${down.length} services are down.`;
  }
  if (troubled.length === 1) return `Serving, but ${reason(troubled)}.`;
  return `Serving, but ${troubled.length} of ${status.services.length} services are in trouble: ${list(troubled)}.`;
}

/** Worst first, the order in which a person should look. */
export const SERVICE_STATES_WORST_FIRST: readonly ServiceStatusView["state"][] = [
  "down",
  "failing open",
  "degraded",
  "healthy",
];

function allHealthy(services: readonly ServiceStatusView[]): string {
  const pools = services.flatMap((service) => service.pools);
  const origins = pools.reduce((sum, pool) => sum + pool.origins, 0);
  const available = pools.reduce((sum, pool) => sum + pool.available, 0);
  const named =
    services.length === 1 && services[0] !== undefined
      ? `service ${services[0].name} is healthy`
      : `all ${services.length} services are healthy`;
  return `${named}, ${available} of ${countText(origins, "origin")} can be picked`;
}

function reason(services: readonly ServiceStatusView[]): string {
  const [service] = services;
  if (service === undefined) return "";
  const because = service.because.replace(/\.$/, "");
  return `${list([service])}${because === "" ? "" : `: ${because}`}`;
}

function list(services: readonly ServiceStatusView[]): string {
  const ordered = SERVICE_STATES_WORST_FIRST.flatMap((state) => services.filter((service) => service.state === state));
  const named = ordered.map((service) => `${service.name} is ${service.state}`);
  return named.length <= 4 ? named.join(", ") : `${named.slice(0, 3).join(", ")} and ${named.length - 3} more`;
}
