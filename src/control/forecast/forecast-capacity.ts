/**
 * Whether the next peak of the week fits: the most that was held at once at a pool's origins in each hour of the week,
 * against what they can hold now, as far as that has shown (pool-rooms.ts). An origin that was taken away since is
 * missing at the next peak; one that was added ends the forecast.
 */
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { DAY, HOUR, SECOND } from "./forecaster.ts";
import type { PoolRoom, PoolRooms } from "./pool-rooms.ts";

const WEEK_MS: number = 7 * DAY;
const HOURS = 168;
const NEAR = 0.9;
/** Seconds of an hour in which so much was held: one is a coincidence. */
const SECONDS_MIN = 30;
const POOLS_MAX = 500;
/** Days of the week in which the same hour would not fit, to be as sure as one can be. */
const DAYS_SURE = 5;
/** Behind that, the clock was set back. */
const REPLAYED_MS: number = HOUR / 4;

interface Week {
  /** By hour of the week. */
  readonly hours: (Peak | null)[];
  /** The hour that goes on, and the most that was held in seconds of it, the highest first. */
  hour: number;
  top: number[];
  /** The newest second that was counted. */
  at: number;
}

interface Peak {
  /** When that hour began. */
  readonly at: number;
  /** At least so much was held in half a minute of it. */
  readonly held: number;
}

export function foreseeCapacity(rooms: PoolRooms): Forecaster {
  const weeks = new Map<string, Week>();
  return {
    hear(fact) {
      if (fact.kind === "second") for (const room of rooms.all) count(weeks, room, fact.at);
    },
    look: ({ now }) =>
      rooms.all.flatMap((room) => {
        const week = weeks.get(keyOf(room));
        return week === undefined ? [] : (tooHigh(room, week, now) ?? []);
      }),
    memory: {
      name: "capacity",
      save: () => [...weeks],
      restore(saved) {
        for (const [key, week] of saved as readonly (readonly [string, Week])[]) weeks.set(key, week);
      },
    },
  };
}

function count(weeks: Map<string, Week>, room: PoolRoom, at: number): void {
  const key = keyOf(room);
  let week = weeks.get(key);
  if (week === undefined) {
    if (weeks.size >= POOLS_MAX) return;
    week = { hours: Array.from({ length: HOURS }, () => null), hour: -1, top: [], at: 0 };
    weeks.set(key, week);
  }
  // Each worker tells the same second; and after a restart some are told again.
  if (at - week.at < SECOND / 2 && week.at - at < REPLAYED_MS) return;
  week.at = at;
  const hour = Math.floor(at / HOUR);
  if (hour !== week.hour) {
    week.hour = hour;
    week.top = [];
    week.hours[hour % HOURS] = null;
  }
  const { top } = week;
  if (top.length >= SECONDS_MIN && room.held <= (top.at(-1) ?? 0)) return;
  const place = top.findIndex((held) => held < room.held);
  top.splice(place === -1 ? top.length : place, 0, room.held);
  if (top.length > SECONDS_MIN) top.pop();
  if (top.length === SECONDS_MIN) week.hours[hour % HOURS] = { at: hour * HOUR, held: top.at(-1) ?? 0 };
}

function tooHigh({ service, pool, limit }: PoolRoom, { hours }: Week, now: number): Foreseen | null {
  if (limit === null || limit === 0) return null;
  const peaks = hours
    .filter((peak) => peak !== null)
    .filter(({ at, held }) => now - at <= WEEK_MS && held >= limit * NEAR)
    .toSorted((one, other) => one.at - other.at);
  // The oldest comes again first.
  const [next] = peaks;
  if (next === undefined) return null;
  const where = { service, pool };
  const alike = peaks.filter(({ at }) => (at - next.at) % DAY === 0).length;
  const percent = Math.round((next.held / limit) * 100);
  return {
    id: `capacity/${service}/${pool}`,
    kind: "capacity",
    severity: next.held >= limit ? "warning" : "notice",
    title: `The next peak of ${service} may not fit into pool ${pool}`,
    where,
    when: next.at + WEEK_MS,
    confidence: 0.5 + 0.4 * Math.min(1, (alike - 1) / (DAYS_SURE - 1)),
    evidence: [
      {
        text: `In that hour of last week its origins held ${next.held} requests at once; now they can hold ${limit} (${percent} %).`,
        cites: [
          {
            kind: "figure",
            figure: "requests held at once",
            where,
            from: next.at,
            to: next.at + HOUR,
            value: next.held,
            usual: limit,
            unit: "requests",
          },
        ],
      },
    ],
    advice: "Add an origin before that hour, or let another pool take a share.",
  };
}

function keyOf({ service, pool }: PoolRoom): string {
  return `${service}\n${pool}`;
}
