/**
 * Routes that collide and routes that can never be reached. Two routes of one host with the same match are
 * a problem: which one wins would hang on the order of the file, and nobody means that. A route behind one
 * that takes all its requests is a note.
 */
import { parsePathPattern, patternShape } from "./path-pattern.ts";
import { poolName } from "./names.ts";
import { pathText, valueAt } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";
import { compareMatches, coversConditions, isCatchAll } from "./route-order.ts";
import { routeMatchOf, routeSchema } from "./route-schema.ts";
import { serviceSchema } from "./service-schema.ts";
import type { RouteMatch } from "./settings.ts";
import { isMapping } from "./yaml-tree.ts";

export interface RouteFindings {
  readonly problems: readonly Finding[];
  readonly notes: readonly Finding[];
}

export function routeFindings(file: unknown): RouteFindings {
  const problems: Finding[] = [];
  const notes: Finding[] = [];
  const services = readServices(file);
  for (const group of groupedByShape(services)) {
    for (const [index, route] of group.entries()) {
      const finding = firstObstacle(route, group, index);
      if (finding !== null) (finding.isProblem ? problems : notes).push(finding);
    }
  }
  for (const [index, service] of services.entries()) {
    const rival = services
      .slice(0, index)
      .find((other) => service.hosts.some((host) => other.hosts.includes(host)) && !other.hasCatchAll);
    if (rival !== undefined && !service.hasCatchAll) {
      const host = service.hosts.find((candidate) => rival.hosts.includes(candidate)) ?? "";
      notes.push(
        finding(
          service.path,
          `Requests for ${host} that no route takes go to the service "${rival.name}", which comes first in the file, and not to "${service.name}".`,
        ),
      );
    }
    for (const [pool, path] of service.unusedPools)
      notes.push(finding(path, `No route of the service "${service.name}" uses the pool "${pool}".`));
  }
  return { problems, notes };
}

interface ReadService {
  readonly name: string;
  readonly path: Path;
  readonly hosts: readonly string[];
  readonly routes: readonly ReadRoute[];
  /** Whether a written route takes everything, so that the one of every service never does. */
  readonly hasCatchAll: boolean;
  readonly unusedPools: readonly (readonly [string, Path])[];
}

interface ReadRoute {
  readonly path: Path;
  readonly match: RouteMatch;
  readonly hosts: readonly string[];
}

/** What parses of each service; the rest is reported by the schema. */
function readServices(file: unknown): ReadService[] {
  const services = valueAt(file, ["services"]);
  if (!isMapping(services)) return [];
  return Object.entries(services).map(([name, service]) => {
    const path = ["services", name];
    const hosts = serviceSchema.shape.hosts.safeParse(valueAt(service, ["hosts"]));
    const written = valueAt(service, ["routes"]);
    const routes: ReadRoute[] = [];
    const used = new Set<string>();
    let isComplete = true;
    for (const [index, entry] of (Array.isArray(written) ? (written as readonly unknown[]) : []).entries()) {
      const route = routeSchema.safeParse(entry);
      if (!route.success) {
        isComplete = false;
        continue;
      }
      routes.push({
        path: [...path, "routes", index],
        match: routeMatchOf(route.data),
        hosts: hosts.success ? hosts.data : [],
      });
      if (route.data.pools === undefined) isComplete = false;
      for (const pool of route.data.pools ?? []) used.add(pool);
    }
    const hasCatchAll = routes.some(({ match }) => isCatchAll(match));
    const pools = valueAt(service, ["pools"]);
    const unusedPools = (
      Array.isArray(pools) && hasCatchAll && isComplete ? (pools as readonly unknown[]) : []
    ).flatMap((pool, index) => {
      const poolPath = [...path, "pools", index];
      const written = valueAt(pool, ["name"]);
      const shown = typeof written === "string" ? written : poolName(index);
      return used.has(shown) ? [] : [[shown, poolPath] as const];
    });
    return { name, path, hosts: hosts.success ? hosts.data : [], routes, hasCatchAll, unusedPools };
  });
}

/** Routes whose paths match the same requests, in the order of the file. */
function groupedByShape(services: readonly ReadService[]): ReadRoute[][] {
  const groups = new Map<string, ReadRoute[]>();
  for (const route of services.flatMap((service) => service.routes)) {
    const pattern = parsePathPattern(route.match.path);
    if (!pattern.ok) continue;
    const shape = patternShape(pattern.value);
    const group = groups.get(shape) ?? [];
    groups.set(shape, group);
    group.push(route);
  }
  return [...groups.values()];
}

function firstObstacle(
  route: ReadRoute,
  group: readonly ReadRoute[],
  index: number,
): (Finding & { readonly isProblem: boolean }) | null {
  for (const [otherIndex, other] of group.entries()) {
    if (otherIndex === index) continue;
    const order = compareMatches(other.match, route.match);
    if (order > 0 || (order === 0 && otherIndex > index) || !coversConditions(other.match, route.match)) continue;
    const shared = route.hosts.filter((host) => other.hosts.includes(host));
    if (shared.length === 0) continue;
    if (order === 0 && coversConditions(route.match, other.match)) {
      const message = `The same match for the host ${shared[0] ?? ""} is at ${pathText(other.path)} already.`;
      return {
        ...finding(route.path, message),
        hint: "Remove one of them or make their matches differ.",
        isProblem: true,
      };
    }
    if (shared.length === route.hosts.length) {
      return {
        ...finding(route.path, `This route is never reached: ${pathText(other.path)} takes all its requests.`),
        isProblem: false,
      };
    }
  }
  return null;
}

function finding(path: Path, message: string): Finding {
  return { path, at: "value", message, hint: "" };
}
