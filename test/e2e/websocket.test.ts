/** WebSocket through the gateway with an independent implementation at both ends. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { eventBefore } from "../support/event-before.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { startNodeApp, type Peer } from "../support/peers.ts";
import { rawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response } from "../support/raw-origin.ts";

let app: Peer;
let gateway: GatewayProcess;

beforeAll(async () => {
  app = await startNodeApp("app");
  gateway = await startGateway(inFrontOf([app.url]));
});
afterAll(async () => {
  await gateway?.stop();
  await app?.stop();
});

async function open(path = "/ws"): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`, { maxPayload: 64 * 1024 * 1024 });
  await eventBefore(socket, "open");
  return socket;
}

async function echo(socket: WebSocket, message: string | Buffer): Promise<Buffer> {
  const echoed = eventBefore<[Buffer]>(socket, "message");
  socket.send(message);
  const [data] = await echoed;
  return data;
}

describe("a WebSocket", () => {
  it("carries text and binary both ways, in order", async () => {
    const socket = await open();
    for (const word of ["hello", "", "grüße", "x".repeat(70_000)])
      expect((await echo(socket, word)).toString()).toBe(word);
    const binary = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    expect(await echo(socket, binary)).toEqual(binary);
    socket.close();
  });

  it("carries a frame of 16 MiB unchanged", async () => {
    const socket = await open();
    const frame = Buffer.from(new Uint8Array(16 * 1024 * 1024).map((_, index) => index % 251));
    expect((await echo(socket, frame)).equals(frame)).toBe(true);
    socket.close();
  });

  it("ends with the close code of the other side and leaves one record that calls it a tunnel", async () => {
    const socket = await open("/ws?closing");
    await echo(socket, "before closing");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.close(4_001, "done");
    expect(await closed).toBe(4_001);
    const record = await gateway.record("the tunnel", ({ target }) => target === "/ws?closing");
    expect(record).toMatchObject({ tunnel: true, status: 101, outcome: "served", cause: null });
  });

  it("that the origin declines is answered with the origin's own words, and the connection stays", async () => {
    const declining = await rawOrigin(answerAll(response(426, "not here", { Upgrade: "other" })));
    const behind = await startGateway(inFrontOf([declining.url]));
    try {
      const client = await rawClient(behind.port);
      for (let n = 0; n < 2; n += 1) {
        await client.send("GET /declined HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        expect(await client.response()).toMatchObject({ status: 426, body: "not here" });
      }
      expect(declining.heads[0]).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/i);
      client.close();
    } finally {
      await behind.stop();
      await declining.close();
    }
  });

  it("that is cut by the client is closed at the application", async () => {
    const socket = await open();
    await echo(socket, "still here");
    const other = await open();
    socket.terminate();
    expect((await echo(other, "others go on")).toString()).toBe("others go on");
    other.close();
  });

  it("is told when the gateway ends, which waits for no more than the answers", async () => {
    const socket = await open("/ws?going");
    await echo(socket, "before the end");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const ended = gateway.stop();
    expect(await closed).toBe(1_001);
    expect(await ended).toEqual({ code: 0, signal: null });
  });
});
