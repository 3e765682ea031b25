/** What clients do with their connections, byte by byte: pipelining, halves, aborts, old versions, odd pieces. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";
import { until } from "../support/until.ts";

let origin: RawOrigin;
let gateway: GatewayProcess;

const OK = response(200, "ok");

beforeAll(async () => {
  origin = await rawOrigin(answerAll(OK));
  gateway = await startGateway(inFrontOf([origin.url], {}, { listener: { timeouts: { halfClosed: "1s" } } }));
});
afterEach(async () => {
  await freshOrigin(answerAll(OK));
});
afterAll(async () => {
  await gateway?.stop();
  await origin?.close();
});

const get = (target: string, fields = ""): string => `GET ${target} HTTP/1.1\r\nHost: test\r\n${fields}\r\n`;

/** A connection to the origin that no earlier test has used: idle ones are dropped first. */
async function freshOrigin(script: Parameters<RawOrigin["follow"]>[0]): Promise<number> {
  await until("the gateway to have dropped its idle connections", async () => {
    // Also those that it opened a moment ago for clients that are gone.
    for (const connection of origin.connections) connection.close();
    const view = await gateway.origins();
    return view.every(({ addresses }) => addresses.every(({ connectionsOpen }) => connectionsOpen === 0)) ? true : null;
  });
  origin.follow(script);
  return origin.connections.length + 1;
}

describe("pipelining", () => {
  it("answers requests that came in one piece in their order, one after the other", async () => {
    await freshOrigin(async (connection) => {
      for (;;) {
        const head = await connection.head();
        await connection.send(response(200, /^GET (\S+)/.exec(head)?.[1] ?? ""));
      }
    });
    const client = await rawClient(gateway.port);
    await client.send(Array.from({ length: 20 }, (_, index) => get(`/n${index}`)).join(""));
    for (let index = 0; index < 20; index += 1) expect((await client.response()).body).toBe(`/n${index}`);
    client.close();
  });

  it("finds the second request behind the body of the first", async () => {
    await freshOrigin(async (connection) => {
      await connection.head();
      await connection.take(5);
      await connection.send(response(200, "took five"));
      await connection.head();
      await connection.send(response(200, "second"));
    });
    const client = await rawClient(gateway.port);
    await client.send(`POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello${get("/b")}`);
    expect((await client.response("POST")).body).toBe("took five");
    expect((await client.response()).body).toBe("second");
    client.close();
  });

  it("answers nothing after a request that it refused", async () => {
    const client = await rawClient(gateway.port);
    await client.send(`GET /bad path HTTP/1.1\r\nHost: test\r\n\r\n${get("/after")}`);
    expect((await client.response()).status).toBe(400);
    await client.over;
    expect(client.rest()).toBe("");
  });
});

describe("the client's connection", () => {
  it("stays for the next request and is closed when the client asks for it", async () => {
    const client = await rawClient(gateway.port);
    await client.send(get("/1"));
    expect((await client.response()).status).toBe(200);
    await client.send(get("/2", "Connection: close\r\n"));
    const last = await client.response();
    expect(last.headers["connection"]).toMatch(/close/i);
    expect(await client.over).toBe("fin");
  });

  it("is read the same whatever pieces the bytes come in", async () => {
    const client = await rawClient(gateway.port);
    await client.send(...Array.from(get("/byte-by-byte")));
    expect((await client.response()).body).toBe("ok");
    client.close();
  });

  it("closes after HTTP/1.0, unless keep-alive was asked for", async () => {
    const plain = await rawClient(gateway.port);
    await plain.send("GET / HTTP/1.0\r\nHost: test\r\n\r\n");
    expect((await plain.response()).body).toBe("ok");
    expect(await plain.over).toBe("fin");
    const kept = await rawClient(gateway.port);
    await kept.send("GET / HTTP/1.0\r\nHost: test\r\nConnection: keep-alive\r\n\r\n");
    expect((await kept.response()).headers["connection"]).toMatch(/keep-alive/i);
    await kept.send("GET / HTTP/1.0\r\nHost: test\r\n\r\n");
    expect((await kept.response()).body).toBe("ok");
  });

  it("still carries the reply when the client has half-closed it", async () => {
    const number = await freshOrigin(async (connection) => {
      await connection.head();
      await connection.over;
    });
    const client = await rawClient(gateway.port);
    await client.send(get("/half-closed"));
    client.halfClose();
    const connection = await origin.connection(number);
    await connection.received.until("the request", (text) => (text.includes("\r\n\r\n") ? true : null));
    await connection.send(response(200, "you are still there"));
    expect((await client.response()).body).toBe("you are still there");
    expect(await client.over).toBe("fin");
  });
});

/** Less than the time after which a connection that was left behind would be closed for its silence. */
const BY_ITSELF_MS = 25_000;

describe("a client that leaves", () => {
  it("takes the attempt at the origin with it", async () => {
    const number = await freshOrigin(async (connection) => {
      await connection.head();
      await connection.over;
    });
    const client = await rawClient(gateway.port);
    await client.send(get("/leaving"));
    const connection = await origin.connection(number);
    await connection.received.until("the request", (text) => (text.includes("\r\n\r\n") ? true : null));
    client.reset();
    expect(await connection.over).toMatch(/fin|ECONNRESET/);
    const record = await gateway.record("the abort", ({ target }) => target === "/leaving");
    expect(record).toMatchObject({ outcome: "aborted", cause: "client.abort_wait", status: 0, originStatus: 0 });
  });

  it("right after its upload leaves no connection behind at the gateway", async () => {
    await until("earlier clients to be gone", async () => ((await gateway.status()).connections === 0 ? true : null));
    for (let n = 0; n < 20; n += 1) {
      const client = await rawClient(gateway.port);
      await client.send("POST /hit-and-run HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\npay");
      client.reset();
    }
    await until(
      "their connections to be gone",
      async () => ((await gateway.status()).connections === 0 ? true : null),
      BY_ITSELF_MS,
    );
  });

  it("during the response leaves no half-read connection in the pool", async () => {
    const number = await freshOrigin(async (connection) => {
      await connection.head();
      await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nfirst part");
      await connection.over;
    });
    const client = await rawClient(gateway.port);
    await client.send(get("/leaving-late"));
    await client.received.until("the first part", (text) => (text.includes("first part") ? true : null));
    client.reset();
    expect(await (await origin.connection(number)).over).toMatch(/fin|ECONNRESET/);
    origin.follow(answerAll(OK));
    const next = await rawClient(gateway.port);
    await next.send(get("/after-it"));
    expect((await next.response()).body).toBe("ok");
    next.close();
  });
});

describe("the connection to the origin", () => {
  it("is used again by another client", async () => {
    // Of the other origin the gateway has learned by now that it closes idle connections very soon.
    const lasting = await rawOrigin(answerAll(OK));
    const front = await startGateway(inFrontOf([lasting.url]));
    try {
      for (let index = 0; index < 5; index += 1) {
        const client = await rawClient(front.port);
        await client.send(get(`/reuse-${index}`));
        await client.response();
        client.close();
      }
      const record = await front.record("the last one", ({ target }) => target === "/reuse-4");
      expect(record.attempts[0]).toMatchObject({ reused: true, connectionUses: 4 });
      expect(lasting.connections).toHaveLength(1);
    } finally {
      await front.stop();
      await lasting.close();
    }
  });

  it("is not used again when bytes came that nobody asked for", async () => {
    const number = await freshOrigin(async (connection) => {
      await connection.head();
      await connection.send(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`);
      await connection.over;
    });
    const client = await rawClient(gateway.port);
    await client.send(get("/with-surplus"));
    await client.response();
    origin.follow(answerAll(OK));
    await (
      await origin.connection(number)
    ).over;
    await client.send(get("/after-surplus"));
    expect((await client.response()).body).toBe("ok");
    client.close();
  });

  it("is not used again when the origin says close", async () => {
    const number = await freshOrigin(answerAll(response(200, "bye", { Connection: "close" })));
    const client = await rawClient(gateway.port);
    await client.send(get("/close-1"));
    expect((await client.response()).headers["connection"] ?? "").not.toMatch(/close/i);
    await client.send(get("/close-2"));
    await client.response();
    expect(origin.connections.length).toBe(number + 1);
    client.close();
  });
});
