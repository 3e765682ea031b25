/**
 * Whether the next peak of the week fits: the most that was held at once at a pool's origins in each hour of the week,
 * against what they can hold as it was learned. A pool that came close last week meets the same hour again.
 */
import type { SecondFact } from "../../contract/facts.ts";
import type { Forecaster } from "./forecaster.ts";
import { DAY, HOUR } from "./forecaster.ts";

const WEEK_MS: number = 7 * DAY;
const HOURS = 168;
const NEAR = 0.9;
/** Seconds of an hour in which it was so near: one is a coincidence. */
const SECONDS_MIN = 30;
const POOLS_MAX = 500;

interface Pool {
  readonly service: string;
  readonly pool: string;
  /** By hour of the week: the highest part that was held for long enough. */
  readonly hours: ({
    readonly at: number;
    readonly part: number;
    readonly held: number;
    readonly limit: number;
  } | null)[];
  hour: number;
  near: number;
  peak: { part: number; held: number; limit: number };
}

export function foreseeCapacity(): Forecaster {
  const pools = new Map<string, Pool>();
  return {
    hear(fact) {
      if (fact.kind === "second") add(pools, fact);
    },
    look({ now }) {
      return [...pools.values()].flatMap(({ service, pool, hours }) => {
        // The nearest such hour that comes again.
        const next = hours
          .filter((hour) => hour !== null && now - hour.at <= WEEK_MS)
          .map((hour) => ({ ...hour, again: (hour?.at ?? 0) + WEEK_MS, at: hour?.at ?? 0, part: hour?.part ?? 0 }))
          .sort((one, other) => one.again - other.again)[0];
        if (next === undefined) return [];
        const where = { service, pool };
        return [
          {
            id: `capacity/${service}/${pool}`,
            kind: "capacity" as const,
            severity: next.part >= 1 ? ("warning" as const) : ("notice" as const),
            title: `The next peak of ${service} may not fit into pool ${pool}`,
            where,
            when: next.again,
            confidence: 0.6,
            evidence: [
              {
                text: `In that hour of last week its origins held ${next.held ?? 0} requests of the ${next.limit ?? 0} that they can (${Math.round(next.part * 100)} %).`,
                cites: [
                  {
                    kind: "figure" as const,
                    figure: "requests held at once",
                    where,
                    from: next.at,
                    to: next.at + HOUR,
                    value: next.held ?? 0,
                    usual: next.limit ?? 0,
                    unit: "requests",
                  },
                ],
              },
            ] as const,
            advice: "Add an origin before that hour, or let another pool take a share.",
          },
        ];
      });
    },
  };
}

function add(pools: Map<string, Pool>, fact: SecondFact): void {
  const sums = new Map<string, { service: string; pool: string; held: number; limit: number; isOpen: boolean }>();
  for (const { service, pool, held, limit } of fact.origins) {
    const key = `${service}\n${pool}`;
    const sum = sums.get(key) ?? { service, pool, held: 0, limit: 0, isOpen: false };
    sum.held += held;
    sum.limit += limit;
    // One without a limit can hold what comes.
    sum.isOpen ||= limit === 0;
    sums.set(key, sum);
  }
  for (const [key, { service, pool, held, limit, isOpen }] of sums) {
    if (isOpen) continue;
    let known = pools.get(key);
    if (known === undefined) {
      if (pools.size >= POOLS_MAX) continue;
      known = {
        service,
        pool,
        hours: Array.from({ length: HOURS }, () => null),
        hour: -1,
        near: 0,
        peak: { part: 0, held: 0, limit: 0 },
      };
      pools.set(key, known);
    }
    const hour = Math.floor(fact.at / HOUR);
    if (hour !== known.hour) {
      known.hour = hour;
      known.near = 0;
      known.peak = { part: 0, held: 0, limit: 0 };
      known.hours[hour % HOURS] = null;
    }
    const part = held / limit;
    if (part < NEAR) continue;
    known.near += 1;
    if (part > known.peak.part) known.peak = { part, held, limit };
    if (known.near >= SECONDS_MIN) known.hours[hour % HOURS] = { at: hour * HOUR, ...known.peak };
  }
}
