/**
 * Where everything stands on the map: clients → gateway → pools → origins. In columns where there is room, and as a tree
 * from top to bottom on a narrow screen. Lines are as thick as what flows through them.
 */
import type { OriginView, ServiceStatusView } from "../../src/contract/view.ts";
import { rateText, ratioText } from "../words/figures.ts";
import type { Tone } from "../words/signs.ts";

export interface MapFacts {
  readonly services: readonly ServiceStatusView[];
  readonly origins: readonly OriginView[];
  /** Exchanges per second, by service. */
  readonly perSecond: ReadonlyMap<string, number>;
  /** Attempts per second; undefined: not known yet. */
  readonly rateOf: (origin: OriginView) => number | undefined;
  readonly connections: number;
}

export interface MapNode {
  readonly id: string;
  readonly kind: "clients" | "gateway" | "pool" | "origin";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly sub: string;
  /** The reason for the state, whole. */
  readonly because: string;
  readonly state: string;
  readonly tone: Tone;
}

export interface MapLine {
  readonly id: string;
  readonly path: string;
  readonly thickness: number;
  readonly tone: Tone;
  readonly isIdle: boolean;
}

export interface MapLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly MapNode[];
  readonly lines: readonly MapLine[];
}

export const COLUMNS_FROM = 700;
const ROW = 52;
const NODE = 42;
const GAP = 12;
const INDENT = 18;
const LINE_MAX = 9;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function layOutMap(facts: MapFacts, width: number): MapLayout {
  return width >= COLUMNS_FROM ? inColumns(facts, width) : asTree(facts, width);
}

function inColumns(facts: MapFacts, width: number): MapLayout {
  const nodes: MapNode[] = [];
  const lines: MapLine[] = [];
  const small = Math.round(Math.max(104, width * 0.12));
  const space = Math.round(width * 0.07);
  const poolX = 2 * (small + space);
  const poolWidth = Math.round((width - poolX - space) * 0.42);
  const originX = poolX + poolWidth + space;
  const originWidth = width - originX;
  const total = totalOf(facts);

  let y = 0;
  const pools: {
    readonly box: Box;
    readonly service: ServiceStatusView;
    readonly pool: Pool;
    readonly rate: number;
  }[] = [];
  facts.services.forEach((service, index) => {
    if (index > 0) y += GAP;
    for (const pool of service.pools) {
      const own = originsOf(facts, service, pool);
      const rows = Math.max(1, own.length);
      const box = { x: poolX, y: y + (rows * ROW - NODE) / 2, width: poolWidth, height: NODE };
      const rate = (facts.perSecond.get(service.name) ?? 0) * pool.share;
      nodes.push(poolNode(service, pool, facts, box));
      pools.push({ box, service, pool, rate });
      own.forEach((origin, row) => {
        const place = { x: originX, y: y + row * ROW + (ROW - NODE) / 2, width: originWidth, height: NODE };
        nodes.push(originNode(origin, facts, place));
        lines.push(lineTo(origin, facts, total, curve(box, place)));
      });
      y += rows * ROW;
    }
  });
  const height = Math.max(y, ROW);
  const middle = height / 2 - NODE / 2;
  const clients = { x: 0, y: middle, width: small, height: NODE };
  const gateway = { x: small + space, y: middle, width: small, height: NODE };
  nodes.unshift(clientsNode(facts, clients), gatewayNode(facts, gateway));
  lines.unshift(
    line("clients", curve(clients, gateway), total, total, "good"),
    ...pools.map(({ box, service, pool, rate }) =>
      line(`to ${service.name}/${pool.name}`, curve(gateway, box), rate, total, toneOfPool(pool)),
    ),
  );
  return { width, height, nodes, lines };
}

function asTree(facts: MapFacts, width: number): MapLayout {
  const nodes: MapNode[] = [];
  const lines: MapLine[] = [];
  const total = totalOf(facts);
  let y = 0;
  const next = (level: number): Box => {
    const box = { x: level * INDENT, y, width: width - level * INDENT, height: NODE };
    y += ROW;
    return box;
  };
  const clients = next(0);
  const gateway = next(0);
  nodes.push(clientsNode(facts, clients), gatewayNode(facts, gateway));
  lines.push(line("clients", `M${INDENT / 2} ${clients.y + NODE}V${gateway.y}`, total, total, "good"));
  for (const service of facts.services) {
    for (const pool of service.pools) {
      const box = next(1);
      const rate = (facts.perSecond.get(service.name) ?? 0) * pool.share;
      nodes.push(poolNode(service, pool, facts, box));
      lines.push(line(`to ${service.name}/${pool.name}`, elbow(gateway, box), rate, total, toneOfPool(pool)));
      for (const origin of originsOf(facts, service, pool)) {
        const place = next(2);
        nodes.push(originNode(origin, facts, place));
        lines.push(lineTo(origin, facts, total, elbow(box, place)));
      }
    }
  }
  return { width, height: y - (ROW - NODE), nodes, lines };
}

type Pool = ServiceStatusView["pools"][number];

function originsOf({ origins }: MapFacts, service: ServiceStatusView, pool: Pool): OriginView[] {
  return origins.filter((origin) => origin.service === service.name && origin.pool === pool.name);
}

function totalOf({ perSecond }: MapFacts): number {
  return [...perSecond.values()].reduce((sum, one) => sum + one, 0);
}

function clientsNode({ connections }: MapFacts, box: Box): MapNode {
  const sub = `${connections} ${connections === 1 ? "connection" : "connections"}`;
  return { id: "clients", kind: "clients", ...box, title: "Clients", sub, because: "", state: "", tone: "info" };
}

function gatewayNode(facts: MapFacts, box: Box): MapNode {
  const sub = rateText(totalOf(facts));
  return { id: "gateway", kind: "gateway", ...box, title: "Gateway", sub, because: "", state: "", tone: "info" };
}

function poolNode(service: ServiceStatusView, pool: Pool, facts: MapFacts, box: Box): MapNode {
  const rate = (facts.perSecond.get(service.name) ?? 0) * pool.share;
  const isOnly = service.pools.length === 1;
  const share = isOnly ? "" : `, ${ratioText(pool.share)} of ${service.name}`;
  return {
    id: `pool ${service.name} ${pool.name}`,
    kind: "pool",
    ...box,
    title: `${service.name} / ${pool.name}`,
    sub: `${rateText(rate)}, ${pool.available} of ${pool.origins} usable`,
    because: `${pool.available} of ${pool.origins} origins can be picked${share}. ${service.because}`,
    state: pool.available === 0 ? "nothing usable" : pool.share === 0 ? "standing by" : "in use",
    tone: toneOfPool(pool),
  };
}

function toneOfPool(pool: Pool): Tone {
  if (pool.available === 0) return "bad";
  if (pool.available < pool.origins) return "warn";
  return pool.share === 0 ? "quiet" : "good";
}

function originNode(origin: OriginView, facts: MapFacts, box: Box): MapNode {
  const worst = worstAddress(origin);
  const rate = facts.rateOf(origin);
  const state = worst?.state ?? "no address";
  return {
    id: `origin ${origin.service} ${origin.pool} ${origin.origin}`,
    kind: "origin",
    ...box,
    title: origin.origin.replace(/^http:\/\//, ""),
    sub: [state, rate === undefined ? "" : rateText(rate), worst?.because ?? origin.resolution]
      .filter((part) => part !== "")
      .join(", "),
    because: worst?.because ?? origin.resolution,
    state,
    tone: toneOfOrigin(origin),
  };
}

const ORDER = ["down", "ejected", "probation", "ramping", "drained", "up"] as const;

/** The address that is worst off: what somebody has to see of an origin that has several. */
export function worstAddress(origin: OriginView): OriginView["addresses"][number] | null {
  return origin.addresses.toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state))[0] ?? null;
}

/** Of the address that is worst off. */
export function toneOfOrigin(origin: OriginView): Tone {
  switch (worstAddress(origin)?.state) {
    case undefined:
    case "down":
    case "ejected":
      return "bad";
    case "probation":
    case "ramping":
      return "warn";
    case "drained":
      return "quiet";
    case "up":
      return "good";
  }
}

function lineTo(origin: OriginView, facts: MapFacts, total: number, path: string): MapLine {
  const id = `to ${origin.service}/${origin.pool}/${origin.origin}`;
  return line(id, path, facts.rateOf(origin) ?? 0, total, toneOfOrigin(origin));
}

function line(id: string, path: string, rate: number, total: number, tone: Tone): MapLine {
  const part = total > 0 ? Math.min(1, rate / total) : 0;
  return { id, path, thickness: 1.5 + (LINE_MAX - 1.5) * Math.sqrt(part), tone, isIdle: rate <= 0 };
}

function curve(from: Box, to: Box): string {
  const x = from.x + from.width;
  const y = from.y + from.height / 2;
  const endY = to.y + to.height / 2;
  const bend = (to.x - x) / 2;
  return `M${x} ${y}C${x + bend} ${y} ${to.x - bend} ${endY} ${to.x} ${endY}`;
}

function elbow(from: Box, to: Box): string {
  const x = from.x + INDENT / 2;
  return `M${x} ${from.y + from.height}V${to.y + to.height / 2}H${to.x}`;
}
