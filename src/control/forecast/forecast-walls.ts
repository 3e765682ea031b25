/**
 * Resources of a gateway's process and machine that are used up one day: descriptors, memory, local ports, disk. The
 * last quarter of an hour is carried on in a straight line until it meets the wall.
 *
 * Use goes up and down with the traffic, and the way up looks like a leak. So a line counts only where it has left
 * everything that was seen in the last day; while less than an hour is known, only where the wall is near. What is
 * nearly used up already is told whatever the trend.
 */
import type { OwnRow, SecondFact } from "../../contract/facts.ts";
import type { Severity } from "../../contract/incident.ts";
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { DAY, HOUR, keep, MINUTE } from "./forecaster.ts";
import { trendOf } from "./trend.ts";
import type { Point } from "./trend.ts";

interface Wall {
  readonly kind: "descriptors" | "memory" | "ports" | "disk";
  readonly name: string;
  readonly unit: string;
  use(own: OwnRow): number;
  max(own: OwnRow): number;
  /** Below this part of the wall nothing is foreseen: there is time. */
  readonly from: number;
  /** Above it, it is nearly so already. */
  readonly full: number;
  /** How far ahead a straight line of a quarter of an hour is worth anything. */
  readonly aheadMs: number;
  readonly advice: string;
}

const WALLS: readonly Wall[] = [
  {
    kind: "descriptors",
    name: "descriptors",
    unit: "descriptors",
    use: (own) => own.descriptorsOpen,
    max: (own) => own.descriptorsMax,
    from: 0.4,
    full: 0.9,
    aheadMs: 12 * HOUR,
    advice: "Raise the limit (LimitNOFILE), or find what holds connections: goodgate doctor says what is configured.",
  },
  {
    kind: "memory",
    name: "memory",
    unit: "bytes",
    use: (own) => own.memoryBytes,
    max: (own) => own.memoryMax,
    from: 0.6,
    full: 0.92,
    aheadMs: 12 * HOUR,
    advice:
      "Give the process more memory, or make limits.replayBytes and cache.memory smaller; if it grows without traffic, restart it and report it.",
  },
  {
    kind: "ports",
    name: "local ports towards one address",
    unit: "ports",
    use: (own) => own.portsUsed,
    max: (own) => own.portsMax,
    from: 0.4,
    full: 0.85,
    aheadMs: 12 * HOUR,
    advice:
      "Let connections live longer at the origin, give it a second address, or widen net.ipv4.ip_local_port_range.",
  },
  {
    kind: "disk",
    name: "disk under state and access log",
    unit: "bytes",
    use: (own) => own.diskBytes - own.diskFreeBytes,
    max: (own) => own.diskBytes,
    from: 0.7,
    full: 0.95,
    aheadMs: 7 * DAY,
    advice: "Rotate or move the access log, or make cache.disk and control.disk smaller.",
  },
];

const SAMPLE_MS = 10_000;
const SAMPLES_MAX = 90;
const SAMPLES_MIN = 30;
const CONFIDENCE_MIN = 0.7;
/** What was seen before the last quarter of an hour, by the hour, for a day and the hour in which it began. */
const HOURS_MAX = 25;
const YOUNG_MS: number = HOUR;
/** While young. */
const NEAR = 0.75;
const NEAR_MS: number = 10 * MINUTE;
/** Processes that were seen; those that are gone are forgotten with the oldest. */
const TELLERS_MAX = 64;

interface Teller {
  readonly node: string;
  sampledAt: number;
  readonly samples: Map<Wall, Samples>;
  own: OwnRow;
}

interface Samples {
  readonly lately: Point[];
  /** The highest of each hour before that. */
  readonly earlier: { readonly hour: number; highest: number }[];
  beganAt: number;
}

export function foreseeWalls(): Forecaster {
  const tellers = new Map<string, Teller>();
  return {
    hear(fact) {
      if (fact.kind === "second") sample(tellers, fact);
    },
    look({ now }) {
      return [...tellers].flatMap(([id, teller]) => {
        if (now - teller.sampledAt > 2 * MINUTE) return [];
        return WALLS.flatMap((wall) => lookAt(wall, id, teller, now) ?? []);
      });
    },
  };
}

function sample(tellers: Map<string, Teller>, { node, worker, at, own }: SecondFact): void {
  const id = `${node}/${worker}`;
  let teller = tellers.get(id);
  if (teller === undefined) {
    if (tellers.size >= TELLERS_MAX) tellers.delete(tellers.keys().next().value ?? "");
    teller = { node, sampledAt: -Infinity, samples: new Map(WALLS.map((wall) => [wall, newSamples(at)])), own };
    tellers.set(id, teller);
  }
  if (at - teller.sampledAt < SAMPLE_MS) return;
  teller.sampledAt = at;
  teller.own = own;
  for (const [wall, samples] of teller.samples) {
    if (wall.max(own) > 0) add(samples, { at, value: wall.use(own) });
  }
}

function newSamples(beganAt: number): Samples {
  return { lately: [], earlier: [], beganAt };
}

function add({ lately, earlier }: Samples, point: Point): void {
  lately.push(point);
  const old = lately.length > SAMPLES_MAX ? lately.shift() : undefined;
  if (old === undefined) return;
  const hour = Math.floor(old.at / HOUR);
  const last = earlier.at(-1);
  if (last?.hour === hour) last.highest = Math.max(last.highest, old.value);
  else keep(earlier, { hour, highest: old.value }, HOURS_MAX);
}

function lookAt(wall: Wall, id: string, teller: Teller, now: number): Foreseen | null {
  const samples = teller.samples.get(wall) ?? newSamples(now);
  const points = samples.lately;
  const max = wall.max(teller.own);
  const last = points.at(-1);
  const first = points[0];
  if (max <= 0 || last === undefined || first === undefined) return null;
  const part = last.value / max;
  const isFull = part >= wall.full;
  const isYoung = now - samples.beganAt < YOUNG_MS;
  const isHigh = part >= (isYoung ? NEAR : wall.from) && samples.earlier.every(({ highest }) => last.value > highest);
  const trend = isHigh && points.length >= SAMPLES_MIN ? trendOf(points) : null;
  const leftMs = trend === null || trend.slope <= 0 ? Infinity : Math.max(0, max - trend.value) / trend.slope;
  const isComing = trend !== null && leftMs <= (isYoung ? NEAR_MS : wall.aheadMs) && trend.confidence >= CONFIDENCE_MIN;
  if (!isFull && !isComing) return null;
  const where = { node: teller.node };
  return {
    id: `${wall.kind}/${id}`,
    kind: wall.kind,
    severity: severityOf(isFull, leftMs),
    title: isFull
      ? `${Math.round(part * 100)} % of the ${wall.name} of ${teller.node} are used`
      : `The ${wall.name} of ${teller.node} will be used up`,
    where,
    when: isComing ? Math.round(now + leftMs) : null,
    confidence: isFull ? 1 : (trend?.confidence ?? 0),
    evidence: [
      {
        text: `${whole(last.value)} of ${whole(max)} ${wall.unit} are used, ${whole(last.value - first.value)} more than ${Math.max(1, Math.round((last.at - first.at) / MINUTE))} min ago.`,
        cites: [
          {
            kind: "figure",
            figure: `${wall.kind} used`,
            where,
            from: first.at,
            to: last.at,
            value: last.value,
            usual: first.value,
            unit: wall.unit,
          },
        ],
      },
    ],
    advice: wall.advice,
  };
}

function severityOf(isFull: boolean, leftMs: number): Severity {
  if (isFull || leftMs < 10 * MINUTE) return "critical";
  return leftMs < 2 * HOUR ? "warning" : "notice";
}

function whole(value: number): string {
  return String(Math.round(value));
}
