/**
 * Origins that go away from their peers before anything takes them out: answers that come later and later, or fail more
 * and more, while the other addresses of the same service stay as they were. What all share is no fault of one.
 *
 * By the minute, over a quarter of an hour.
 */
import type { OriginRow, SecondFact } from "../../contract/facts.ts";
import { createHistogram } from "../../kernel/histogram.ts";
import type { Histogram } from "../../kernel/histogram.ts";
import { addSparse, clear, quantileMs } from "../sparse-histogram.ts";
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { keep, MINUTE } from "./forecaster.ts";
import { median } from "../../kernel/median.ts";
import { trendOf } from "./trend.ts";
import type { Point } from "./trend.ts";

interface Address {
  readonly service: string;
  readonly pool: string;
  readonly origin: string;
  readonly address: string;
  readonly firstByte: Histogram;
  attempts: number;
  failures: number;
  /** Of each whole minute with enough attempts. */
  readonly latencies: Point[];
  readonly failed: Point[];
  seenAt: number;
}

const MINUTES_MAX = 15;
const MINUTES_MIN = 10;
const ATTEMPTS_MIN = 30;
const ADDRESSES_MAX = 1000;
const SLOWER = 1.5;
/** A tenth of a millisecond more is half as much again, and nothing. */
const SLOWER_MS = 5;
const FAILED_MORE = 3;
const FAILED_MIN = 0.005;
const CONFIDENCE_MIN = 0.6;

export function foreseeOrigins(): Forecaster {
  const addresses = new Map<string, Address>();
  let minute = -1;
  return {
    hear(fact) {
      if (fact.kind !== "second") return;
      const now = Math.floor(fact.at / MINUTE);
      if (minute >= 0 && now > minute) closeMinute(addresses, minute * MINUTE);
      minute = Math.max(minute, now);
      for (const row of fact.origins) count(addresses, row, fact);
    },
    look({ now }) {
      const known = [...addresses.values()].filter((address) => now - address.seenAt < 5 * MINUTE);
      return known.flatMap((address) => {
        const peers = known.filter((other) => other !== address && other.service === address.service);
        return [slower(address, peers), failing(address, peers)].filter((sign) => sign !== null);
      });
    },
  };
}

function count(addresses: Map<string, Address>, row: OriginRow, { at }: SecondFact): void {
  const key = `${row.service}\n${row.pool}\n${row.origin}\n${row.address}`;
  let known = addresses.get(key);
  if (known === undefined) {
    if (addresses.size >= ADDRESSES_MAX) return;
    known = {
      service: row.service,
      pool: row.pool,
      origin: row.origin,
      address: row.address,
      firstByte: createHistogram(),
      attempts: 0,
      failures: 0,
      latencies: [],
      failed: [],
      seenAt: at,
    };
    addresses.set(key, known);
  }
  known.seenAt = at;
  known.attempts += row.attempts;
  for (const failures of Object.values(row.byCause)) known.failures += failures;
  addSparse(known.firstByte, row.firstByte);
}

function closeMinute(addresses: Map<string, Address>, at: number): void {
  for (const [key, address] of addresses) {
    // Names move: what has not been told for a while is no address of it any more.
    if (at - address.seenAt > 30 * MINUTE) addresses.delete(key);
    if (address.attempts >= ATTEMPTS_MIN) {
      const p95 = quantileMs(address.firstByte, 0.95);
      if (p95 !== null) keep(address.latencies, { at, value: p95 }, MINUTES_MAX);
      keep(address.failed, { at, value: address.failures / address.attempts }, MINUTES_MAX);
    }
    address.attempts = 0;
    address.failures = 0;
    clear(address.firstByte);
  }
}

function slower(address: Address, peers: readonly Address[]): Foreseen | null {
  const seen = against(address, peers, ({ latencies }) => latencies);
  if (seen === null) return null;
  const { usual, trend, confidence } = seen;
  if (trend.value < usual * SLOWER || trend.value - usual < SLOWER_MS) return null;
  return foreseen(address, seen, {
    kind: "latency trend",
    title: `${address.address} answers later and later`,
    text: `Its p95 to the first byte is ${rounded(trend.value)} ms and grows, while its peers' is ${rounded(usual)} ms and does not.`,
    figure: "first byte p95",
    unit: "ms",
    confidence,
    advice:
      "Look at what this origin does besides (disk, memory, a job, a noisy neighbour), or drain it: goodgate origins drain.",
  });
}

function failing(address: Address, peers: readonly Address[]): Foreseen | null {
  const seen = against(address, peers, ({ failed }) => failed);
  if (seen === null) return null;
  const { usual, trend, confidence } = seen;
  if (trend.value < FAILED_MIN || trend.value < usual * FAILED_MORE) return null;
  return foreseen(address, seen, {
    kind: "error trend",
    title: `${address.address} fails more and more`,
    text: `${rounded(trend.value * 100)} % of its attempts fail and it grows, while ${rounded(usual * 100)} % of its peers' do.`,
    figure: "failed part of attempts",
    unit: "ratio",
    confidence,
    advice:
      "See in goodgate explain --last what fails there; drain it if its peers can carry the load: goodgate origins drain.",
  });
}

interface Seen {
  readonly usual: number;
  readonly trend: Point;
  readonly confidence: number;
  readonly from: number;
}

/** Rising here, and not at the peers. Null: not so, or too little is known. */
function against(address: Address, peers: readonly Address[], pick: (of: Address) => readonly Point[]): Seen | null {
  const own = pick(address);
  const trend = own.length < MINUTES_MIN ? null : trendOf(own);
  const last = own.at(-1);
  const [first] = own;
  if (trend === null || last === undefined || first === undefined) return null;
  if (trend.slope <= 0 || trend.confidence < CONFIDENCE_MIN) return null;
  const others = peers.map(pick).filter((points) => points.length >= MINUTES_MIN);
  if (others.length === 0) return null;
  // The peers together may go the same way: then it is the load, or something that they share.
  const grown = others.map((points) => trendOf(points)).filter((one) => one !== null && one.slope > trend.slope / 3);
  if (grown.length * 2 >= others.length) return null;
  const usual = median(others.map((points) => points.at(-1)?.value ?? 0));
  return { usual, trend: { at: last.at, value: trend.value }, confidence: trend.confidence, from: first.at };
}

function foreseen(
  { service, pool, origin, address }: Address,
  { trend, usual, from }: Seen,
  words: {
    readonly kind: "latency trend" | "error trend";
    readonly title: string;
    readonly text: string;
    readonly figure: string;
    readonly unit: string;
    readonly confidence: number;
    readonly advice: string;
  },
): Foreseen {
  const where = { service, pool, origin, address };
  return {
    id: `${words.kind}/${service}/${address}`,
    kind: words.kind,
    severity: "warning",
    title: words.title,
    where,
    // When an origin that fades is taken out depends on its peers as much: no time is told.
    when: null,
    confidence: words.confidence,
    evidence: [
      {
        text: words.text,
        cites: [
          {
            kind: "figure",
            figure: words.figure,
            where,
            from,
            to: trend.at,
            value: trend.value,
            usual,
            unit: words.unit,
          },
        ],
      },
    ],
    advice: words.advice,
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
