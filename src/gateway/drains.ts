/**
 * Origins taken out by hand, and given back. The one bound on it is kept here: the last origin that a route has left is
 * not taken out, because that would fail every request, and whoever wants that can stop the gateway.
 *
 * A drain is held in memory: a gateway that starts again serves by its configuration. Requests that are under way at the
 * origin are finished there.
 */
import type { DrainOrder, DrainResult, GatewayEvent, RestoreOrder } from "../contract/view.ts";
import type { Clock } from "../kernel/clock.ts";
import { durationInWords } from "../policies/words.ts";
import type { Core } from "./core.ts";
import type { FactBook } from "./fact-book.ts";
import type { Siblings } from "./siblings.ts";
import type { NamedOrigin, PoolRuntime } from "./pool-runtime.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

interface DrainPorts {
  readonly core: Pick<Core, "generation">;
  readonly clock: Clock;
  readonly publish: (event: GatewayEvent) => void;
  readonly facts: FactBook | null;
  readonly siblings: Siblings | null;
}

/** One origin may stand in several pools of its service. */
interface Place {
  readonly pool: PoolRuntime;
  readonly origin: NamedOrigin;
}

export function drainOrigin(ports: DrainPorts, order: DrainOrder): DrainResult {
  const found = findPlaces(ports.core.generation.services, order);
  if (!found.ok) return found.refused;
  const now = ports.clock.monotonic();
  const leaving = new Set(found.places.map(({ origin }) => origin));
  const emptied = found.service.routePools.find((pools) => isLast(pools, leaving, now));
  if (emptied !== undefined) {
    const names = emptied.map((pool) => pool.name).join(", ");
    const detail = `${order.origin} is the last origin of ${order.service} that can be used (pools ${names}); without it every request would fail. Restore or repair another one first.`;
    return { done: false, why: "last", detail };
  }
  const drain = { by: order.by, reason: order.reason, since: now, until: now + order.forMs };
  for (const { pool, origin } of found.places) pool.setDrain(origin, drain, "", now);
  tellSiblings(ports, order, order.forMs);
  tell(
    ports,
    order,
    "origin.drained",
    `${order.by} took ${order.origin} of ${order.service} out for ${durationInWords(order.forMs)}: ${order.reason}`,
  );
  return { done: true, until: Math.round(ports.clock.wall() + order.forMs) };
}

export function restoreOrigin(ports: DrainPorts, order: RestoreOrder): DrainResult {
  const found = findPlaces(ports.core.generation.services, order);
  if (!found.ok) return found.refused;
  const now = ports.clock.monotonic();
  // One whose time has run out just now is still marked until its pool is looked at.
  for (const { pool } of found.places) pool.assess(now);
  const drained = found.places.filter(({ origin }) => origin.drain !== null && now < origin.drain.until);
  if (drained.length === 0) {
    const detail = `${order.origin} of ${order.service} was not taken out by hand, so there is nothing to restore. What failures or checks took out comes back by itself.`;
    return { done: false, why: "not drained", detail };
  }
  for (const { pool, origin } of drained) pool.setDrain(origin, null, `${order.by} restored it: ${order.reason}`, now);
  tellSiblings(ports, order, 0);
  tell(ports, order, "origin.restored", `${order.by} restored ${order.origin} of ${order.service}: ${order.reason}`);
  return { done: true, until: null };
}

function tellSiblings({ siblings }: DrainPorts, { service, origin, by, reason }: RestoreOrder, forMs: number): void {
  siblings?.tell({ kind: "drain", service, origin, agoMs: 0, forMs, by, reason });
}

function findPlaces(
  services: readonly ServiceRuntime[],
  { service: name, origin: url }: RestoreOrder,
):
  | { readonly ok: true; readonly service: ServiceRuntime; readonly places: readonly Place[] }
  | { readonly ok: false; readonly refused: DrainResult } {
  const service = services.find(({ settings }) => settings.name === name);
  const places = (service?.pools ?? []).flatMap((pool) =>
    pool.origins.filter(({ settings }) => settings.url === url).map((origin) => ({ pool, origin })),
  );
  if (service !== undefined && places.length > 0) return { ok: true, service, places };
  const detail =
    service === undefined
      ? `There is no service ${JSON.stringify(name)}.`
      : `${name} has no origin ${JSON.stringify(url)}.`;
  return { ok: false, refused: { done: false, why: "unknown", detail } };
}

/** Whether a route with these pools could use something that is leaving, and nothing besides. */
function isLast(pools: readonly PoolRuntime[], leaving: ReadonlySet<NamedOrigin>, now: number): boolean {
  for (const pool of pools) pool.settle(now);
  const origins = pools.flatMap((pool) => pool.origins);
  if (!origins.some((origin) => leaving.has(origin))) return false;
  return !origins.some((origin) => !leaving.has(origin) && origin.addresses.some(({ share }) => share > 0));
}

function tell({ clock, publish, facts }: DrainPorts, order: RestoreOrder, code: string, detail: string): void {
  const { service, origin, by } = order;
  facts?.change("action", { service, origin }, detail, by);
  publish({ kind: "gateway", at: clock.wall(), code, detail });
}
