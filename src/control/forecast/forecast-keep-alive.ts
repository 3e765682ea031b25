/**
 * Idle connections that an origin closes just when they are used again. Each such race was rescued or was not; several
 * in a quarter of an hour at one origin mean that the margin between its time and ours is too thin.
 */
import type { Forecaster } from "./forecaster.ts";
import { MINUTE } from "./forecaster.ts";

const RACES_MIN = 3;
const WITHIN_MS: number = 15 * MINUTE;
const ORIGINS_MAX = 1000;

interface Races {
  readonly service: string;
  readonly pool: string;
  readonly origin: string;
  /** Newest last; at most what is counted. */
  at: { readonly at: number; readonly count: number }[];
  keepAliveMs: number;
}

export function foreseeKeepAlive(): Forecaster {
  const origins = new Map<string, Races>();
  return {
    hear(fact) {
      if (fact.kind !== "second") return;
      for (const { service, pool, origin, byCause, keepAliveMs } of fact.origins) {
        const count = byCause["origin.keepalive_race"] ?? 0;
        if (count === 0) continue;
        const key = `${service}\n${origin}`;
        let races = origins.get(key);
        if (races === undefined) {
          if (origins.size >= ORIGINS_MAX) continue;
          races = { service, pool, origin, at: [], keepAliveMs };
          origins.set(key, races);
        }
        races.keepAliveMs = keepAliveMs;
        races.at = [...races.at.filter(({ at }) => fact.at - at < WITHIN_MS), { at: fact.at, count }].slice(
          -WITHIN_MAX,
        );
      }
    },
    look({ now }) {
      return [...origins].flatMap(([key, { service, pool, origin, at, keepAliveMs }]) => {
        const lately = at.filter((race) => now - race.at < WITHIN_MS);
        if (lately.length === 0) origins.delete(key);
        const [first] = lately;
        const count = lately.reduce((sum, race) => sum + race.count, 0);
        if (first === undefined || count < RACES_MIN) return [];
        const where = { service, pool, origin };
        return [
          {
            id: `keep-alive margin/${service}/${origin}`,
            kind: "keep-alive margin" as const,
            severity: "warning" as const,
            title: `${origin} closes idle connections just when they are used`,
            where,
            when: null,
            confidence: Math.min(1, 0.6 + count * 0.05),
            evidence: [
              {
                text: `${count} requests met a connection that was being closed; idle ones are kept for ${keepAliveMs} ms now.`,
                cites: [
                  {
                    kind: "figure" as const,
                    figure: "keep-alive races",
                    where,
                    from: first.at,
                    to: now,
                    value: count,
                    usual: 0,
                    unit: "attempts",
                  },
                ],
              },
            ] as const,
            advice:
              "Let the origin keep idle connections some seconds longer than this gateway does, or set connections.idle of the service below the origin's time.",
          },
        ];
      });
    },
  };
}

/** Seconds with races that are remembered for an origin. */
const WITHIN_MAX = 900;
