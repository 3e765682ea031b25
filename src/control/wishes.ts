/**
 * Where the engine would like the ladder to be climbed: at the origin that an incident points at; where it points at a whole
 * pool or provider, at two of its origins, on different hosts where there are such. The controls of a climb (ladder/)
 * are another provider's origin and the gateway itself, which is what such an incident is told apart by.
 */
import type { TopologyFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { Wish } from "./engine-port.ts";
import { hostOf } from "./hypotheses-network.ts";

/** More would say the same, and load what is in trouble. */
const ORIGINS_MAX = 2;

export function wishesOf(
  { where, services, title }: Pick<Incident, "where" | "services" | "title">,
  topology: TopologyFact["services"],
): Wish[] {
  const wish = (service: string, origin: string): Wish => ({
    kind: "wish",
    wish: "probe",
    service,
    origin,
    because: title,
  });
  const origins = namesIn(where["origin"]);
  const [origin, ...more] = origins;
  const service = where["service"] ?? services[0];
  if (origin !== undefined && more.length === 0) return service === undefined ? [] : [wish(service, origin)];
  const pools = namesIn(where["pool"]);
  const providers = namesIn(where["provider"]);
  if (origins.length === 0 && pools.length === 0 && providers.length === 0) return [];
  const named = namesIn(where["service"]);
  const touched = named.length > 0 ? named : services;
  const here = topology
    .filter(({ name }) => touched.includes(name))
    .flatMap((one) =>
      one.pools
        .filter(({ name }) => pools.length === 0 || pools.includes(name))
        .filter(({ provider }) => providers.length === 0 || providers.includes(provider))
        .flatMap((pool) => pool.origins)
        .filter((url) => origins.length === 0 || origins.includes(url))
        .map((url) => ({ service: one.name, url })),
    );
  return apart(here).map((one) => wish(one.service, one.url));
}

/** An incident may name several. */
function namesIn(value: string | undefined): readonly string[] {
  return value === undefined ? [] : value.split(", ");
}

/** Of different hosts before others: a machine that is gone is less than a provider that is. */
function apart<T extends { readonly url: string }>(origins: readonly T[]): T[] {
  const chosen: T[] = [];
  const others: T[] = [];
  for (const origin of origins) {
    if (chosen.some(({ url }) => url === origin.url)) continue;
    const isNew = chosen.every(({ url }) => hostOf(url) !== hostOf(origin.url));
    if (isNew && chosen.length < ORIGINS_MAX) chosen.push(origin);
    else others.push(origin);
  }
  const [more] = others;
  return chosen.length === 1 && more !== undefined ? [...chosen, more] : chosen;
}
