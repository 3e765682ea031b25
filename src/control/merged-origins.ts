/**
 * How services and origins stand, as several workers see it. They know the same within moments; where they do not agree
 * the worst is told, and how many see it so.
 */
import type { OriginAddressView, OriginView, ServiceStatusView } from "../contract/view.ts";

/** From best to worst. */
const SERVICE_STATES: readonly ServiceStatusView["state"][] = ["healthy", "degraded", "failing open", "down"];
const ADDRESS_STATES: readonly OriginAddressView["state"][] = [
  "up",
  "ramping",
  "drained",
  "probation",
  "ejected",
  "down",
];

export function mergeServices(all: readonly (readonly ServiceStatusView[])[]): ServiceStatusView[] {
  return groupBy(all.flat(), ({ name }) => name).map((seen) => {
    const worst = worstOf(seen, (one) => SERVICE_STATES.indexOf(one.state));
    return {
      ...worst,
      because: agreed(
        worst.because,
        worst.state,
        seen.map(({ state }) => state),
      ),
      waiting: total(seen, ({ waiting }) => waiting),
      shedding: seen.some(({ shedding }) => shedding),
      pools: worst.pools.map((pool) => {
        const same = seen.flatMap(({ pools }) => pools.filter(({ name }) => name === pool.name));
        return {
          ...pool,
          available: Math.min(...same.map(({ available }) => available)),
          share: total(same, ({ share }) => share) / same.length,
        };
      }),
    };
  });
}

export function mergeOriginViews(all: readonly (readonly OriginView[])[]): OriginView[] {
  return groupBy(all.flat(), ({ service, pool, origin }) => [service, pool, origin].join("\n")).map((seen) => {
    const [first] = seen;
    return {
      ...first,
      addressesSince: latest(seen.map(({ addressesSince }) => addressesSince)),
      resolution: seen.find(({ resolution }) => resolution !== "")?.resolution ?? "",
      addresses: groupBy(
        seen.flatMap(({ addresses }) => addresses),
        ({ address }) => address,
      ).map(mergeAddresses),
    };
  });
}

function mergeAddresses(seen: readonly [OriginAddressView, ...OriginAddressView[]]): OriginAddressView {
  const worst = worstOf(seen, ({ state }) => ADDRESS_STATES.indexOf(state));
  const attempts = total(seen, (one) => one.attempts);
  const shortest = worstOf(seen, ({ keepAliveMs }) => -keepAliveMs);
  const check = worstOf(seen, (one) => one.check.at).check;
  const weighed = total(seen, (one) => one.latencyMs * Math.max(1, one.attempts));
  return {
    ...worst,
    because: agreed(
      worst.because,
      worst.state,
      seen.map(({ state }) => state),
    ),
    share: total(seen, ({ share }) => share) / seen.length,
    check,
    disagreement: seen.find(({ disagreement }) => disagreement !== "")?.disagreement ?? "",
    breakers: seen.find(({ breakers }) => breakers !== "")?.breakers ?? "",
    inFlight: total(seen, ({ inFlight }) => inFlight),
    connectionsOpen: total(seen, ({ connectionsOpen }) => connectionsOpen),
    connectionsIdle: total(seen, ({ connectionsIdle }) => connectionsIdle),
    keepAliveMs: shortest.keepAliveMs,
    keepAliveBecause: shortest.keepAliveBecause,
    held: total(seen, ({ held }) => held),
    limit: total(seen, ({ limit }) => limit),
    latencyMs: Math.round((weighed / total(seen, (one) => Math.max(1, one.attempts))) * 100) / 100,
    attempts,
    failures: total(seen, ({ failures }) => failures),
  };
}

/** `… (at 1 of 2 workers)`, where not all say the same. */
function agreed(because: string, state: string, states: readonly string[]): string {
  const same = states.filter((one) => one === state).length;
  return same === states.length ? because : `${because} (at ${same} of ${states.length} workers)`;
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function worstOf<Row>(rows: readonly [Row, ...Row[]], rankOf: (row: Row) => number): Row {
  return rows.reduce((worst, row) => (rankOf(row) > rankOf(worst) ? row : worst));
}

function total<Row>(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

/** In the order in which they come first. */
function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => string): [Row, ...Row[]][] {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
