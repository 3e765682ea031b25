/**
 * Pools that stand by and were not asked for long: whether they would work when they have to is not known, whatever
 * their checks say. Readiness expires; a connect check proves that something listens, not that it serves.
 */
import type { TopologyFact } from "../../contract/facts.ts";
import type { Forecaster } from "./forecaster.ts";
import { DAY } from "./forecaster.ts";

const UNPROVEN_MS: number = 7 * DAY;

export function foreseeStandby(): Forecaster {
  let services: TopologyFact["services"] = [];
  /** When a pool last answered well, or when it was first heard of. */
  const provenAt = new Map<string, number>();
  return {
    hear(fact) {
      if (fact.kind === "topology") {
        services = fact.services;
        const known = new Set(services.flatMap(({ name, pools }) => pools.map((pool) => keyOf(name, pool.name))));
        for (const key of provenAt.keys()) if (!known.has(key)) provenAt.delete(key);
        for (const key of known) if (!provenAt.has(key)) provenAt.set(key, fact.at);
        return;
      }
      if (fact.kind !== "second") return;
      for (const { service, pool, attempts, byCause } of fact.origins) {
        if (attempts === 0) continue;
        const failures = Object.values(byCause).reduce((sum, count) => sum + count, 0);
        if (failures < attempts && provenAt.has(keyOf(service, pool))) provenAt.set(keyOf(service, pool), fact.at);
      }
    },
    memory: {
      name: "standby",
      save: () => [...provenAt],
      restore(saved) {
        for (const [key, at] of saved as readonly (readonly [string, number])[]) provenAt.set(key, at);
      },
    },
    look({ now }) {
      return services.flatMap(({ name: service, pools }) =>
        pools.slice(1).flatMap(({ name: pool }) => {
          const since = provenAt.get(keyOf(service, pool)) ?? now;
          const idleMs = now - since;
          if (idleMs < UNPROVEN_MS) return [];
          const where = { service, pool };
          return [
            {
              id: `standby unproven/${service}/${pool}`,
              kind: "standby unproven" as const,
              severity: "notice" as const,
              title: `Pool ${pool} of ${service} has not served for ${Math.floor(idleMs / DAY)} days`,
              where,
              when: null,
              confidence: 1,
              evidence: [
                {
                  text: "No request was answered well by it in this time.",
                  cites: [
                    {
                      kind: "figure" as const,
                      figure: "exchanges served",
                      where,
                      from: since,
                      to: now,
                      value: 0,
                      usual: null,
                      unit: "exchanges",
                    },
                  ],
                },
              ] as const,
              advice: `Give it a little of the traffic all the time (standbyShare: 1% on pool ${pool}), so that it is proven before it is needed.`,
            },
          ];
        }),
      );
    },
  };
}

function keyOf(service: string, pool: string): string {
  return `${service}\n${pool}`;
}
