/** What a disturbance did to clients, added up second by second from its first failure to its last. */
import type { SecondFact, TopologyFact } from "../contract/facts.ts";
import type { Impact } from "../contract/incident.ts";
import { createHistogram } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import { addSparse, clear, quantileMs } from "./sparse-histogram.ts";
import { exchangesOf } from "./fact-sums.ts";
import type { Watches } from "./watches.ts";

export interface Harm {
  failed: number;
  rescued: number;
  left: number;
  exchanges: number;
  readonly failedByClass: Record<string, number>;
  readonly failedByService: Record<string, number>;
  readonly networks: Set<string>;
  networksMore: boolean;
  before: number | null;
  worst: number;
  /** Of ten seconds. */
  readonly durations: Histogram;
  seconds: number;
  /** Of the last seconds, faded: how bad it is now. */
  recentFailed: number;
  recentExchanges: number;
}

const NETWORKS_MAX = 1_000;
const LATENCY_WINDOW_S = 10;
const KEEP_RECENT = 0.5 ** (1 / 10);
const DAY_S = 86_400;
const BUDGET_DAYS = 30;

export function createHarm(): Harm {
  return {
    failed: 0,
    rescued: 0,
    left: 0,
    exchanges: 0,
    // A service may be called like what every object has.
    failedByClass: emptyCounts(),
    failedByService: emptyCounts(),
    networks: new Set(),
    networksMore: false,
    before: null,
    worst: 0,
    durations: createHistogram(),
    seconds: 0,
    recentFailed: 0,
    recentExchanges: 0,
  };
}

/** `services`: empty for all. */
export function addHarm(
  harm: Harm,
  facts: readonly SecondFact[],
  services: ReadonlySet<string>,
  watches: Watches,
): void {
  let failed = 0;
  let exchanges = 0;
  for (const fact of facts) {
    for (const row of fact.traffic) {
      if (row.service === "" || (services.size > 0 && !services.has(row.service))) continue;
      exchanges += exchangesOf(row);
      harm.rescued += row.byOutcome.rescued;
      harm.left += row.byOutcome.aborted;
      addSparse(harm.durations, row.duration);
      if (row.byOutcome.failed === 0) continue;
      failed += row.byOutcome.failed;
      harm.failedByClass[row.class] = (harm.failedByClass[row.class] ?? 0) + row.byOutcome.failed;
      harm.failedByService[row.service] = (harm.failedByService[row.service] ?? 0) + row.byOutcome.failed;
    }
    for (const { outcome, service, clientNetwork } of fact.failures) {
      if (outcome !== "failed" || clientNetwork === "" || (services.size > 0 && !services.has(service))) continue;
      if (harm.networks.size < NETWORKS_MAX) harm.networks.add(clientNetwork);
      else if (!harm.networks.has(clientNetwork)) harm.networksMore = true;
    }
    if (fact.lost > 0) harm.networksMore = true;
  }
  harm.failed += failed;
  harm.exchanges += exchanges;
  harm.recentFailed = harm.recentFailed * KEEP_RECENT + failed;
  harm.recentExchanges = harm.recentExchanges * KEEP_RECENT + exchanges;
  harm.seconds += 1;
  harm.before ??= usualP95(services, watches);
  if (harm.seconds % LATENCY_WINDOW_S !== 0) return;
  harm.worst = Math.max(harm.worst, quantileMs(harm.durations, 0.95) ?? 0);
  clear(harm.durations);
}

/** What two had of clients of different services. */
export function addUp(to: Harm, from: Harm): void {
  to.failed += from.failed;
  to.rescued += from.rescued;
  to.left += from.left;
  to.exchanges += from.exchanges;
  addCounts(to.failedByClass, from.failedByClass);
  addCounts(to.failedByService, from.failedByService);
  to.networksMore ||= from.networksMore;
  for (const network of from.networks) {
    if (to.networks.size < NETWORKS_MAX) to.networks.add(network);
    else if (!to.networks.has(network)) to.networksMore = true;
  }
}

function addCounts(to: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(from)) to[name] = (to[name] ?? 0) + count;
}

export function impactOf(harm: Harm, topology: TopologyFact["services"], watches: Watches): Impact {
  const budgetSpent: Record<string, number> = {};
  for (const { name, objective } of topology) {
    const failed = harm.failedByService[name];
    const perSecond = watches.services.get(name)?.normal.perSecond ?? 0;
    if (objective === null || failed === undefined || perSecond <= 0) continue;
    // Of what thirty days as usual may lose.
    budgetSpent[name] = failed / (perSecond * DAY_S * BUDGET_DAYS * (1 - objective.availability));
  }
  const worst = Math.max(harm.worst, harm.seconds < LATENCY_WINDOW_S ? (quantileMs(harm.durations, 0.95) ?? 0) : 0);
  return {
    failed: harm.failed,
    rescued: harm.rescued,
    failedByClass: { ...harm.failedByClass },
    exchanges: harm.exchanges,
    clientNetworks: harm.networks.size,
    clientNetworksMore: harm.networksMore,
    budgetSpent,
    latencyP95Ms: harm.before === null || worst === 0 ? null : { before: harm.before, worst },
  };
}

function emptyCounts(): Record<string, number> {
  return Object.create(null) as Record<string, number>; // Typed as any, though it is empty.
}

function usualP95(services: ReadonlySet<string>, watches: Watches): number | null {
  let p95: number | null = null;
  for (const { service, normal } of watches.services.values()) {
    if (services.size > 0 && !services.has(service)) continue;
    p95 = Math.max(p95 ?? 0, quantileMs(normal.durations, 0.95) ?? 0);
  }
  return p95 === 0 ? null : p95;
}
