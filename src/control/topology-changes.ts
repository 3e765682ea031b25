/** What a gateway serves by now and did not before: told as changes, because changes are what most disturbances come of. */
import type { ChangeFact, TopologyFact } from "../contract/facts.ts";

export function changesBetween(before: TopologyFact, after: TopologyFact): ChangeFact[] {
  const changes: ChangeFact[] = [];
  const base = { kind: "change", at: after.at, by: "" } as const;
  const idOf = (): string => `change-topology-${after.node}-${after.worker}-${after.at}-${changes.length + 1}`;
  if (before.revision !== after.revision) {
    changes.push({
      ...base,
      id: idOf(),
      what: "configuration applied",
      where: { node: after.node, revision: after.revision },
      text: `configuration ${after.revision} instead of ${before.revision}`,
    });
  }
  const origins = placesOf(before);
  for (const [place, now] of placesOf(after)) {
    const was = origins.get(place);
    if (was === undefined || same(was.origins, now.origins)) continue;
    const gone = was.origins.filter((origin) => !now.origins.includes(origin));
    const come = now.origins.filter((origin) => !was.origins.includes(origin));
    const words = [
      ...(come.length > 0 ? [`${come.join(", ")} came`] : []),
      ...(gone.length > 0 ? [`${gone.join(", ")} left`] : []),
    ];
    changes.push({
      ...base,
      id: idOf(),
      what: "origins changed",
      where: { service: now.service, pool: now.pool },
      text: `pool ${now.pool} of ${now.service}: ${words.join("; ") || "their order changed"}`,
    });
  }
  return changes;
}

interface Place {
  readonly service: string;
  readonly pool: string;
  readonly origins: readonly string[];
}

function placesOf(topology: TopologyFact): Map<string, Place> {
  return new Map(
    topology.services.flatMap(({ name, pools }) =>
      pools.map(
        (pool) => [`${name}\n${pool.name}`, { service: name, pool: pool.name, origins: pool.origins }] as const,
      ),
    ),
  );
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}
