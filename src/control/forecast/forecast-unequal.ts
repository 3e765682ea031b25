/**
 * Standby pools that are not what the first pool is: other answers, other fields, a certificate that is not accepted, or room for
 * less than the first pool held in the last day. Where nothing ever showed what a standby can hold, its addresses are
 * compared with those of the first pool. Found out now, that is a difference; at a failover it is an outage.
 */
import type { TopologyFact } from "../../contract/facts.ts";
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { DAY, HOUR, keep } from "./forecaster.ts";
import type { PoolRoom, PoolRooms } from "./pool-rooms.ts";
import type { Compared } from "./standby-probe.ts";

/** A comparison that is older says nothing of now. */
const VALID_MS: number = HOUR / 2;
const HOURS = 24;

/** Most requests held at once by each address of a pool, on average, and together, in each hour of the last day. */
interface Peak {
  readonly hour: number;
  held: number;
  byAddress: number;
}

/** An address of a standby that has to take so many times what one of the first pool took. */
const MORE_EACH = 2;
/** And no less than this: every learned limit begins there. */
const EACH_MIN = 32;

/** `compared`: what light probes showed. */
export function foreseeUnequal(compared: () => readonly Compared[], rooms: PoolRooms): Forecaster {
  let services: TopologyFact["services"] = [];
  const peaks = new Map<string, Peak[]>();
  return {
    hear(fact) {
      if (fact.kind === "topology") {
        services = fact.services;
        const known = new Set(services.flatMap(({ name, pools }) => pools.map((pool) => keyOf(name, pool.name))));
        for (const key of peaks.keys()) if (!known.has(key)) peaks.delete(key);
      }
      if (fact.kind !== "second") return;
      for (const { service, pool, held, addresses } of rooms.all) {
        const key = keyOf(service, pool);
        const known = peaks.get(key) ?? [];
        if (known.length === 0) peaks.set(key, known);
        addPeak(known, Math.floor(fact.at / HOUR), held, addresses);
      }
    },
    memory: {
      name: "standby peaks",
      save: () => [...peaks],
      restore(saved) {
        for (const [key, known] of saved as readonly (readonly [string, Peak[]])[]) peaks.set(key, known);
      },
    },
    look({ now }) {
      const found = compared()
        .filter(({ at, differences }) => now - at <= VALID_MS && differences.length > 0)
        .map((one) => differing(one, now));
      const byPool = new Map(rooms.all.map((room) => [keyOf(room.service, room.pool), room]));
      return [...found, ...services.flatMap((service) => smaller(service, peaks, byPool, now))];
    },
  };
}

function addPeak(peaks: Peak[], hour: number, held: number, addresses: number): void {
  const byAddress = held / Math.max(1, addresses);
  const last = peaks.at(-1);
  if (last === undefined || last.hour < hour) {
    keep(peaks, { hour, held, byAddress }, HOURS);
    return;
  }
  last.held = Math.max(last.held, held);
  last.byAddress = Math.max(last.byAddress, byAddress);
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
  peaks: ReadonlyMap<string, readonly Peak[]>,
  rooms: ReadonlyMap<string, PoolRoom>,
  now: number,
): Foreseen[] {
  const [first, ...standbys] = pools;
  const known = first === undefined ? [] : (peaks.get(keyOf(service, first.name)) ?? []);
  const lately = known.filter(({ hour }) => hour * HOUR > now - DAY - HOUR);
  const peak = Math.max(0, ...lately.map(({ held }) => held));
  const usual = Math.max(0, ...lately.map(({ byAddress }) => byAddress));
  return standbys.flatMap(({ name: pool }) => {
    const room = rooms.get(keyOf(service, pool));
    if (room === undefined) return [];
    const { limit, addresses } = room;
    const each = Math.round(peak / Math.max(1, addresses));
    const isSmall = limit !== null && peak > limit;
    const isUntried = limit === null && each > EACH_MIN && each > usual * MORE_EACH;
    if (!isSmall && !isUntried) return [];
    const where = { service, pool };
    const first = `The first pool held ${peak} requests at once within the last day`;
    return [
      {
        id: `standby unequal/${service}/${pool}/capacity`,
        kind: "standby unequal",
        severity: isSmall ? "warning" : "notice",
        title: isSmall
          ? `Pool ${pool} of ${service} has room for less than the first one needs`
          : `Pool ${pool} of ${service} has fewer origins than the first one for the same load`,
        where,
        when: null,
        confidence: isSmall ? 0.7 : 0.4,
        evidence: [
          {
            text: isSmall
              ? `${first}; the origins of ${pool} can hold ${limit}.`
              : `${first}, ${Math.round(usual)} at each address; an address of ${pool} would have to hold ${each}, and whether it can has not shown.`,
            cites: [
              {
                kind: "figure",
                figure: "requests held at once",
                where,
                from: now - DAY,
                to: now,
                value: peak,
                usual: limit,
                unit: "requests",
              },
            ],
          },
        ],
        advice: `Add origins to pool ${pool}, or be ready for the background class to be shed when it takes over.`,
      },
    ];
  });
}

function keyOf(service: string, pool: string): string {
  return `${service}\n${pool}`;
}
