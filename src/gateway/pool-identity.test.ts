/** Addresses that have to show who they are before they are used, in a whole gateway. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";

const OK = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const HEALTH = { path: "/healthz", expect: { header: "X-Service", value: "shop" } };

/** One exchange; the address that answered, or the cause. */
function exchange(world: MemoryGateway, refuse: (address: string) => boolean = () => false): string {
  world.network.acceptAtOnce = false;
  const client = world.client();
  const known = world.network.dialled.length;
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (let number = known + 1; number <= world.network.dialled.length; number += 1) {
    const origin = world.origin(number);
    if (refuse(origin.address)) origin.refuse("ECONNREFUSED");
    else {
      origin.accept();
      origin.send(OK);
    }
  }
  client.rst();
  const record = world.records.at(-1);
  return record?.cause ?? record?.attempts.at(-1)?.address ?? "";
}

/** A round of checks: `shop` shows the sign, `blog` another, `gone` nothing. */
function check(world: MemoryGateway, who: (address: string) => "shop" | "blog" | "gone"): void {
  for (const target of world.gateway.checkTargets()) {
    const seen = who(target.address.text);
    if (seen === "gone") world.gateway.checked(target, { ok: false, detail: "connection refused" });
    else world.gateway.checked(target, { ok: seen === "shop", detail: "status 200", identity: seen === "shop" });
  }
}

async function started(): Promise<MemoryGateway> {
  const world = await memoryGateway({ origins: ["http://a.test"], service: { health: HEALTH } });
  world.names.answer("a.test", ["10.0.0.1"]);
  return world;
}

describe("with a sign that is asked for", () => {
  it("an address gets no request before it has shown it, and those after", async () => {
    const world = await started();
    expect(exchange(world)).toBe("origin.all_unhealthy");
    expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({
      state: "down",
      because: "it has not shown yet that it is the one that is wanted",
    });
    check(world, () => "shop");
    expect(exchange(world)).toBe("10.0.0.1:80");
  });

  it("one that shows another is out at once, though it is the last and its answers are 200", async () => {
    const world = await started();
    check(world, () => "shop");
    exchange(world);
    check(world, () => "blog");
    expect(exchange(world)).toBe("dns.wrong_tenant");
    expect(world.records.at(-1)).toMatchObject({
      attempts: [],
      evidence: "10.0.0.1:80: another tenant answers: status 200",
    });
    expect(world.gateway.view.status().services[0]?.state).toBe("down");
    check(world, () => "shop");
    expect(exchange(world)).toBe("10.0.0.1:80");
  });

  it("an address where nobody listened has to show it again before whoever does next gets a request", async () => {
    const world = await started();
    check(world, () => "shop");
    exchange(world, () => true);
    expect(world.records.at(-1)?.attempts[0]?.cause).toBe("origin.refused");
    expect(exchange(world)).toBe("origin.all_unhealthy");
    expect(world.gateway.view.origins()[0]?.addresses[0]?.because).toMatch(/^nobody answered there/);
    check(world, () => "shop");
    expect(exchange(world)).toBe("10.0.0.1:80");
  });

  it("a name that moves is followed when the new place has shown it; until then the old one serves", async () => {
    const world = await started();
    check(world, () => "shop");
    world.names.answer("a.test", ["10.0.0.2"]);
    expect(exchange(world)).toBe("10.0.0.1:80");
    check(world, (address) => (address === "10.0.0.2:80" ? "gone" : "shop"));
    expect(exchange(world)).toBe("10.0.0.1:80");
    check(world, () => "shop");
    expect(exchange(world)).toBe("10.0.0.2:80");
    const addresses = world.gateway.view.origins()[0]?.addresses.map(({ address }) => address);
    expect(addresses).toEqual(["10.0.0.2:80"]);
  });

  it("a name that moves to a stranger for good leaves the old place after half a minute, and serves nobody", async () => {
    const world = await started();
    check(world, () => "shop");
    world.names.answer("a.test", ["10.0.0.2"]);
    check(world, (address) => (address === "10.0.0.2:80" ? "blog" : "shop"));
    expect(exchange(world)).toBe("10.0.0.1:80");
    world.advance(30_000);
    expect(exchange(world)).toBe("dns.wrong_tenant");
  });
});
