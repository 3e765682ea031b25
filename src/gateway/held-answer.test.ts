/** A 5xx of one origin while another is asked: what the client gets in the end, through the whole gateway. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const THREE = { origins: ["http://10.0.0.1", "http://10.0.0.2", "http://10.0.0.3"] };
const TWO = { origins: ["http://10.0.0.1", "http://10.0.0.2"] };

function answer(status: number, body: string, fields = ""): string {
  return `HTTP/1.1 ${status} Status\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

function request(method: string, fields = ""): string {
  return `${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n${fields}\r\nx`;
}

function codes(world: MemoryGateway): string[] {
  return world.records.flatMap((record) => record.decisions.map((decision) => decision.code));
}

function statusOf(client: Peer): string {
  return /^HTTP\/1\.1 (\d{3})/.exec(client.received)?.[1] ?? "";
}

function bodyOf(client: Peer): string {
  return client.received.slice(client.received.indexOf("\r\n\r\n") + 4);
}

function expectQuiet(world: MemoryGateway): void {
  expect(world.faults).toEqual([]);
  expect(world.gateway.view.status().exchangesActive).toBe(0);
  for (const origin of world.gateway.view.origins()) {
    for (const address of origin.addresses) expect(address.inFlight).toBe(0);
  }
}

describe("a 5xx of one origin", () => {
  it.each([
    ["GET", 500],
    ["GET", 502],
    ["HEAD", 503],
    ["PUT", 503],
    ["DELETE", 504],
  ])("to %s with %d is never seen when another origin has a better answer", async (method, status) => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(method === "GET" || method === "HEAD" ? GET.replace("GET", method) : request(method));
    world.origin(1).send(method === "HEAD" ? answer(status, "") : answer(status, "broken"));
    expect(client.received).toBe("");
    world.origin(2).send(method === "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" : OK);
    expect(statusOf(client)).toBe("200");
    expect(client.received).not.toContain("broken");
    expect(world.records[0]).toMatchObject({ outcome: "rescued", cause: null, status: 200, originStatus: 200 });
    expect(world.records[0]?.attempts[0]).toMatchObject({ status, cause: "origin.app_5xx" });
    expect(codes(world)).toEqual(["retry.allowed.answer"]);
    // The connection of the first is whole, and is used again.
    world.client().send(GET);
    expect(world.network.dialled).toHaveLength(2);
  });

  it.each([
    ["POST", 503],
    ["PATCH", 502],
    ["PUT", 500],
    ["GET", 501],
    ["GET", 505],
  ])("to %s with %d is passed on at once", async (method, status) => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(method === "GET" ? GET : request(method));
    world.origin(1).send(answer(status, "mine"));
    expect(bodyOf(client)).toBe("mine");
    expect(world.network.dialled).toHaveLength(1);
    expectQuiet(world);
  });

  it("that says it is overloaded is passed on, and no other origin is burdened", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(GET);
    world.origin(1).send(answer(503, "later", "Retry-After: 2\r\n"));
    expect(statusOf(client)).toBe("503");
    expect(client.received).toContain("Retry-After: 2\r\n");
    expect(codes(world)).toEqual(["retry.refused.overloaded"]);
    expectQuiet(world);
  });

  it("that says it is overloaded is waited out where the client's deadline allows it", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Timeout: 5\r\n\r\n");
    world.origin(1).send(answer(503, "later", "Retry-After: 2\r\n"));
    world.advance(1_900);
    expect(client.received).toBe("");
    world.advance(200);
    const again = world.network.dialled.at(-1);
    again?.send(OK);
    expect(bodyOf(client)).toBe("ok");
    expect(codes(world)).toEqual(["retry.allowed.retry-after"]);
    expectQuiet(world);
  });

  it("is passed on as it came, with its own words, when the other origin fails", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(GET);
    world.origin(1).send(answer(503, "the application's own page", "X-Error: 17\r\n"));
    world.origin(2).rst();
    expect(statusOf(client)).toBe("503");
    expect(client.received).toContain("X-Error: 17\r\n");
    expect(bodyOf(client)).toBe("the application's own page");
    expect(world.records[0]).toMatchObject({
      outcome: "failed",
      cause: "origin.app_5xx",
      status: 503,
      originStatus: 503,
      origin: "http://10.0.0.1",
      responseBytes: 26,
    });
    expect(codes(world)).toEqual(["retry.allowed.answer", "retry.refused.no-other-origin", "held.given"]);
    client.send(GET);
    expectQuietAfter(world);
  });

  function expectQuietAfter(world: MemoryGateway): void {
    world.network.dialled.at(-1)?.send(OK);
    expect(world.faults).toEqual([]);
  }

  it("gives way to the last one when all answer so, and each origin is asked once", async () => {
    const world = await memoryGateway(THREE);
    const client = world.client();
    client.send(GET);
    world.origin(1).send(answer(500, "one"));
    world.origin(2).send(answer(502, "two"));
    world.origin(3).send(answer(500, "three"));
    expect(statusOf(client)).toBe("500");
    expect(bodyOf(client)).toBe("three");
    expect(world.records[0]).toMatchObject({ outcome: "failed", origin: "http://10.0.0.3", cause: "origin.app_5xx" });
    expectQuiet(world);
  });

  it("is waited for in pieces, and a large one is not read before somebody wants it", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(GET);
    const body = "x".repeat(300_000);
    const whole = answer(503, body);
    world.origin(1).send(whole.slice(0, 100));
    world.origin(1).send(whole.slice(100, 150_000));
    expect(world.origin(1).stalled).toBe(true);
    world.origin(2).rst();
    world.origin(1).send(whole.slice(150_000));
    expect(bodyOf(client)).toBe(body);
    expect(world.origin(1).stalled).toBe(false);
    expectQuiet(world);
  });

  it("that breaks off while it waits is replaced by ours, and while it is given it is cut", async () => {
    const early = await memoryGateway(TWO);
    const first = early.client();
    first.send(GET);
    early.origin(1).send("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nhalf");
    early.origin(1).rst();
    early.origin(2).rst();
    expect(statusOf(first)).toBe("502");
    expectQuiet(early);

    const late = await memoryGateway(TWO);
    const second = late.client();
    second.send(GET);
    late.origin(1).send("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nhalf");
    late.origin(2).rst();
    late.origin(1).rst();
    expect(bodyOf(second)).toBe("half");
    expect(second.ended).not.toBe("");
    expectQuiet(late);
  });

  it("does not outlive its client", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(GET);
    world.origin(1).send("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nhalf");
    client.rst();
    expect(world.origin(1).ended).toBe("rst");
    expect(world.origin(2).ended).toBe("rst");
    expect(world.records[0]).toMatchObject({ outcome: "aborted" });
    expectQuiet(world);
  });

  it("counts against its origin although nobody saw it", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(GET);
    world.origin(1).send("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nhalf");
    world.origin(2).send(OK);
    expect(bodyOf(client)).toBe("ok");
    expect(world.origin(1).ended).toBe("rst");
    const failures = world.gateway.view.origins().map((origin) => origin.addresses[0]?.failures);
    expect(failures).toEqual([1, 0]);
    expectQuiet(world);
  });

  it("is given at the deadline, when the other origin is too slow", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Timeout: 0.3\r\n\r\n");
    world.origin(1).send(answer(503, "mine"));
    world.advance(400);
    expect(bodyOf(client)).toBe("mine");
    expectQuiet(world);
  });
});

describe("a route on which every origin answers alike", () => {
  it("costs a few repeats and then none, until the window has passed", async () => {
    const world = await memoryGateway({ ...TWO, service: { ejection: false } });
    const fail = (): number => {
      const known = world.records.length;
      const client = world.client();
      client.send(GET);
      while (world.records.length === known) {
        for (const origin of world.network.dialled)
          if (origin.ended === "" && origin.take() !== "") origin.send(answer(500, "no"));
      }
      return world.records.at(-1)?.attempts.length ?? 0;
    };
    expect(Array.from({ length: 8 }, fail)).toEqual([2, 2, 2, 2, 2, 1, 1, 1]);
    expect(world.records.at(-1)?.decisions.at(-1)).toMatchObject({
      code: "held.same-everywhere",
      reason: "passed on: 0 of 5 repeats in the last 10 s brought a better answer",
    });
    world.advance(11_000);
    expect(fail()).toBe(2);
    expectQuiet(world);
  });
});
