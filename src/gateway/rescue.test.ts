/** What is repeated, where and when, through the whole gateway. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const TWO = { origins: ["http://10.0.0.1", "http://10.0.0.2"] };

function get(fields: string): string {
  return `GET / HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
}

function codes(world: MemoryGateway): string[] {
  return world.records.flatMap((record) => record.decisions.map((decision) => decision.code));
}

function statusOf(client: Peer): string {
  return /^HTTP\/1\.1 (\d{3})/.exec(client.received)?.[1] ?? "";
}

function expectQuiet(world: MemoryGateway): void {
  expect(world.faults).toEqual([]);
  expect(world.gateway.view.status().exchangesActive).toBe(0);
  for (const origin of world.gateway.view.origins()) {
    for (const address of origin.addresses) expect(address.inFlight).toBe(0);
  }
}

describe("origins that could all not be reached", () => {
  it("are tried once more after a pause, so that a restart costs a client nothing but time", async () => {
    const world = await memoryGateway({ chance: () => 0.5 });
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\npay");
    world.origin(1).refuse("ECONNREFUSED");
    expect(world.network.dialled).toHaveLength(1);
    expect(client.received).toBe("");
    world.advance(40);
    expect(world.network.dialled).toHaveLength(1);
    world.advance(60);
    world.origin(2).accept();
    expect(world.origin(2).received).toMatch(/^POST [\s\S]*\r\n\r\npay$/);
    world.origin(2).send(OK);
    expect(client.received).toMatch(/ok$/);
    expect(world.records[0]).toMatchObject({ outcome: "rescued" });
    expect(world.records[0]?.decisions.map((decision) => decision.reason)).toEqual([
      "retried after 50 ms: no origin could be reached, nothing was sent, and one may be back by then; next is 10.0.0.1:80 in pool main",
    ]);
    expectQuiet(world);
  });

  it("are tried as often as attempts allow, with longer pauses, and then the client is told", async () => {
    const world = await memoryGateway({ chance: () => 0.99 });
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(GET);
    world.origin(1).refuse("ECONNREFUSED");
    world.advance(150);
    world.origin(2).refuse("ECONNREFUSED");
    world.advance(150);
    expect(world.network.dialled).toHaveLength(2);
    world.advance(100);
    world.origin(3).refuse("ECONNREFUSED");
    expect(statusOf(client)).toBe("502");
    expect(codes(world)).toEqual(["retry.allowed.second-pass", "retry.allowed.second-pass", "retry.refused.attempts"]);
    expectQuiet(world);
  });

  it.each([
    ["without backoff", { retry: { backoff: false } }, "ECONNREFUSED", "retry.refused.no-other-origin"],
    ["when finding out took as long as connecting may", {}, "ETIMEDOUT", "retry.refused.no-other-origin"],
  ])("are not tried once more %s", async (_, service, code, refused) => {
    const world = await memoryGateway({ service });
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(GET);
    world.origin(1).refuse(code);
    expect(statusOf(client)).toMatch(/^50[24]$/);
    expect(codes(world)).toEqual([refused]);
  });

  it("are not tried for a client that left during the pause", async () => {
    const world = await memoryGateway();
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(GET);
    world.origin(1).refuse("ECONNREFUSED");
    client.rst();
    world.advance(1_000);
    expect(world.network.dialled).toHaveLength(1);
    expect(world.records[0]).toMatchObject({ outcome: "aborted", cause: "client.abort_wait" });
    expectQuiet(world);
  });
});

describe("a decision to repeat", () => {
  it("names the origin that is next", async () => {
    const world = await memoryGateway(TWO);
    world.client().send(GET);
    const [first] = world.network.dialled;
    first?.rst();
    world.origin(2).send(OK);
    expect(world.records[0]?.decisions[0]?.reason).toBe(
      `retried: GET is idempotent and nothing of a response had been passed on; next is ${world.origin(2).address} in pool main`,
    );
  });
});

describe("a gateway in front or behind", () => {
  it("is told the number of each attempt, where this one repeats what fails", async () => {
    const world = await memoryGateway(TWO);
    world.client().send(get("Goodgate-Attempt: 7\r\n"));
    expect(world.origin(1).received.match(/Goodgate-Attempt: \d+/g)).toEqual(["Goodgate-Attempt: 1"]);
    world.client().send(GET);
    world.origin(2).rst();
    expect(world.origin(3).received.match(/Goodgate-Attempt: \d+/g)).toEqual(["Goodgate-Attempt: 2"]);
  });

  it.each([
    ["with one origin", {}],
    ["that does not retry", { ...TWO, service: { retry: false } }],
  ])("is told nothing by one %s, so that it repeats itself", async (_, options) => {
    const world = await memoryGateway(options);
    world.client().send(GET);
    expect(world.origin(1).received).not.toContain("Goodgate-Attempt");
  });

  it("is known to one behind this one, too: what does not repeat hands the mark on", async () => {
    const world = await memoryGateway();
    world.client().send(get("Goodgate-Attempt: 2\r\n"));
    expect(world.origin(1).received).toContain("Goodgate-Attempt: 1\r\n");
  });

  it("repeats what fails here, and this one does not; what was never sent still goes elsewhere", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(get("Goodgate-Attempt: 1\r\n"));
    world.origin(1).rst();
    expect(statusOf(client)).toBe("502");
    expect(codes(world)).toEqual(["retry.refused.in-front"]);
    world.network.acceptAtOnce = false;
    const other = world.client();
    other.send(get("Goodgate-Attempt: 1\r\n"));
    world.origin(2).refuse("ECONNREFUSED");
    world.origin(3).accept();
    world.origin(3).send(OK);
    expect(other.received).toMatch(/ok$/);
    expectQuiet(world);
  });
});

describe("a request that breaks connections", () => {
  const THREE = { origins: [1, 2, 3].map((n) => `http://10.0.0.${n}`) };

  // Where a whole pool died, whoever had met two of its origins was lost although the next pool was there.
  it("but was answered a moment ago, is not what breaks them, and gets the third", async () => {
    const world = await memoryGateway(THREE);
    const before = world.client();
    before.send(GET);
    world.origin(1).send(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    expect(statusOf(before)).toBe("200");
    world.advance(59_000);
    const client = world.client();
    client.send(GET);
    for (const number of [2, 3]) world.origin(number).rst();
    world.origin(4).send(OK);
    expect(statusOf(client)).toBe("200");
    expect(world.records[1]).toMatchObject({ outcome: "rescued" });
    expectQuiet(world);
  });

  it("gets two origins and no third, and what is like it is refused for ten seconds", async () => {
    const world = await memoryGateway(THREE);
    const told: string[] = [];
    world.gateway.view.subscribe((event) => {
      if (event.kind === "gateway") told.push(event.code);
    });
    const client = world.client();
    client.send(GET);
    world.origin(1).rst();
    world.origin(2).rst();
    expect(world.network.dialled).toHaveLength(2);
    expect(statusOf(client)).toBe("502");
    expect(codes(world)).toEqual(["retry.allowed.idempotent", "retry.refused.breaks-origins"]);

    world.advance(1_000);
    const again = world.client();
    again.send(GET);
    expect(world.network.dialled).toHaveLength(2);
    expect(statusOf(again)).toBe("503");
    expect(again.received).toMatch(/\r\nRetry-After: 10\r\n/);
    expect(world.records[1]).toMatchObject({ cause: "origin.poison", party: "origin", outcome: "failed" });
    expect(told).toEqual(["poison.refused"]);
    expect(world.gateway.view.metrics().services.map(({ poisonQuarantines }) => poisonQuarantines)).toEqual([1]);

    const other = world.client();
    other.send(GET.replace("/ ", "/other "));
    world.origin(3).send(OK);
    expect(other.received).toMatch(/ok$/);
    expectQuiet(world);
  });

  it("is tried again by one request when that is over, where it was before, and passes when that succeeds", async () => {
    const world = await memoryGateway(THREE);
    world.client().send(GET);
    world.origin(1).rst();
    world.origin(2).rst();
    world.client().send(GET);
    world.advance(11_000);
    const trial = world.client();
    trial.send(GET);
    const second = world.client();
    second.send(GET);
    expect(statusOf(second)).toBe("503");
    const broken = [1, 2].map((number) => world.origin(number).address);
    expect(broken).toContain(world.origin(3).address);
    world.origin(3).send(OK);
    expect(trial.received).toMatch(/ok$/);
    expect(world.records.at(-1)?.decisions.map((decision) => decision.code)).toEqual(["poison.trial"]);
    world.origin(3).take();
    const third = world.client();
    third.send(GET);
    for (const origin of world.network.dialled.slice(2)) if (origin.take() !== "") origin.send(OK);
    expect(third.received).toMatch(/ok$/);
    expectQuiet(world);
  });

  it("that tries again gets one origin only", async () => {
    const world = await memoryGateway(THREE);
    world.client().send(GET);
    world.origin(1).rst();
    world.origin(2).rst();
    world.client().send(GET);
    world.advance(11_000);
    const trial = world.client();
    trial.send(GET);
    world.origin(3).rst();
    expect(statusOf(trial)).toBe("502");
    expect(world.network.dialled).toHaveLength(3);
    expectQuiet(world);
  });

  it("never gets a third origin, however often it comes back", async () => {
    const world = await memoryGateway(THREE);
    const met = new Set<string>();
    for (let times = 0; times < 400; times += 1) {
      world.client().send(GET);
      for (const origin of world.network.dialled) {
        if (!origin.received.includes("GET / ")) continue;
        met.add(origin.address);
        if (origin.take() !== "") origin.rst();
      }
      world.advance(2_000);
    }
    expect(world.network.dialled.length).toBeGreaterThan(4);
    expect(met.size).toBe(2);
    expectQuiet(world);
  });

  it("waits while no origin is up that it may have, though others are", async () => {
    const origins = [1, 2, 3, 4].map((n) => `http://10.0.0.${n}`);
    const world = await memoryGateway({ origins, service: { health: { path: "/healthz" } } });
    world.client().send(GET);
    world.origin(1).rst();
    world.origin(2).rst();
    world.client().send(GET);
    const broken = [1, 2].map((number) => world.origin(number).address);
    const check = (ok: boolean): void => {
      for (const target of world.gateway.checkTargets()) {
        if (!broken.includes(target.address.text)) continue;
        for (let times = 0; times < 3; times += 1) {
          world.gateway.checked(target, { ok, detail: "told by the test" });
        }
      }
    };
    check(false);
    world.advance(11_000);
    const early = world.client();
    early.send(GET);
    expect(statusOf(early)).toBe("503");
    expect(early.received).toMatch(/\r\nRetry-After: 1\r\n/);
    expect(world.network.dialled).toHaveLength(2);
    check(true);
    world.advance(1_000);
    world.client().send(GET);
    expect(broken).toContain(world.network.dialled.at(-1)?.address);
    expect(world.network.dialled).toHaveLength(3);
  });

  it("is known by the beginning of its body, also when that comes after the head", async () => {
    const world = await memoryGateway({ ...THREE, service: { routes: [{ idempotent: true }] } });
    const post = (body: string): string =>
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    world.client().send(post("kill"));
    world.origin(1).rst();
    world.origin(2).rst();
    const again = world.client();
    again.send(post("kill").slice(0, -4));
    expect(again.received).toBe("");
    again.send("kill");
    expect(statusOf(again)).toBe("503");
    const other = world.client();
    other.send(post("live").slice(0, -2));
    other.send("ve");
    expect(world.origin(3).received).toMatch(/\r\n\r\nlive$/);
    world.origin(3).send(OK);
    expect(other.received).toMatch(/ok$/);
    const asks = world.client();
    asks.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    expect(world.network.dialled.at(-1)?.received).toMatch(/Expect: 100-continue/);
    expect(world.faults).toEqual([]);
  });

  it("is sent once when it waited for its body and all doubt was over before that came", async () => {
    const world = await memoryGateway(THREE);
    world.client().send(GET);
    world.origin(1).rst();
    world.origin(2).send(OK);
    world.advance(130_000);
    world.network.acceptAtOnce = false;
    const known = world.network.dialled.length;
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n");
    for (const piece of ["ab", "cd", "ef"]) client.send(piece);
    for (const origin of world.network.dialled.slice(known)) origin.accept();
    const got = world.network.dialled.filter(({ received }) => received.includes("POST / "));
    expect(got).toHaveLength(1);
    expect(got[0]?.received).toMatch(/\r\n\r\nabcdef$/);
    got[0]?.send(OK);
    expect(client.received).toMatch(/ok$/);
    expectQuiet(world);
  });

  it("gets no third origin where the first connection had lain idle and could have been stale", async () => {
    const world = await memoryGateway(THREE);
    for (const path of ["/a", "/b", "/c"]) world.client().send(GET.replace("/ ", `${path} `));
    for (const number of [1, 2, 3]) world.origin(number).send(OK);
    world.advance(1_000);
    const client = world.client();
    client.send(GET);
    const gotIt = (): Peer | undefined => world.network.dialled.findLast(({ received }) => received.includes("GET / "));
    const idle = gotIt();
    idle?.rst();
    const second = gotIt();
    expect(second).not.toBe(idle);
    second?.rst();
    expect(world.records.at(-1)?.attempts.map(({ cause }) => cause)).toEqual([
      "origin.keepalive_race",
      "origin.reset_before_response",
    ]);
    expect(statusOf(client)).toBe("502");
    const again = world.client();
    again.send(GET);
    expect(statusOf(again)).toBe("503");
    const met = world.network.dialled.filter(({ received }) => received.includes("GET / "));
    expect(new Set(met.map(({ address }) => address)).size).toBe(2);
    expectQuiet(world);
  });

  it("gets as many origins as any other, and is never refused, where `poison` is false", async () => {
    const world = await memoryGateway({ ...THREE, service: { poison: false } });
    const client = world.client();
    client.send(GET);
    world.origin(1).rst();
    world.origin(2).rst();
    world.origin(3).rst();
    expect(codes(world)).toEqual(["retry.allowed.idempotent", "retry.allowed.idempotent", "retry.refused.attempts"]);
    world.client().send(GET);
    expect(world.network.dialled).toHaveLength(4);
  });
});

describe("a deadline", () => {
  it("that the client says bounds the wait for an answer, without blame for the origin", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("X-Request-Timeout: 0.5\r\n"));
    world.advance(450);
    expect(client.received).toBe("");
    world.advance(150);
    expect(statusOf(client)).toBe("504");
    expect(world.origin(1).ended).toBe("rst");
    expect(world.records[0]).toMatchObject({ cause: "origin.deadline", outcome: "failed", status: 504 });
    expect(world.records[0]?.evidence).toBe(
      "the 500 ms that the client allows are over; 10.0.0.1:80 had the request for 500 ms of them and had not answered",
    );
    expect(world.records[0]?.attempts[0]).toMatchObject({ cause: "origin.deadline" });
    expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({ failures: 0, state: "up" });
    expectQuiet(world);
  });

  it("of the route holds where the client allows more, and says whose it is", async () => {
    const world = await memoryGateway({ service: { routes: [{ deadline: "1s" }] } });
    const client = world.client();
    client.send(get("X-Request-Timeout: 30\r\n"));
    expect(world.origin(1).received).toContain("X-Request-Timeout: 1.000\r\n");
    world.advance(1_100);
    expect(statusOf(client)).toBe("504");
    expect(world.records[0]?.evidence).toMatch(/^the 1 s that the route allows are over/);
  });

  it("goes on to each origin with what is left, in the words of the client and once", async () => {
    const world = await memoryGateway(TWO);
    world.client().send(get("x-request-timeout: 2\r\ngrpc-timeout: 1500m\r\n"));
    expect(world.origin(1).received.match(/timeout: .*/gi)).toEqual(["Timeout: 1.500", "timeout: 1500m"]);
    world.advance(300);
    world.origin(1).rst();
    expect(world.origin(2).received.match(/timeout: .*/gi)).toEqual(["Timeout: 1.200", "timeout: 1200m"]);
  });

  it("that cannot be read is none, and goes on as it came", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("X-Request-Timeout: soon\r\n"));
    expect(world.origin(1).received).toContain("X-Request-Timeout: soon\r\n");
    world.advance(5_000);
    world.origin(1).send(OK);
    expect(client.received).toMatch(/ok$/);
  });

  it("that passes before there is a connection drops the request, and no origin ever sees it", async () => {
    const world = await memoryGateway();
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(get("X-Request-Timeout: 0.2\r\n"));
    world.advance(300);
    expect(statusOf(client)).toBe("504");
    expect(world.records[0]).toMatchObject({ cause: "gw.deadline", party: "overload" });
    expect(world.origin(1).received).toBe("");
    expectQuiet(world);
  });

  it("that leaves no time for another pause ends the matter at once", async () => {
    const world = await memoryGateway({ chance: () => 0.9 });
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(get("X-Request-Timeout: 0.05\r\n"));
    world.origin(1).refuse("ECONNREFUSED");
    expect(statusOf(client)).toBe("502");
    expect(codes(world)).toEqual(["retry.refused.deadline"]);
  });

  it("ends with the head of the response: what is on its way is let go on", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("X-Request-Timeout: 0.2\r\n"));
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    world.advance(1_000);
    world.origin(1).send("cd");
    expect(client.received).toMatch(/abcd$/);
    expect(world.records[0]).toMatchObject({ outcome: "served", cause: null });
    expectQuiet(world);
  });

  it("does not outlive a client that left", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("X-Request-Timeout: 0.2\r\n"));
    client.rst();
    world.advance(1_000);
    expect(world.records).toHaveLength(1);
    expectQuiet(world);
  });
});
