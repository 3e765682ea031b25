/** The rules of HTTP/2 for servers (http2-cases.ts), each on a connection of its own to a gateway as operators run it. */
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLAG, FRAME } from "../../src/http2/frames.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { FrameReader } from "../support/h2-frames.ts";
import type { Frame } from "../support/h2-frames.ts";
import { CASES } from "./http2-cases.ts";
import type { Case, Expected } from "./http2-cases.ts";

let gateway: GatewayProcess;
let origin: Server;

describe("HTTP/2 as RFC 9113 wants it", () => {
  beforeAll(async () => {
    origin = createServer((request, response) => {
      request.resume();
      if (request.url !== "/slow") request.on("end", () => response.end("hello"));
    });
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    gateway = await startGateway(inFrontOf([`http://127.0.0.1:${(origin.address() as AddressInfo).port}`]));
  });
  afterAll(async () => {
    await gateway?.stop();
    origin?.closeAllConnections();
    origin?.close();
  });

  it.each(CASES)("§$section: $title", async (one) => {
    const seen = await play(gateway.port, one);
    expect(seen.met, `came: ${seen.frames.join(", ")}`).toBe(true);
  });

  it("still serves", async () => {
    const [first] = CASES.filter(({ title }) => title === "the priority field is taken");
    expect((await play(gateway.port, first!)).met).toBe(true);
  });
});

/** Sends what a case says and reads until it is decided, or the connection ends, or nothing more comes. */
async function play(port: number, one: Case): Promise<{ met: boolean; frames: string[] }> {
  const reader = new FrameReader();
  const socket: Socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  return await new Promise((resolve) => {
    let hasBegun = false;
    const finish = (isOver: boolean): void => {
      clearTimeout(patience);
      socket.destroy();
      resolve({ met: isMet(one.expected, reader.frames, isOver), frames: reader.frames.map(nameOf) });
    };
    const patience = setTimeout(() => finish(false), 10_000);
    socket.on("data", (bytes) => {
      reader.push(bytes);
      if (one.after !== undefined && !hasBegun && hasResponse(reader.frames, 1)) {
        hasBegun = true;
        socket.write(Buffer.concat(one.after));
      }
      if ((one.after === undefined || hasBegun) && isMet(one.expected, reader.frames, false)) finish(false);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => finish(true));
    for (const bytes of one.send) socket.write(bytes);
  });
}

function isMet(expected: Expected, frames: readonly Frame[], isOver: boolean): boolean {
  const goAway = frames.find(({ type }) => type === FRAME.GOAWAY);
  const isTold = goAway !== undefined && "codes" in expected && expected.codes.includes(goAway.payload.readUInt32BE(4));
  switch (expected.kind) {
    case "connection":
      return isTold || (isOver && goAway === undefined);
    case "stream":
      return (
        isTold ||
        frames.some(
          ({ type, payload }) => type === FRAME.RST_STREAM && expected.codes.includes(payload.readUInt32BE(0)),
        )
      );
    case "response":
      return hasResponse(frames, expected.stream);
    case "frame":
      return frames.some(({ type, flags }) => type === expected.type && (!expected.ack || (flags & FLAG.ACK) !== 0));
  }
}

function hasResponse(frames: readonly Frame[], id: number): boolean {
  const its = frames.filter(({ stream }) => stream === id);
  const isWhole = its.some(({ type, flags }) => type <= FRAME.HEADERS && (flags & FLAG.END_STREAM) !== 0);
  return isWhole && its.some(({ type }) => type === FRAME.HEADERS);
}

function nameOf({ type, stream, flags, payload }: Frame): string {
  const name = Object.entries(FRAME).find(([, its]) => its === type)?.[0] ?? String(type);
  const code =
    type === FRAME.RST_STREAM
      ? ` ${payload.readUInt32BE(0)}`
      : type === FRAME.GOAWAY
        ? ` ${payload.subarray(4).toString("latin1")}`
        : "";
  return `${name} ${stream} ${flags}${code}`;
}
