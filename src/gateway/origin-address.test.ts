import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { OriginAddressView } from "../contract/view.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import { outcomeOf } from "./origin-address.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function address(world: MemoryGateway): OriginAddressView {
  const view = world.gateway.view.origins()[0]?.addresses[0];
  if (view === undefined) throw new Error("no address");
  return view;
}

describe("what a failure says about the origin", () => {
  it("is nothing where the gateway, the client or the name is at fault, or only an old connection was dead", () => {
    for (const cause of Object.keys(CAUSES) as CauseId[]) {
      const outcome = outcomeOf(cause);
      const { party } = CAUSES[cause];
      if (cause.startsWith("gw.") || cause.startsWith("dns.") || cause.startsWith("client."))
        expect(outcome).toBe("ignore");
      if (party === "gateway" || party === "client" || party === "dns") expect(outcome).toBe("ignore");
      if (party === "network" && cause !== "net.half_open") expect(outcome).toBe("failure");
    }
    expect(outcomeOf("origin.keepalive_race")).toBe("ignore");
    expect(outcomeOf("origin.refused")).toBe("refused");
    expect(outcomeOf("origin.app_5xx")).toBe("failure");
    expect(outcomeOf("tls.cert_pin")).toBe("failure");
    expect(outcomeOf("tls.files")).toBe("failure");
    expect(outcomeOf("origin.early_reply")).toBe("success");
  });
});

describe("connections to one address", () => {
  it("are used again, the newest first, so that surplus ones grow old", async () => {
    const world = await memoryGateway();
    const clients = [world.client(), world.client(), world.client()];
    for (const client of clients) client.send(GET);
    for (const number of [1, 2, 3]) {
      world.origin(number).send(OK);
      world.advance(100);
    }
    expect(address(world)).toMatchObject({ connectionsOpen: 3, connectionsIdle: 3, inFlight: 0 });
    world.origin(3).take();
    clients[0]?.send(GET);
    expect(world.origin(3).take()).toContain("GET / ");
    expect(world.records[2]?.attempts[0]).toMatchObject({ reused: false });
    world.origin(3).send(OK);
    expect(world.records[3]?.attempts[0]).toMatchObject({ reused: true, connectionUses: 1, connectionIdleMs: 100 });
  });

  it("beyond the number that may lie idle are closed", async () => {
    const world = await memoryGateway({ service: { connections: { idlePerOrigin: 1 } } });
    const clients = [world.client(), world.client()];
    for (const client of clients) client.send(GET);
    for (const number of [1, 2]) world.origin(number).send(OK);
    expect(address(world)).toMatchObject({ connectionsOpen: 1, connectionsIdle: 1 });
  });

  it("are not kept when the origin says so, in a field or by closing", async () => {
    const world = await memoryGateway();
    for (const [number, response] of [
      [1, OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")],
      [2, OK.replace("HTTP/1.1", "HTTP/1.0")],
      [3, OK.replace("\r\n\r\n", "\r\nKeep-Alive: timeout=0\r\n\r\n")],
    ] as const) {
      world.client().send(GET);
      world.origin(number).send(response);
      expect(address(world)).toMatchObject({ connectionsOpen: 0, connectionsIdle: 0 });
    }
  });

  it.each([
    ["timeout=5", 4_000],
    ["timeout=5, max=100", 4_000],
    ["max=100, timeout=10", 8_000],
    ['timeout="5"', 4_000],
    ["TIMEOUT = 5", 4_000],
    ["mytimeout=1", 60_000],
    ["timeout=soon", 60_000],
    ["timeout=99999999999999999999", 60_000],
  ])("lie idle a little less than Keep-Alive: %s allows", async (value, keepAliveMs) => {
    const world = await memoryGateway();
    world.client().send(GET);
    world.origin(1).send(OK.replace("\r\n\r\n", `\r\nKeep-Alive: ${value}\r\n\r\n`));
    expect(address(world).keepAliveMs).toBe(keepAliveMs);
  });

  it("closed by the origin at one age again and again teach that age", async () => {
    const world = await memoryGateway();
    for (const number of [1, 2, 3]) {
      world.client().send(GET);
      world.origin(number).send(OK);
      world.advance(5_000);
      world.origin(number).fin();
    }
    expect(address(world).keepAliveMs).toBeLessThanOrEqual(4_000);
    expect(address(world).keepAliveBecause).toContain("closed idle connections");
  });

  it("count as made and as used again", async () => {
    const world = await memoryGateway();
    const client = world.client();
    for (let count = 0; count < 3; count += 1) {
      client.send(GET);
      world.origin(1).send(OK);
    }
    expect(address(world)).toMatchObject({ attempts: 3, failures: 0 });
  });
});
