/**
 * Standby pools that are not what the first pool is: other answers, other fields, a certificate that is not accepted, or room for
 * less than the first pool held in the last day. Found out now, that is a difference; at a failover it is an outage.
 */
import type { TopologyFact } from "../../contract/facts.ts";
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { DAY, HOUR } from "./forecaster.ts";
import type { Compared } from "./standby-probe.ts";

/** A comparison that is older says nothing of now. */
const VALID_MS: number = HOUR / 2;
const HOURS = 24;

interface Room {
  /** Most requests held at once in each hour of the last day. */
  readonly peaks: { hour: number; held: number }[];
  limit: number;
  isOpen: boolean;
}

/** `compared`: what light probes showed. */
export function foreseeUnequal(compared: () => readonly Compared[]): Forecaster {
  let services: TopologyFact["services"] = [];
  const rooms = new Map<string, Room>();
  return {
    hear(fact) {
      if (fact.kind === "topology") {
        services = fact.services;
        const known = new Set(services.flatMap(({ name, pools }) => pools.map((pool) => keyOf(name, pool.name))));
        for (const key of rooms.keys()) if (!known.has(key)) rooms.delete(key);
      }
      if (fact.kind !== "second") return;
      const sums = new Map<string, { held: number; limit: number; isOpen: boolean }>();
      for (const { service, pool, held, limit } of fact.origins) {
        const sum = sums.get(keyOf(service, pool)) ?? { held: 0, limit: 0, isOpen: false };
        sum.held += held;
        sum.limit += limit;
        sum.isOpen ||= limit === 0;
        sums.set(keyOf(service, pool), sum);
      }
      for (const [key, { held, limit, isOpen }] of sums) {
        const room = rooms.get(key) ?? { peaks: [], limit: 0, isOpen: true };
        room.limit = limit;
        room.isOpen = isOpen;
        addPeak(room, Math.floor(fact.at / HOUR), held);
        rooms.set(key, room);
      }
    },
    look({ now }) {
      const found = compared()
        .filter(({ at, differences }) => now - at <= VALID_MS && differences.length > 0)
        .map((one) => differing(one, now));
      return [...found, ...services.flatMap((service) => smaller(service, rooms, now))];
    },
  };
}

function addPeak({ peaks }: Room, hour: number, held: number): void {
  const last = peaks[peaks.length - 1];
  if (last !== undefined && last.hour >= hour) last.held = Math.max(last.held, held);
  else peaks.push({ hour, held });
  if (peaks.length > HOURS) peaks.shift();
}

function differing({ service, pool, url, differences, at }: Compared, now: number): Foreseen {
  const where = { service, pool, origin: url };
  return {
    id: `standby unequal/${service}/${pool}`,
    kind: "standby unequal",
    severity: "warning",
    title: `Pool ${pool} of ${service} would not answer as the first one does`,
    where,
    when: null,
    confidence: 0.8,
    evidence: [
      {
        text: `Asked for the same, ${url} is different: ${differences.join("; ")}.`,
        cites: [
          {
            kind: "figure",
            figure: "differences of a standby",
            where,
            from: at,
            to: now,
            value: differences.length,
            usual: 0,
            unit: "differences",
          },
        ],
      },
    ],
    advice: `Make both pools serve the same version and configuration, then look again; a failover to ${pool} would change what clients get.`,
  };
}

function smaller(
  { name: service, pools }: TopologyFact["services"][number],
  rooms: ReadonlyMap<string, Room>,
  now: number,
): Foreseen[] {
  const [first, ...standbys] = pools;
  const busy = first === undefined ? undefined : rooms.get(keyOf(service, first.name));
  const peak = Math.max(0, ...(busy?.peaks ?? []).map(({ held }) => held));
  return standbys.flatMap(({ name: pool }) => {
    const room = rooms.get(keyOf(service, pool));
    if (room === undefined || room.isOpen || peak <= room.limit) return [];
    const where = { service, pool };
    return [
      {
        id: `standby unequal/${service}/${pool}/capacity`,
        kind: "standby unequal" as const,
        severity: "warning" as const,
        title: `Pool ${pool} of ${service} has room for less than the first one needs`,
        where,
        when: null,
        confidence: 0.6,
        evidence: [
          {
            text: `The first pool held ${peak} requests at once within the last day; the origins of ${pool} can hold ${room.limit}.`,
            cites: [
              {
                kind: "figure" as const,
                figure: "requests held at once",
                where,
                from: now - DAY,
                to: now,
                value: peak,
                usual: room.limit,
                unit: "requests",
              },
            ],
          },
        ] as const,
        advice: `Add origins to pool ${pool}, or be ready for the background class to be shed when it takes over.`,
      },
    ];
  });
}

function keyOf(service: string, pool: string): string {
  return `${service}\n${pool}`;
}
