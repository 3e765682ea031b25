/**
 * What exchanges go by from their first look at the route table on: services and the way to them, as one thing that is
 * replaced at once. An exchange that has begun keeps the service that it was led to; what a service has that outlasts a
 * configuration is handed on to its successor (service-runtime.ts).
 */
import { compileRoutes } from "../config/route-table.ts";
import type { RouteTable } from "../config/route-table.ts";
import type { ServiceSettings, Settings } from "../config/settings.ts";
import type { Core } from "./core.ts";
import { routeShare } from "./room.ts";
import { ServiceRuntime } from "./service-runtime.ts";

export interface Generation {
  readonly settings: Settings;
  readonly routes: RouteTable;
  /** In the order of the settings; `RouteHit.serviceIndex` points into it. */
  readonly services: readonly ServiceRuntime[];
}

/** For a gateway that is not made yet. */
export function noGeneration(settings: Settings): Generation {
  return { settings, routes: compileRoutes([]), services: [] };
}

/**
 * Ends what is not configured any more, and begins what is new. `isAllNew`: something besides the services has changed
 * that they were made with. Names are not watched yet: `start` of the pools does that.
 */
export function nextGeneration(core: Core, settings: Settings, before: Generation, isAllNew: boolean): Generation {
  const wanted = new Set(settings.services.map(({ name }) => name));
  const known = new Map(before.services.map((service) => [service.settings.name, service]));
  for (const [name, service] of known) if (!wanted.has(name)) service.retire();
  const services = settings.services.map((service) => {
    const earlier = known.get(service.name) ?? null;
    const isSame = !isAllNew && earlier !== null && JSON.stringify(earlier.settings) === JSON.stringify(service);
    return isSame ? earlier : new ServiceRuntime(core, service, earlier);
  });
  forgetRoutes(core, settings, before);
  return {
    settings,
    services,
    routes: compileRoutes(settings.services, (service, route) => services[service]?.numbers[route] ?? -1),
  };
}

export function routeShareOf({ services, limits }: Settings): number {
  const routes = services.reduce((sum, service) => sum + service.routes.length, 0);
  return routeShare(routes, limits.connectionsMax);
}

function forgetRoutes(core: Core, settings: Settings, before: Generation): void {
  const wanted = new Set(routeNames(settings.services));
  for (const name of routeNames(before.settings.services)) {
    if (wanted.has(name)) continue;
    const [service = "", route = ""] = name.split("\n");
    core.telemetry.routeLeft(service, route);
    core.cache.routeLeft(service, route);
  }
}

/** Service and route by their names; neither has a line break in it. */
function routeNames(services: readonly ServiceSettings[]): string[] {
  return services.flatMap((service) => service.routes.map((route) => `${service.name}\n${route.name}`));
}
