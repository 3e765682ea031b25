import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChangeFact, Fact, SecondFact, TopologyFact } from "../contract/facts.ts";
import { CLIENT_ROWS_MAX, FAILURE_ROWS_MAX, SAMPLES_MAX } from "../contract/facts.ts";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import { sampleRecord } from "../../test/support/sample-record.ts";
import { BUCKETS, createHistogram, recordDuration } from "../kernel/histogram.ts";
import { ClientRows } from "./client-rows.ts";
import { HistogramSeen } from "./counter-differences.ts";
import { FailureRows } from "./failure-rows.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BROKEN = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno";

interface Scene {
  readonly world: MemoryGateway;
  /** One exchange that the newest connection to an origin answers. */
  ask(answer: string, from?: string): void;
  /** What is told within so many seconds from now. */
  seconds(count?: number): SecondFact[];
}

async function scene(options: MemoryGatewayOptions = {}): Promise<Scene> {
  const world = await memoryGateway(options);
  return {
    world,
    ask(answer, from) {
      const client = world.client(from);
      client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      world.network.dialled.at(-1)?.send(answer);
      world.network.settle();
    },
    seconds(count = 1) {
      const before = world.facts.length;
      world.advance(count * 1_000);
      return secondsOf(world.facts.slice(before));
    },
  };
}

function secondsOf(facts: readonly Fact[]): SecondFact[] {
  return facts.filter((fact) => fact.kind === "second");
}

function changesOf(facts: readonly Fact[]): ChangeFact[] {
  return facts.filter((fact) => fact.kind === "change");
}

describe("a gateway that starts", () => {
  it("tells what there is, and that it has started", async () => {
    const { world } = await scene({
      service: {
        pools: [
          { name: "one", provider: "cloud-a", origins: ["http://10.0.0.1"] },
          { name: "two", origins: ["http://10.0.0.2"] },
        ],
        objective: { availability: "99.5%", latency: "250ms" },
        routes: [{ name: "pay", match: { path: "/pay/*" }, class: "critical" }],
      },
    });
    const topology = world.facts.find((fact): fact is TopologyFact => fact.kind === "topology");
    expect(topology).toMatchObject({ node: "test-node", worker: 0, revision: "0123456789ab" });
    expect(topology?.services).toEqual([
      {
        name: "test",
        hosts: ["*"],
        objective: { availability: 0.995, latencyMs: 250, latencyRatio: 0.99 },
        routes: [
          { name: "pay", class: "critical" },
          { name: "default", class: "normal" },
        ],
        pools: [
          { name: "one", provider: "cloud-a", origins: ["http://10.0.0.1"] },
          { name: "two", provider: "two", origins: ["http://10.0.0.2"] },
        ],
      },
    ]);
    expect(changesOf(world.facts)).toMatchObject([{ what: "gateway started", where: { node: "test-node" } }]);
  });

  it("tells a service without an objective as one", async () => {
    const { world } = await scene();
    const topology = world.facts.find((fact): fact is TopologyFact => fact.kind === "topology");
    expect(topology?.services[0]?.objective).toBe(null);
  });
});

describe("each second", () => {
  it("is told although nothing happens, with every address as it stands", async () => {
    const { world, seconds } = await scene();
    const told = seconds(3);
    expect(told).toHaveLength(3);
    expect(told[1]?.at).toBe((told[0]?.at ?? 0) + 1000);
    for (const one of told) {
      expect(one).toMatchObject({ lengthMs: 1000, traffic: [], failures: [], clients: [], samples: [], lost: 0 });
      expect(one.origins).toMatchObject([
        { service: "test", pool: "main", provider: "main", origin: "http://10.0.0.1", address: "10.0.0.1:80" },
      ]);
      expect(one.origins[0]).toMatchObject({ family: "IPv4", attempts: 0, firstByte: [], state: "up", share: 1 });
    }
    expect(world.faults).toEqual([]);
  });

  it("has what was served since the one before, and nothing twice", async () => {
    const { ask, seconds } = await scene();
    ask(OK);
    ask(OK);
    const [first, second] = seconds(2);
    expect(first?.traffic).toMatchObject([
      { service: "test", route: "default", class: "normal", retries: 0, retriesRefusedByBudget: 0 },
    ]);
    expect(first?.traffic[0]?.byOutcome).toEqual({ served: 2, rescued: 0, failed: 0, refused: 0, aborted: 0 });
    expect(first?.traffic[0]?.duration.reduce((sum, [, count]) => sum + count, 0)).toBe(2);
    expect(first?.origins[0]).toMatchObject({ attempts: 2, byCause: {} });
    expect(first?.origins[0]?.firstByte.reduce((sum, [, count]) => sum + count, 0)).toBe(2);
    expect(first?.failures).toEqual([]);
    expect(first?.clients).toMatchObject([{ exchanges: 2, failed: 0 }]);
    expect(second?.traffic).toEqual([]);
    expect(second?.origins[0]).toMatchObject({ attempts: 0, firstByte: [] });
    expect(second?.clients).toEqual([]);
  });

  it("has what failed by all dimensions, with the exchange as a sample", async () => {
    const { ask, seconds, world } = await scene({ service: { retry: false } });
    ask(BROKEN, "192.0.2.77");
    const [told] = seconds();
    expect(told?.failures).toEqual([
      {
        outcome: "failed",
        cause: "origin.app_5xx",
        party: world.records[0]?.party,
        service: "test",
        route: "default",
        class: "normal",
        pool: "main",
        origin: "http://10.0.0.1",
        address: "10.0.0.1:80",
        family: "IPv4",
        clientNetwork: "192.0.2.0/24",
        innerGateway: "",
        count: 1,
      },
    ]);
    expect(told?.traffic[0]).toMatchObject({ byOutcome: { failed: 1, served: 0 }, byCause: { "origin.app_5xx": 1 } });
    expect(told?.samples.map(({ id }) => id)).toEqual(world.records.map(({ id }) => id));
    expect(told?.clients).toEqual([{ network: "192.0.2.0/24", exchanges: 1, failed: 1 }]);
  });

  it("says which gateway an answer shows, without what is different in each answer", async () => {
    const { ask, seconds } = await scene({ service: { retry: false, ejection: false } });
    const answer = (fields: string): string => BROKEN.replace("Content-Length", `${fields}\r\nContent-Length`);
    ask(answer("CF-RAY: 1a"));
    ask(answer("CF-RAY: 2b"));
    ask(answer("Server: awselb/2.0"));
    const [told] = seconds();
    expect(told?.failures.map(({ innerGateway, count }) => [innerGateway, count])).toEqual([
      ["between: cf-ray", 2],
      ["made: Server: awselb/2.0", 1],
    ]);
  });

  it("blames a rescued exchange on the attempt that failed, not on the origin that did well", async () => {
    const { world, seconds } = await scene({ origins: ["http://10.0.0.1", "http://10.0.0.2"] });
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const culprit = world.records.length;
    expect(culprit).toBe(0);
    world.origin(1).refuse("ECONNREFUSED");
    world.origin(2).accept();
    world.origin(2).send(OK);
    expect(world.records[0]).toMatchObject({ outcome: "rescued" });
    const failed = world.records[0]?.attempts[0];
    const [told] = seconds();
    expect(told?.failures).toMatchObject([
      { outcome: "rescued", cause: "origin.refused", origin: failed?.origin, address: failed?.address, count: 1 },
    ]);
  });

  it("counts what no route took without a service", async () => {
    const { world, seconds } = await scene();
    world.client().send("GET / HTTP/1.1\r\nBad Name: x\r\n\r\n");
    const [told] = seconds();
    expect(told?.traffic).toMatchObject([{ service: "", route: "", class: "", byOutcome: { refused: 1 } }]);
    expect(told?.failures).toMatchObject([
      { outcome: "refused", cause: "client.bad_request", service: "", origin: "" },
    ]);
  });

  it("says how late the loop was in it", async () => {
    const { seconds, world } = await scene();
    seconds();
    // A stall: time passes and nobody is called until it is over.
    const before = world.facts.length;
    world.stall(3_000);
    world.advance(1_000);
    const told = secondsOf(world.facts.slice(before));
    expect(told.reduce((sum, { lengthMs }) => sum + lengthMs, 0)).toBeGreaterThan(3_900);
    expect(Math.max(...told.map(({ own }) => own.loopDelayMaxMs))).toBeGreaterThan(2_500);
    expect(seconds()[0]?.own.loopDelayMaxMs).toBeLessThan(100);
  });
});

describe("changes and events", () => {
  it("tells a name that leads elsewhere, and not the first answer", async () => {
    const world = await memoryGateway({ origins: ["http://app.test"] });
    world.names.answer("app.test", ["10.0.0.1"]);
    world.advance(1_000);
    expect(changesOf(world.facts).map(({ what }) => what)).toEqual(["gateway started"]);
    world.names.answer("app.test", ["10.0.0.1", "10.0.0.2"]);
    expect(changesOf(world.facts).at(-1)).toMatchObject({
      what: "dns answer changed",
      where: { service: "test", pool: "main", origin: "http://app.test" },
      text: "app.test leads to 10.0.0.1, 10.0.0.2, not to 10.0.0.1",
    });
    const ids = changesOf(world.facts).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("tells what a person did to an origin, and who it was", async () => {
    const { world } = await scene({ origins: ["http://10.0.0.1", "http://10.0.0.2"] });
    const order = { service: "test", origin: "http://10.0.0.1", by: "ann", reason: "new disk" };
    expect(world.gateway.actions.drainOrigin({ ...order, forMs: 60_000 })).toMatchObject({ done: true });
    const where = { service: "test", origin: "http://10.0.0.1" };
    expect(changesOf(world.facts).at(-1)).toMatchObject({ what: "action", where, by: "ann" });
    expect(changesOf(world.facts).at(-1)?.text).toContain("new disk");
    world.gateway.actions.restoreOrigin(order);
    expect(changesOf(world.facts).at(-1)?.text).toContain("restored");
  });

  it("passes on what the gateway tells of its origins", async () => {
    const { ask, world } = await scene({ service: { retry: false }, origins: ["http://10.0.0.1", "http://10.0.0.2"] });
    for (let time = 0; time < 12; time += 1) ask(BROKEN);
    expect(world.facts).toContainEqual(
      expect.objectContaining({ kind: "event", event: expect.objectContaining({ kind: "origin", state: "ejected" }) }),
    );
    expect(world.facts.some((fact) => fact.kind === "event" && (fact.event.kind as string) === "exchange")).toBe(false);
  });

  it("tells that it stops, and what was counted until then", async () => {
    const { ask, world } = await scene();
    ask(OK);
    const drained = world.gateway.drain();
    await world.gateway.close();
    expect(changesOf(world.facts).at(-1)?.what).toBe("gateway stopped");
    world.advance(31_000);
    await drained;
    const served = secondsOf(world.facts).flatMap(({ traffic }) => traffic.map(({ byOutcome }) => byOutcome.served));
    expect(served).toEqual([1]);
  });
});

describe("bounds", () => {
  const failed = (
    id: number,
    cause: "origin.app_5xx" | "origin.refused",
    address: string,
  ): ReturnType<typeof sampleRecord> => {
    return { ...sampleRecord(), outcome: "failed", cause, clientAddress: address, attempts: [], id: String(id) };
  };

  it("a flood from many networks leaves room for a second fault, and what has none is counted", () => {
    const rows = new FailureRows();
    for (let at = 0; at < 10_000; at += 1) {
      rows.add(failed(at, "origin.app_5xx", ""), "failed", "normal", `10.${at >> 8}.${at & 255}.0/24`);
    }
    expect(rows.add(failed(1, "origin.refused", ""), "failed", "normal", "192.0.2.0/24")).toBe(true);
    const taken = rows.take();
    expect(taken.length).toBeLessThanOrEqual(FAILURE_ROWS_MAX);
    expect(taken.reduce((sum, { count }) => sum + count, 0)).toBe(10_001);
    expect(taken.find(({ cause }) => cause === "origin.refused")).toMatchObject({ count: 1, clientNetwork: "" });
    expect(rows.take()).toEqual([]);
  });

  it("past the last row exchanges are lost and said to be", () => {
    const rows = new FailureRows();
    for (let at = 0; at < 2_000; at += 1) {
      rows.add({ ...failed(at, "origin.app_5xx", ""), route: `route-${at}` }, "failed", "normal", "192.0.2.0/24");
    }
    expect(rows.lost).toBe(2_000 - FAILURE_ROWS_MAX);
    expect(rows.take()).toHaveLength(FAILURE_ROWS_MAX);
    expect(rows.lost).toBe(0);
  });

  it("samples are few, and a kind that is new still finds room", async () => {
    const { ask, seconds, world } = await scene({ service: { retry: false, ejection: false } });
    for (let time = 0; time < 40; time += 1) ask(BROKEN);
    world.client().send("GET / HTTP/1.1\r\nBad Name: x\r\n\r\n");
    const [told] = seconds();
    expect(told?.samples.length).toBeLessThan(SAMPLES_MAX);
    expect(told?.samples.at(-1)?.cause).toBe("client.bad_request");
    expect(told?.lost).toBe(0);
  });

  it("networks are told busiest first, and an estimate of many is near what they were", () => {
    const clients = new ClientRows();
    let passOver = 0;
    let looks = 0;
    const second = (): ReturnType<ClientRows["take"]> => {
      for (let at = 0; at < 20_000; at += 1) {
        passOver -= 1;
        if (passOver > 0) continue;
        looks += 1;
        // Three clients that take turns, one of which comes twice.
        passOver = clients.sample(["192.0.2.1", "198.51.100.1", "192.0.2.9", "203.0.113.1"][at % 4] ?? "");
      }
      return clients.take(1_000);
    };
    expect(second().map(({ exchanges }) => exchanges)).toEqual([10_000, 5_000, 5_000]);
    // From now on one in forty is looked at.
    second();
    looks = 0;
    const estimated = second();
    expect(looks).toBeGreaterThan(300);
    expect(looks).toBeLessThan(800);
    expect(estimated[0]?.network).toBe("192.0.2.0/24");
    for (const [index, real] of [10_000, 5_000, 5_000].entries()) {
      expect(Math.abs((estimated[index]?.exchanges ?? 0) - real)).toBeLessThan(real / 4);
    }
    expect(clients.take(1_000)).toEqual([]);
  });

  it("of more networks than are told the busiest are", () => {
    const clients = new ClientRows();
    for (let at = 0; at < 1_000; at += 1) clients.add(`10.0.${at % 200}.0/24`, at % 200 === 7);
    clients.add("10.0.9.0/24", false);
    const rows = clients.take(1_000);
    expect(rows).toHaveLength(CLIENT_ROWS_MAX);
    expect(rows[0]).toEqual({ network: "10.0.9.0/24", exchanges: 6, failed: 0 });
  });

  it.each([
    ["192.0.2.77", "192.0.2.0/24"],
    ["2001:db8:1:2::3", "2001:db8:1::/48"],
    ["::ffff:192.0.2.77", "192.0.2.0/24"],
    ["unknown", "unknown"],
    ["x".repeat(500), "x".repeat(64)],
  ])("the network of %s is %s", (address, network) => {
    expect(new ClientRows().networkOf(address)).toBe(network);
  });
});

describe("a histogram's growth", () => {
  it("adds up to the histogram, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 2 ** 31 }), { maxLength: 20 }), { maxLength: 10 }),
        (all) => {
          const histogram = createHistogram();
          const seen = new HistogramSeen();
          const sum = new Float64Array(BUCKETS);
          let sumUs = 0;
          for (const part of all) {
            for (const us of part) recordDuration(histogram, us);
            const grown = seen.since(histogram);
            sumUs += seen.sumUs;
            for (const [bucket, count] of grown) sum[bucket] = (sum[bucket] ?? 0) + count;
            expect(grown.map(([bucket]) => bucket)).toEqual(grown.map(([bucket]) => bucket).toSorted((a, b) => a - b));
          }
          expect(sum).toEqual(histogram.counts);
          expect(sumUs).toBe(histogram.sumUs);
        },
      ),
    );
  });
});

describe("the certificates that listeners show", () => {
  it("are told once a minute, and at once when they were read again, which is a change", async () => {
    const shown = {
      listener: "main",
      file: "shop.pem",
      names: ["shop.test"],
      issuer: "CN=CA",
      notBefore: 0,
      notAfter: 1,
      chainUntil: 0,
      isChainCut: false,
    };
    const world = await memoryGateway({ certificates: () => [shown] });
    world.advance(10_000);
    const told = (): number => secondsOf(world.facts).filter(({ certificates }) => certificates !== undefined).length;
    expect(told()).toBe(1);
    expect(secondsOf(world.facts)[0]?.certificates).toEqual([shown]);
    world.advance(60_000);
    expect(told()).toBe(2);
    world.gateway.tell("certificate.reloaded", "main shows shop.test until 2030-01-01");
    world.advance(2_000);
    expect(told()).toBe(3);
    expect(changesOf(world.facts).filter(({ what }) => what === "certificate changed")).toMatchObject([
      { text: "main shows shop.test until 2030-01-01" },
    ]);
  });
});
