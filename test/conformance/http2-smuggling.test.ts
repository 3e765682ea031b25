/**
 * Requests of HTTP/2 that would be two in HTTP/1.1, or another one, if they were translated carelessly; in front of
 * real servers and of one that writes down what it is asked. Dangerous is: something arrives that was not asked for, or
 * whoever asks next gets another's answer. None is tolerated.
 */
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLAG, FRAME } from "../../src/http2/frames.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { block, data, describeFrames, frame, FrameReader, GET, OPENING, POST, request } from "../support/h2-frames.ts";
import type { Pair } from "../support/h2-frames.ts";
import { installed, startHaproxy, startNginx, type Peer } from "../support/peers.ts";

const PATIENCE_MS = 240_000;
const HIDDEN = "GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n";
const TRAILERS = FLAG.END_HEADERS | FLAG.END_STREAM;

function changed(name: string, value: string, base: readonly Pair[] = GET): Pair[] {
  return base.map(([its, was]): Pair => [its, its === name ? value : was]);
}

let cases = 0;
/**
 * With a path that no other case has: where the gateway gave up what it had begun, that may arrive when the next case is
 * being tried.
 */
function ofItsOwn(pairs: readonly Pair[]): Pair[] {
  cases += 1;
  return pairs.map(([name, value]): Pair => [name, name === ":path" && value === "/" ? `/case-${cases}` : value]);
}

/** Each is one stream's frames; what may come of it is a refusal or one harmless request. */
const HOSTILE: readonly (readonly [what: string, ...frames: readonly Buffer[]])[] = [
  ...[
    ["a value", [...POST, ["x", `a\r\n\r\n${HIDDEN}`]]],
    ["a value that changes the framing", [...POST, ["x", "a\r\ntransfer-encoding: chunked"]]],
    ["a value that ends in LF", [...POST, ["x", "a\n"]]],
    ["a name", [...POST, [`x: y\r\n\r\n${HIDDEN}x`, "a"]]],
    ["a name with a colon and a space", [...POST, ["transfer-encoding: chunked\r\nx", "a"]]],
    ["the path", changed(":path", `/ HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, POST)],
    ["the path, by a space", changed(":path", "/smuggled HTTP/1.1", POST)],
    ["the path, by a tab", changed(":path", "/a\tHTTP/1.1", POST)],
    ["the path, absolute", changed(":path", "http://evil.example/smuggled", POST)],
    ["the path, as an authority", changed(":path", "//evil.example/smuggled", [])],
    ["the method", changed(":method", `GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\nPOST`, POST)],
    ["the method, by a space", changed(":method", "GET /smuggled", POST)],
    ["the scheme", changed(":scheme", "http://evil.example/smuggled?", POST)],
    ["the authority", changed(":authority", `a\r\n\r\n${HIDDEN}`, POST)],
    ["the authority, by a path", changed(":authority", "shop.example/smuggled", POST)],
    ["the authority, by user information", changed(":authority", "shop.example@evil.example", POST)],
    ["Host beside the authority", [...POST, ["host", "evil.example"]]],
    ["two Host fields", [...POST.slice(0, 3), ["host", "shop.example"], ["host", "evil.example"]]],
    ["a cookie's crumbs", [...POST, ["cookie", "a=1\r\nx: y"], ["cookie", "b"]]],
    ["Transfer-Encoding", [...POST, ["transfer-encoding", "chunked"]]],
    ["Transfer-Encoding, identity", [...POST, ["transfer-encoding", "identity"]]],
    ["Transfer-Encoding, with a tab", [...POST, ["transfer-encoding", "\tchunked"]]],
    ["Transfer-Encoding, as a name with a space", [...POST, ["transfer-encoding ", "chunked"]]],
    ["Transfer_Encoding", [...POST, ["transfer_encoding", "chunked"]]],
    ["Connection", [...POST, ["connection", "content-length"]]],
    ["Upgrade", [...POST, ["upgrade", "h2c"], ["http2-settings", "AAMAAABkAAQAAP__"]]],
    ["Content-Length 0", [...POST, ["content-length", "0"]]],
    ["Content-Length that is too short", [...POST, ["content-length", "4"]]],
    ["Content-Length that is too long", [...POST, ["content-length", "400"]]],
    ["Content-Length twice, alike", [...POST, ["content-length", "43"], ["content-length", "43"]]],
    ["Content-Length twice, different", [...POST, ["content-length", "0"], ["content-length", "43"]]],
    ["Content-Length with a plus", [...POST, ["content-length", "+0"]]],
    ["Content-Length with a list", [...POST, ["content-length", "0, 43"]]],
    ["Content-Length in hexadecimal", [...POST, ["content-length", "0x2b"]]],
    ["Content-Length below nothing", [...POST, ["content-length", "-1"]]],
    ["Content-Length that is empty", [...POST, ["content-length", ""]]],
    ["Expect", [...POST, ["expect", "100-continue"], ["content-length", "0"]]],
  ].map(([what, pairs]): readonly [string, ...Buffer[]] => [
    `through ${what as string}`,
    request(1, ofItsOwn(pairs as Pair[]), false),
    data(1, HIDDEN, true),
  ]),
  ["through content that says it ends", request(1, ofItsOwn(POST), false), data(1, `0\r\n\r\n${HIDDEN}`, true)],
  ["through content of a GET", request(1, ofItsOwn(GET), false), data(1, HIDDEN, true)],
  ["through content of a HEAD", request(1, ofItsOwn(changed(":method", "HEAD")), false), data(1, HIDDEN, true)],
  ["through content of a TRACE", request(1, ofItsOwn(changed(":method", "TRACE")), false), data(1, HIDDEN, true)],
  [
    "through a trailer",
    request(1, ofItsOwn(POST), false),
    frame(FRAME.HEADERS, TRAILERS, 1, block([["x", `a\r\n\r\n${HIDDEN}`]])),
  ],
  [
    "through a length in the trailers",
    request(1, ofItsOwn(POST), false),
    data(1, "abc"),
    frame(FRAME.HEADERS, TRAILERS, 1, block([["content-length", "0"]])),
  ],
  [
    "through framing in the trailers",
    request(1, ofItsOwn(POST), false),
    data(1, "abc"),
    frame(FRAME.HEADERS, TRAILERS, 1, block([["transfer-encoding", "chunked"]])),
  ],
  [
    "through a CONNECT",
    request(
      1,
      [
        [":method", "CONNECT"],
        [":authority", "shop.example:80"],
      ],
      false,
    ),
    data(1, HIDDEN),
  ],
  [
    "through a WebSocket that was not granted",
    request(1, [[":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1)], false),
    data(1, HIDDEN),
  ],
  [
    "through a protocol that nobody knows",
    request(1, [[":method", "CONNECT"], [":protocol", `a\r\n\r\n${HIDDEN}`], ...GET.slice(1)], false),
    data(1, HIDDEN),
  ],
];

const asked: string[] = [];
let origin: Server;
let originUrl: string;

beforeAll(async () => {
  origin = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? "");
    let bytes = 0;
    incoming.on("data", (piece: Buffer) => {
      bytes += piece.length;
    });
    incoming.on("end", () => outgoing.end(`${incoming.url} ${bytes}`));
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
});
afterAll(() => {
  origin?.closeAllConnections();
  origin?.close();
});

describe.each([
  { name: "Node", needs: null, start: (): Promise<Peer | null> => Promise.resolve(null) },
  { name: "HAProxy", needs: "haproxy", start: () => startHaproxy(originUrl.slice("http://".length)) },
  {
    name: "nginx",
    needs: "nginx",
    start: () => startNginx(`location / { proxy_pass ${originUrl}; proxy_http_version 1.1; }`),
  },
] as const)("in front of $name", ({ needs, start }) => {
  let peer: Peer | null = null;
  let gateway: GatewayProcess;
  const isThere = needs === null || installed(needs);

  beforeAll(async () => {
    if (!isThere) return;
    peer = await start();
    // One connection to the origin, kept: what is left on it meets whoever asks next.
    gateway = await startGateway(inFrontOf([peer?.url ?? originUrl], { ejection: false, health: false }));
  });
  afterAll(async () => {
    await gateway?.stop();
    await peer?.stop();
  });

  it.skipIf(!isThere).each(HOSTILE.map(([what, ...frames]) => ({ what, frames })))(
    "nothing gets $what",
    async ({ what, frames }) => {
      asked.length = 0;
      const mark = `/after-${encodeURIComponent(what)}`;
      const came = await ask(gateway.port, frames, mark);
      expect(asked.filter((url) => url.includes("smuggled") && !url.startsWith("/after"))).toEqual([]);
      expect(asked.filter((url) => url.startsWith("/after"))).toEqual([mark]);
      // Each at most once, and at most one that no case asks for by that name.
      expect(asked).toEqual([...new Set(asked)]);
      expect(asked.filter((url) => !/^\/(?:after|case)-/.test(url)).length, asked.join(" ")).toBeLessThanOrEqual(1);
      // Whoever asks next has the own answer.
      expect(came).toContain(`${mark} 0`);
    },
  );
});

/** Sends hostile frames and then a request as any client sends it, on the same connection; returns the latter's content. */
function ask(port: number, frames: readonly Buffer[], path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader();
    const socket = connect(port, "127.0.0.1");
    const patience = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer; came: ${describeFrames(reader, reader.frames).join(", ")}`));
    }, PATIENCE_MS);
    let content = "";
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(patience);
      reject(new Error(`closed; came: ${describeFrames(reader, reader.frames).join(", ")}`));
    });
    socket.on("data", (bytes) => {
      for (const { type, stream, flags, payload } of reader.push(bytes)) {
        if (stream !== 3 || type !== FRAME.DATA) continue;
        content += payload.latin1Slice();
        if ((flags & FLAG.END_STREAM) === 0) continue;
        clearTimeout(patience);
        socket.destroy();
        resolve(content);
      }
    });
    socket.write(Buffer.concat([OPENING, ...frames, request(3, changed(":path", path))]));
  });
}
