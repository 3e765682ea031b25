import { describe, expect, it } from "vitest";
import type { TopologyFact } from "../contract/facts.ts";
import { wishesOf } from "./wishes.ts";

const pool = (
  name: string,
  provider: string,
  ...origins: string[]
): TopologyFact["services"][number]["pools"][number] => ({
  name,
  provider,
  origins,
});
const service = (name: string, ...pools: ReturnType<typeof pool>[]): TopologyFact["services"][number] => ({
  name,
  objective: null,
  routes: [],
  pools,
});

const TOPOLOGY = [
  service(
    "shop",
    pool("first", "alpha", "http://a1.test:3000", "http://a1.test:3001", "http://a2.test:3000", "http://a3.test:3000"),
    pool("second", "beta", "http://b1.test:3000"),
  ),
  service("mail", pool("only", "alpha", "http://m1.test:25")),
];

/** Service and origin of each. */
function wished(where: Record<string, string>, services: string[] = ["shop"]): string[] {
  return wishesOf({ where, services, title: "it fails" }, TOPOLOGY).map((wish) => `${wish.service} ${wish.origin}`);
}

describe("an incident wishes for the ladder", () => {
  it("at the origin that it points at", () => {
    expect(wished({ service: "shop", origin: "http://a2.test:3000" })).toEqual(["shop http://a2.test:3000"]);
    expect(wished({ origin: "http://a2.test:3000" })).toEqual(["shop http://a2.test:3000"]);
  });

  it("at two origins of the provider that it points at, on different hosts", () => {
    expect(wished({ service: "shop", provider: "alpha" })).toEqual([
      "shop http://a1.test:3000",
      "shop http://a2.test:3000",
    ]);
    expect(wished({ provider: "alpha" }, ["mail", "shop"])).toEqual([
      "shop http://a1.test:3000",
      "shop http://a2.test:3000",
    ]);
    expect(wished({ service: "mail", provider: "alpha" }, ["mail"])).toEqual(["mail http://m1.test:25"]);
  });

  it("at origins of the pool or of those that it names, and of no other", () => {
    expect(wished({ service: "shop", pool: "second", provider: "beta" })).toEqual(["shop http://b1.test:3000"]);
    expect(wished({ service: "shop", origin: "http://a1.test:3001, http://a1.test:3000" })).toEqual([
      "shop http://a1.test:3000",
      "shop http://a1.test:3001",
    ]);
    expect(wished({ service: "shop", pool: "gone" })).toEqual([]);
  });

  it("nowhere when it points at no place where anything could be asked", () => {
    expect(wished({ service: "shop" })).toEqual([]);
    expect(wished({})).toEqual([]);
    expect(wished({ origin: "http://a2.test:3000" }, [])).toEqual([]);
  });
});
