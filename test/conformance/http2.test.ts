/**
 * The rules of HTTP/2 for servers, each case on a connection of its own to a gateway as operators run it. What the gateway
 * sends in answer is judged as well, by all that no server may send; and each MUST of RFC 9113 towards a server names the
 * cases that show it (http2-musts.ts).
 */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLAG, FRAME } from "../../src/http2/frames.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { FrameReader } from "../support/h2-frames.ts";
import type { Frame } from "../support/h2-frames.ts";
import { breachesOf } from "../support/h2-sender-rules.ts";
import { BLOCK_CASES } from "./http2-block-cases.ts";
import type { Case, Expected } from "./http2-case.ts";
import { FRAME_CASES } from "./http2-frame-cases.ts";
import { MESSAGE_CASES } from "./http2-message-cases.ts";
import { MUSTS } from "./http2-musts.ts";

const CASES: readonly Case[] = [...FRAME_CASES, ...MESSAGE_CASES, ...BLOCK_CASES];
/** Only for what never comes: whatever is expected is waited for. */
const PATIENCE_MS = 240_000;

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
    expect(seen.breaches).toEqual([]);
  });

  it("still serves", async () => {
    const [first] = CASES.filter(({ title }) => title === "the priority field is taken");
    expect((await play(gateway.port, first!)).met).toBe(true);
  });
});

describe("each MUST of RFC 9113 towards a server", () => {
  const titles = new Set(CASES.map(({ section, title }) => `§${section}: ${title}`));

  it.each(MUSTS.filter(({ by }) => by.length > 0))("§$section: $must", ({ by }) => {
    const missing = by.filter((one) => {
      const [path, title] = one.split(" › ");
      if (title === undefined) return !titles.has(one);
      return !readFileSync(new URL(`../../${path}`, import.meta.url), "utf8").includes(title);
    });
    expect(missing).toEqual([]);
  });

  it("is shown by a case, or says why there is nothing to show", () => {
    for (const { by, because } of MUSTS) expect((by.length === 0) === (because !== undefined)).toBe(true);
  });
});

/** Sends what a case says and reads until it is decided, or the connection ends. */
async function play(port: number, one: Case): Promise<{ met: boolean; frames: string[]; breaches: string[] }> {
  const reader = new FrameReader();
  const socket: Socket = connect(port, "127.0.0.1");
  const received: Buffer[] = [];
  socket.setNoDelay(true);
  return await new Promise((resolve) => {
    let hasBegun = false;
    const finish = (isOver: boolean): void => {
      clearTimeout(patience);
      socket.destroy();
      const sent = Buffer.concat([...one.send, ...(one.after ?? [])]);
      resolve({
        met: isMet(one.expected, reader.frames, isOver),
        frames: reader.frames.map(nameOf),
        breaches: breachesOf(sent, Buffer.concat(received)),
      });
    };
    const patience = setTimeout(() => finish(false), PATIENCE_MS);
    socket.on("data", (bytes) => {
      received.push(bytes);
      reader.push(bytes);
      if (one.after !== undefined && !hasBegun && isWhole(reader.frames, 1, 0)) {
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
    case "ended":
      return isTold && isOver;
    case "stream":
      return (
        isTold ||
        frames.some(
          ({ type, payload }) => type === FRAME.RST_STREAM && expected.codes.includes(payload.readUInt32BE(0)),
        )
      );
    case "response":
      return isWhole(frames, expected.stream, expected.status);
    case "block":
      return frames.some(
        ({ type, stream, payload }) =>
          type === FRAME.HEADERS && stream === expected.stream && payload.toString("hex").startsWith(expected.begins),
      );
    case "frame":
      return (
        !frames.some(({ type }) => type === expected.without) &&
        frames.some(
          ({ type, flags, payload }) =>
            type === expected.type &&
            (!expected.ack || (flags & FLAG.ACK) !== 0) &&
            (expected.payload === undefined || payload.latin1Slice() === expected.payload),
        )
      );
  }
}

/** `status`: 0 for any; the block has to be read in the order of all of them to know it. */
function isWhole(frames: readonly Frame[], id: number, status: number): boolean {
  const its = frames.filter(({ stream }) => stream === id);
  const hasEnded = its.some(({ type, flags }) => type <= FRAME.HEADERS && (flags & FLAG.END_STREAM) !== 0);
  if (!hasEnded || !its.some(({ type }) => type === FRAME.HEADERS)) return false;
  return status === 0 || statusOf(frames, id) === status;
}

function statusOf(frames: readonly Frame[], id: number): number {
  const reader = new FrameReader();
  let status = 0;
  for (const one of frames) {
    if (one.type !== FRAME.HEADERS) continue;
    const its = Number(reader.fields(one).find(([name]) => name === ":status")?.[1] ?? 0);
    if (one.stream === id && its !== 0) status = its;
  }
  return status;
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
