/** An origin that answers, but slower than its peers, in a whole gateway. */
import { describe, expect, it } from "vitest";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ORIGINS = ["http://10.0.0.1", "http://10.0.0.2", "http://10.0.0.3"];

function world(service: MemoryGatewayOptions["service"] = {}): Promise<MemoryGateway> {
  return memoryGateway({ origins: ORIGINS, chance: seededChance(7), service: { health: false, ...service } });
}

/** One request, answered at once. Returns the address that got it. */
function quick(gateway: MemoryGateway, head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"): string {
  return begin(gateway, head).answer();
}

interface Begun {
  readonly address: string;
  /** Lets the origin answer, and returns its address. */
  answer(): string;
  leave(): void;
}

function begin(gateway: MemoryGateway, head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"): Begun {
  const client = gateway.client();
  client.send(head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  const origin = gateway.origin(gateway.network.dialled.length);
  return {
    address: origin.address,
    answer() {
      origin.send(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
      return origin.address;
    },
    leave: () => client.rst(),
  };
}

/** Traffic for a while: the origins of `slow` never answer, the others after 10 ms. What was left unanswered. */
function traffic(gateway: MemoryGateway, ms: number, slow: (address: string) => boolean): Begun[] {
  const stuck: Begun[] = [];
  for (let passed = 0; passed < ms; passed += 10) {
    const begun = Array.from({ length: 9 }, () => begin(gateway));
    gateway.advance(10);
    for (const each of begun) {
      if (slow(each.address)) stuck.push(each);
      else each.answer();
    }
  }
  return stuck;
}

function state(gateway: MemoryGateway): { state: string; because: string } | undefined {
  return gateway.gateway.view.origins()[0]?.addresses[0];
}

const isFirst = (address: string): boolean => address === "10.0.0.1:80";

describe("an origin that lets requests wait while its peers answer", () => {
  it("is out within a second, by what waits there, though nothing has failed", async () => {
    const gateway = await world();
    traffic(gateway, 3_000, () => false);
    const stuck = traffic(gateway, 1_000, isFirst);
    expect(stuck.length).toBeLessThan(100);
    expect(state(gateway)).toMatchObject({ state: "ejected" });
    expect(state(gateway)?.because).toMatch(
      /^its last \d+ requests took longer than 1\d\d ms, and 0 of \d+ at its peers; out for/,
    );
    expect(gateway.records.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  });

  it("stays while requests are turned away for lack of room: then the slowest is the one that was given most", async () => {
    const gateway = await world({ overload: { concurrency: 40, queueWait: { calm: "10ms" } } });
    traffic(gateway, 3_000, () => false);
    const all = Array.from({ length: 120 }, () => begin(gateway));
    const client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    gateway.advance(50);
    expect(client.received).toContain("503");
    for (const each of all) each.answer();
    traffic(gateway, 200, isFirst);
    gateway.advance(1_000);
    quick(gateway);
    expect(state(gateway)).toMatchObject({ state: "up" });
  });

  it("is tried with one request after a while, which has to be quick", async () => {
    const gateway = await world();
    traffic(gateway, 3_000, () => false);
    traffic(gateway, 1_000, isFirst);
    gateway.advance(1_000);
    const probation = begin(gateway);
    expect(probation.address).toBe("10.0.0.1:80");
    gateway.advance(1_000);
    quick(gateway);
    expect(state(gateway)?.because).toMatch(/^the request that tried it was slow again; out for/);
    probation.answer();
    expect(state(gateway)?.state).toBe("ejected");
    gateway.advance(2_100);
    expect(quick(gateway)).toBe("10.0.0.1:80");
    expect(state(gateway)?.state).toBe("ramping");
  });

  it("is found by clients that do not wait for it, too", async () => {
    const gateway = await world();
    traffic(gateway, 3_000, () => false);
    for (let round = 0; round < 100 && state(gateway)?.state === "up"; round += 1) {
      const begun = Array.from({ length: 9 }, () => begin(gateway));
      gateway.advance(10);
      for (const each of begun) if (!isFirst(each.address)) each.answer();
      gateway.advance(140);
      for (const each of begun) if (isFirst(each.address)) each.leave();
    }
    expect(state(gateway)).toMatchObject({ state: "ejected" });
  });

  it("is not, where waiting is what was asked for", async () => {
    const gateway = await world({ routes: [{ match: { path: "/*" }, timeouts: { firstByte: false } }] });
    traffic(gateway, 3_000, () => false);
    traffic(gateway, 2_000, isFirst);
    expect(state(gateway)?.state).toBe("up");
  });

  it("is not, when it is not to be", async () => {
    const gateway = await world({ ejection: { slow: false } });
    traffic(gateway, 3_000, () => false);
    traffic(gateway, 2_000, isFirst);
    expect(state(gateway)?.state).toBe("up");
  });

  it("is not blamed for a pause of some hundred milliseconds", async () => {
    const gateway = await world();
    traffic(gateway, 3_000, () => false);
    for (const each of traffic(gateway, 300, isFirst)) each.answer();
    traffic(gateway, 2_000, () => false);
    expect(state(gateway)?.state).toBe("up");
  });

  it("is not, when all are slow alike", async () => {
    const gateway = await world();
    traffic(gateway, 3_000, () => false);
    const stuck = traffic(gateway, 2_000, () => true);
    for (const each of stuck) each.answer();
    const origins = gateway.gateway.view.origins();
    expect(origins.flatMap(({ addresses }) => addresses.map((address) => address.state))).toEqual(["up", "up", "up"]);
  });

  it.each([true, false])("is found by those who answered in its place (hedging: %s)", async (isHedged) => {
    const gateway = await world(isHedged ? {} : { hedge: false });
    traffic(gateway, 3_000, () => false);
    // Its clients are patient for less than what counts as slow, unless another origin answers them.
    for (let round = 0; round < 60 && state(gateway)?.state === "up"; round += 1) {
      const known = gateway.network.dialled.length;
      const clients = Array.from({ length: 9 }, () => gateway.client());
      for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      for (let passed = 0; passed < 80; passed += 10) {
        gateway.advance(10);
        for (let number = known + 1; number <= gateway.network.dialled.length; number += 1) {
          const origin = gateway.origin(number);
          if (!isFirst(origin.address) && origin.take() !== "") {
            origin.send(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
          }
        }
      }
      for (const client of clients) client.rst();
      gateway.advance(20);
    }
    expect(state(gateway)?.state).toBe(isHedged ? "ejected" : "up");
  });
});
