import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleView } from "../../test/support/sample-view.ts";
import { COLUMNS_FROM, layOutMap, worstAddress } from "./map-layout.ts";
import type { MapFacts } from "./map-layout.ts";

const view = sampleView();
const facts = (changes: Partial<MapFacts> = {}): MapFacts => ({
  services: view.statusNow.services,
  origins: view.originsNow,
  perSecond: new Map([
    ["shop", 90],
    ["blog", 10],
  ]),
  rateOf: ({ service }) => (service === "shop" ? 45 : 0),
  connections: 3,
  ...changes,
});

describe("the map", () => {
  test("has every pool and every origin once, with its state and the reason", () => {
    const { nodes } = layOutMap(facts(), 1000);
    const pools = view.statusNow.services.flatMap(({ pools }) => pools);
    expect(nodes.filter(({ kind }) => kind === "pool")).toHaveLength(pools.length);
    expect(nodes.filter(({ kind }) => kind === "origin")).toHaveLength(view.originsNow.length);
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
    expect(nodes.find(({ title }) => title === "127.0.0.1:3001")).toMatchObject({
      state: "down",
      tone: "bad",
      because: expect.stringContaining("3 connect checks in a row failed") as string,
    });
    expect(nodes.find(({ title }) => title === "g1.shop.example.org")).toMatchObject({
      state: "no address",
      tone: "bad",
    });
  });

  test("nothing lies over anything else or beyond the edge, at any width", () => {
    fc.assert(
      fc.property(fc.integer({ min: 240, max: 2000 }), (width) => {
        const { nodes, height } = layOutMap(facts(), width);
        for (const [index, one] of nodes.entries()) {
          expect(one.x).toBeGreaterThanOrEqual(0);
          expect(one.x + one.width).toBeLessThanOrEqual(width + 1);
          expect(one.y + one.height).toBeLessThanOrEqual(height + 1);
          for (const other of nodes.slice(index + 1)) {
            const apart =
              one.x + one.width <= other.x ||
              other.x + other.width <= one.x ||
              one.y + one.height <= other.y ||
              other.y + other.height <= one.y;
            expect(apart, `${one.id} and ${other.id}`).toBe(true);
          }
        }
      }),
    );
  });

  test("lines are as thick as what flows, and dashed where nothing does", () => {
    const { lines } = layOutMap(facts(), COLUMNS_FROM);
    const thickness = (id: string): number => lines.find((line) => line.id === id)?.thickness ?? 0;
    expect(thickness("clients")).toBeGreaterThan(thickness("to shop/blue"));
    expect(thickness("to shop/blue")).toBeGreaterThan(thickness("to blog/main"));
    expect(lines.find(({ id }) => id === "to shop/green")?.isIdle).toBe(true);
  });

  test("of an origin with several addresses the one that is worst off is shown", () => {
    const two = view.originsNow.find(({ addresses }) => addresses.length === 2);
    expect(worstAddress(two!)?.state).toBe("probation");
  });

  test("without traffic and without services it is still a map", () => {
    const none = layOutMap(facts({ services: [], origins: [], perSecond: new Map() }), 320);
    expect(none.nodes.map(({ kind }) => kind)).toEqual(["clients", "gateway"]);
    expect(none.lines.every(({ thickness }) => Number.isFinite(thickness))).toBe(true);
  });
});
