/** What can go wrong with an Idempotency-Key, brought about from outside: real process, real ledger, real sockets. */
import { afterEach, describe, expect, it } from "vitest";
import type { CauseId } from "../../src/kernel/causes.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin, type Script } from "../support/raw-origin.ts";

let gateway: GatewayProcess | undefined;
let origin: RawOrigin | undefined;

afterEach(async () => {
  await gateway?.stop();
  await origin?.close();
});

async function start(script: Script, rest: Record<string, unknown> = {}, service = {}): Promise<GatewayProcess> {
  origin = await rawOrigin(script);
  gateway = await startGateway(inFrontOf([origin.url], { health: false, ...service }, rest));
  return gateway;
}

function post(key: string | null, body: string): string {
  const field = key === null ? "" : `Idempotency-Key: ${key}\r\n`;
  return `POST /pay HTTP/1.1\r\nHost: test\r\n${field}Content-Length: ${body.length}\r\n\r\n${body}`;
}

async function ask(request: string): Promise<number> {
  const client = await rawClient(gateway?.port ?? 0);
  await client.send(request);
  const { status } = await client.response();
  client.close();
  return status;
}

function recorded(cause: CauseId): Promise<{ readonly evidence: string }> {
  if (gateway === undefined) throw new Error("no gateway");
  return gateway.record(cause, (record) => record.cause === cause);
}

const PAID = answerAll(response(201, "paid"));

describe("a keyed request", () => {
  it("without its key is client.key_missing where the route requires one", async () => {
    await start(PAID, {}, { routes: [{ idempotencyKey: "required" }] });
    expect(await ask(post(null, "a"))).toBe(400);
    await recorded("client.key_missing");
  });

  it("with a key that is none is client.key_malformed", async () => {
    await start(PAID);
    expect(await ask(post('"never closed', "a"))).toBe(400);
    await recorded("client.key_malformed");
  });

  it("with another body under the same key is client.key_reused", async () => {
    await start(PAID);
    expect([await ask(post('"k"', "a")), await ask(post('"k"', "b"))]).toEqual([201, 422]);
    await recorded("client.key_reused");
  });

  it("that is under way for longer than is waited for is client.key_in_flight", async () => {
    // The origin has it and thinks about it for longer than the second client may wait, and than the gateway waits to end.
    const bounds = { idempotency: { wait: "100ms" }, drain: "1s" };
    await start(async (connection) => void (await connection.head()), bounds);
    const first = await rawClient(gateway?.port ?? 0);
    await first.send(post('"k"', "a"));
    await origin?.connection(1);
    expect(await ask(post('"k"', "a"))).toBe(409);
    await recorded("client.key_in_flight");
    first.close();
  });

  it("that was sent and never answered is origin.uncertain, and is not sent again", async () => {
    await start(async (connection) => {
      await connection.head();
      connection.reset();
    });
    await ask(post('"k"', "a"));
    expect(await ask(post('"k"', "a"))).toBe(409);
    await recorded("origin.uncertain");
    expect(origin?.heads).toHaveLength(1);
  });

  it("whose answer was too large to be kept is gw.answer_not_kept when it comes again", async () => {
    await start(answerAll(response(200, "x".repeat(3 * 1024 * 1024))));
    expect([await ask(post('"k"', "a")), await ask(post('"k"', "a"))]).toEqual([200, 409]);
    await recorded("gw.answer_not_kept");
  });
});

describe("dns.wrong_tenant", () => {
  it("is named when nobody behind the name shows the sign of the wanted origin", async () => {
    const health = { path: "/healthz", interval: "50ms", expect: { header: "x-shop", value: "ours" } };
    await start(answerAll(response(200, "somebody else")), {}, { health });
    expect(await ask("GET / HTTP/1.1\r\nHost: test\r\n\r\n")).toBeGreaterThanOrEqual(502);
    await recorded("dns.wrong_tenant");
  });
});
