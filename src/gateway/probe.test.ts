import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { CheckResult } from "../policies/health.ts";
import type { CheckTarget } from "./check-targets.ts";

interface Check {
  readonly world: MemoryGateway;
  readonly results: CheckResult[];
  readonly giveUp: () => void;
}

async function check(
  health: Readonly<Record<string, unknown>>,
  origin = "http://10.0.0.1",
  acceptAtOnce = true,
): Promise<Check> {
  const world = await memoryGateway({ origins: [origin], service: { health } });
  world.network.acceptAtOnce = acceptAtOnce;
  const results: CheckResult[] = [];
  const target = world.gateway.checkTargets()[0] as CheckTarget;
  const giveUp = world.gateway.probe(target, (result) => results.push(result));
  world.network.settle();
  return { world, results, giveUp };
}

describe("a check over HTTP", () => {
  it("asks for its path on the origin's own host, once, and closes", async () => {
    const { world, results } = await check({ path: "/up?deep=1" }, "http://10.0.0.1:81/base");
    expect(world.origin(1).received).toBe(
      "GET /base/up?deep=1 HTTP/1.1\r\nHost: 10.0.0.1:81\r\nUser-Agent: goodgate-check\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    );
    world.origin(1).send("HTTP/1.1 204 No Content\r\n\r\n");
    expect(results).toEqual([{ ok: true, detail: "status 204" }]);
    expect(world.origin(1).ended).not.toBe("");
  });

  it("may name another host", async () => {
    const { world } = await check({ path: "/", host: "shop.test" });
    expect(world.origin(1).received).toContain("\r\nHost: shop.test\r\n");
  });

  it.each<[string, boolean, string]>([
    ["HTTP/1.1 200 OK\r\n\r\n", true, "status 200"],
    ["HTTP/1.1 399 X\r\n\r\n", true, "status 399"],
    ["HTTP/1.1 400 X\r\n\r\n", false, "status 400"],
    ["HTTP/1.1 503 X\r\n\r\nmany words", false, "status 503"],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", true, "status 200"],
    ["HTTP/1.1 20", false, "closed without a response"],
    ["", false, "closed without a response"],
    ["SSH-2.0-x\r\n", false, "not HTTP/1.1: response-not-http"],
  ])("hears %j and says ok: %s, %s", async (response, ok, detail) => {
    const { world, results } = await check({ path: "/" });
    if (response !== "") world.origin(1).send(response);
    world.origin(1).fin();
    expect(results).toEqual([{ ok, detail }]);
  });

  const field = { header: "X-Service", value: "shop" };
  const word = { body: "shop" };
  const not = (where: string): CheckResult => ({
    ok: false,
    detail: `${where} is not what is expected`,
    identity: false,
  });
  it.each<[string, object, string, CheckResult]>([
    ["its field", field, "200 OK\r\nx-service: shop\r\n\r\n", { ok: true, detail: "status 200", identity: true }],
    ["its field, ill", field, "503 X\r\nX-Service: shop\r\n\r\n", { ok: false, detail: "status 503", identity: true }],
    ["another's field", field, "200 OK\r\nX-Service: blog\r\n\r\n", not("the field x-service")],
    ["no field", field, "200 OK\r\n\r\nshop", not("the field x-service")],
    ["its word", word, "200 OK\r\n\r\nthis is the shop", { ok: true, detail: "status 200", identity: true }],
    ["another's word", word, "200 OK\r\nContent-Length: 4\r\n\r\nblog", not("the body")],
    ["its word too late", word, `200 OK\r\n\r\n${"x".repeat(16_384)}shop`, not("the body")],
    ["half a body", word, "200 OK\r\nContent-Length: 9\r\n\r\nsho", { ok: false, detail: "closed without a response" }],
  ])("that expects a sign hears %s", async (_, expected, response, result) => {
    const { world, results } = await check({ path: "/", expect: expected });
    // What was asked at start is of no interest here.
    const origin = world.origin(world.network.dialled.length);
    origin.send(`HTTP/1.1 ${response}`);
    origin.fin();
    expect(results).toEqual([result]);
  });

  it.each([
    ["ECONNREFUSED", "connection refused"],
    ["EHOSTUNREACH", "no route to host"],
    ["EMFILE", "EMFILE"],
  ])("says in words that connecting failed with %s", async (code, detail) => {
    const { world, results } = await check({ path: "/" }, undefined, false);
    world.origin(1).refuse(code);
    expect(results).toEqual([{ ok: false, detail }]);
  });

  it("says that its connection was reset", async () => {
    const { world, results } = await check({ path: "/" });
    world.origin(1).rst();
    expect(results).toEqual([{ ok: false, detail: "connection reset" }]);
  });

  it("that is given up says nothing any more", async () => {
    const { world, results, giveUp } = await check({ path: "/" });
    giveUp();
    world.origin(1).send("HTTP/1.1 200 OK\r\n\r\n");
    world.network.settle();
    expect(results).toEqual([]);
    expect(world.origin(1).ended).not.toBe("");
  });
});

describe("a check without a path", () => {
  it("is a connect, and nothing is sent", async () => {
    const { world, results } = await check({});
    expect(results).toEqual([{ ok: true, detail: "connected" }]);
    expect(world.origin(1).received).toBe("");
    expect(world.origin(1).ended).not.toBe("");
  });
});
