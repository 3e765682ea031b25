/**
 * Which requests are tried again, and that none runs twice: a request whose method allows it, or that provably
 * never reached an origin, is rescued by another origin; a payment that may have run is not repeated.
 */
import { setTimeout as pass } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin, type Script } from "../support/raw-origin.ts";
import type { Message } from "../support/http-message.ts";

let gateway: GatewayProcess;
let origins: RawOrigin[] = [];

afterEach(async () => {
  await gateway?.stop();
  for (const origin of origins) await origin.close();
  origins = [];
});

const ATTEMPTS = 24;
const GOOD = answerAll(response(200, "good"));

/** A head, perhaps the start of a body, and then nothing but the end of the connection. */
const BREAKS: Script = async (connection) => {
  await connection.head();
  connection.close();
};

async function behind(...scripts: Script[]): Promise<void> {
  for (const script of scripts) origins.push(await rawOrigin(script));
  // Without ejection every origin keeps getting its share, so that each test sees what it is about.
  gateway = await startGateway(
    inFrontOf(
      origins.map(({ url }) => url),
      { ejection: false },
    ),
  );
}

async function ask(request: string, method = "GET"): Promise<Message> {
  const client = await rawClient(gateway.port);
  await client.send(request);
  const message = await client.response(method);
  client.close();
  return message;
}

const post = (n: number): string => `POST /pay-${n} HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\ncash`;
const headsNamed = (name: string): number =>
  origins.flatMap(({ heads }) => heads).filter((head) => head.includes(` ${name} `)).length;

describe("a request whose attempt failed", () => {
  it("is rescued by another origin when its method is idempotent", async () => {
    await behind(BREAKS, GOOD);
    let rescued = 0;
    for (let n = 0; n < ATTEMPTS; n += 1) {
      expect(await ask(`GET /get-${n} HTTP/1.1\r\nHost: test\r\n\r\n`)).toMatchObject({ status: 200, body: "good" });
      if (headsNamed(`/get-${n}`) === 2) rescued += 1;
    }
    expect(rescued).toBeGreaterThan(0);
    const record = await gateway.record("a rescued one", ({ outcome }) => outcome === "rescued");
    expect(record.attempts.map(({ cause }) => cause)).toEqual(["origin.reset_before_response", null]);
    expect(record.attempts[0]?.origin).not.toBe(record.attempts[1]?.origin);
    expect(record.decisions).not.toEqual([]);
  });

  it("is not repeated when it may have run and its method is not idempotent", async () => {
    await behind(BREAKS, GOOD);
    const statuses = new Set<number>();
    for (let n = 0; n < ATTEMPTS; n += 1) {
      statuses.add((await ask(post(n), "POST")).status);
      expect(headsNamed(`/pay-${n}`)).toBe(1);
    }
    expect(statuses).toContain(502);
    const record = await gateway.record(
      "a failed one",
      ({ outcome, method }) => outcome === "failed" && method === "POST",
    );
    expect(record.attempts).toHaveLength(1);
    expect(record.decisions.map(({ reason }) => reason).join(" ")).toMatch(/idempotent/i);
  });

  it("is rescued whatever its method when the connection was refused, with its body", async () => {
    const bodies: string[] = [];
    origins.push(
      await rawOrigin(async (connection) => {
        for (;;) {
          await connection.head();
          bodies.push(await connection.take(4));
          await connection.send(response(200, "paid"));
        }
      }),
    );
    gateway = await startGateway(inFrontOf([`http://127.0.0.1:${await freePort()}`, ...origins.map(({ url }) => url)]));
    for (let n = 0; n < ATTEMPTS; n += 1) expect((await ask(post(n), "POST")).status).toBe(200);
    expect(bodies).toEqual(Array.from({ length: ATTEMPTS }, () => "cash"));
    await gateway.record("a rescued one", ({ outcome, method }) => outcome === "rescued" && method === "POST");
  });

  it("is answered with what the gateway knows when every origin fails", async () => {
    await behind(BREAKS, BREAKS, BREAKS);
    const answer = await ask("GET /hopeless HTTP/1.1\r\nHost: test\r\n\r\n");
    expect(answer.status).toBe(502);
    const record = await gateway.record("it", ({ target }) => target === "/hopeless");
    expect(record.attempts.length).toBeGreaterThan(1);
    expect(new Set(record.attempts.map(({ origin }) => origin)).size).toBe(record.attempts.length);
  });

  it("is not repeated once a part of the response has been passed on", async () => {
    const cut: Script = async (connection) => {
      await connection.head();
      await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning");
      await connection.received.until("nothing more", () => null).catch(() => {});
    };
    await behind(cut, cut);
    const client = await rawClient(gateway.port);
    await client.send("GET /begun HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.received.until("the beginning", (text) => (text.includes("beginning") ? true : null));
    for (const origin of origins) for (const connection of origin.connections) connection.close();
    await client.over;
    expect(headsNamed("/begun")).toBe(1);
  });
});

describe("an origin's own error", () => {
  it("is passed on untouched, also when it is the answer to the last of several attempts", async () => {
    await behind(BREAKS, answerAll(response(500, "my own words", { "X-Trace": "kept" })));
    for (let n = 0; n < ATTEMPTS; n += 1) {
      const answer = await ask(`GET /own-${n} HTTP/1.1\r\nHost: test\r\n\r\n`);
      expect(answer).toMatchObject({ status: 500, body: "my own words" });
      expect(answer.headers["x-trace"]).toBe("kept");
    }
  });
});

describe("the idle keep-alive race", () => {
  it("reaches no client of a request that may be repeated, even with one origin alone", async () => {
    // Each connection serves one request and ends at the second, as when an idle timeout strikes at that moment.
    await behind(async (connection) => {
      await connection.head();
      await connection.send(response(200, "good"));
      await connection.head();
      connection.close();
    });
    const client = await rawClient(gateway.port);
    for (let n = 0; n < 5; n += 1) {
      await client.send(`GET /race-${n} HTTP/1.1\r\nHost: test\r\n\r\n`);
      expect((await client.response()).status).toBe(200);
      // The connection has to lie idle for a while; one in steady use has not gone stale.
      await pass(200);
    }
    client.close();
  });

  it("reaches no client either when the origin closes right after a response without having said so", async () => {
    await behind(async (connection) => {
      await connection.head();
      await connection.send(response(200, "good"));
      // The FIN and the next request cross: the gateway had no time to notice.
      await connection.head();
      connection.close();
    });
    const client = await rawClient(gateway.port);
    for (let n = 0; n < 4; n += 1) {
      await client.send(`GET /silent-close-${n} HTTP/1.1\r\nHost: test\r\n\r\n`);
      expect((await client.response()).status).toBe(200);
    }
    client.close();
  });
});
