/**
 * What the codec costs: nanoseconds for each message, parsed whole from one buffer as it comes from a socket.
 * `node bench/codec.ts`; about ten seconds. The median of many short rounds is shown, because a round that
 * shared its core with something else says nothing about the codec.
 */
import { FIELD } from "../src/http1/field-ids.ts";
import type { MessageHead } from "../src/http1/head.ts";
import { RequestParser, ResponseParser } from "../src/http1/parser.ts";
import { ByteWriter } from "../src/http1/writer.ts";

const LIMITS = {
  headBytes: 32 * 1024,
  fields: 100,
  lineBytes: 16 * 1024,
  chunkExtensionBytes: 1024,
  trailerBytes: 8192,
};
const ROUNDS = 60;
const ROUND_MS = 20;

/** Keeps results alive, so that nothing is optimised away. */
let sink = 0;

const events = {
  onHead(head: MessageHead): void {
    sink += head.fieldCount;
  },
  onBody(_bytes: Buffer, start: number, end: number): void {
    sink += end - start;
  },
  onEnd(): void {
    sink += 1;
  },
  onRefusal(id: string): void {
    throw new Error(`the benchmark's own message was refused: ${id}`);
  },
};

const smallGet = message(
  "GET /api/items/42?verbose=1 HTTP/1.1",
  "Host: shop.example.com",
  "User-Agent: loadgen/1.4",
  "Accept: */*",
  "Accept-Encoding: gzip, deflate",
  "Connection: keep-alive",
  "X-Request-Id: 5f0c2a9e8b7d4c31",
  "Authorization: Bearer abcdefghijklmnopqrstuvwxyz",
  "Cache-Control: no-cache",
);
const browserGet = message(
  "GET /products/lamp?ref=home&utm_source=mail HTTP/1.1",
  "Host: shop.example.com",
  "Connection: keep-alive",
  'sec-ch-ua: "Chromium";v="142", "Not A Brand";v="24"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "Upgrade-Insecure-Requests: 1",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-User: ?1",
  "Sec-Fetch-Dest: document",
  "Referer: https://shop.example.com/",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; cart=3",
);
const response = message(
  "HTTP/1.1 200 OK",
  "Server: nginx",
  "Date: Sat, 21 Nov 2026 14:00:00 GMT",
  "Content-Type: application/json; charset=utf-8",
  "Content-Length: 500",
  "Connection: keep-alive",
  'ETag: "5f0c2a9e-1f4"',
  "Cache-Control: max-age=60",
  "Vary: Accept-Encoding",
);
const smallResponse = Buffer.concat([response, Buffer.alloc(500, "x")]);
const chunked = Buffer.concat([
  message("HTTP/1.1 200 OK", "Content-Type: text/plain", "Transfer-Encoding: chunked"),
  ...Array.from({ length: 16 }, () =>
    Buffer.concat([Buffer.from("1000\r\n"), Buffer.alloc(4096, "x"), Buffer.from("\r\n")]),
  ),
  Buffer.from("0\r\n\r\n"),
]);

const requests = new RequestParser(LIMITS, events);
const responses = new ResponseParser(LIMITS, events);
const copier = new RequestParser(LIMITS, { ...events, onHead: copyHead });
const writer = new ByteWriter(4096);

measure(`small GET, 8 fields, ${smallGet.length} bytes`, () => requests.execute(smallGet, 0, smallGet.length));
measure(`browser GET, 16 fields, ${browserGet.length} bytes`, () => requests.execute(browserGet, 0, browserGet.length));
measure("small GET, cut in two", () => {
  requests.execute(smallGet, 0, 100);
  return 100 + requests.execute(smallGet, 100, smallGet.length) - 100;
});
measure("small GET, parsed and written again without hop-by-hop fields", () =>
  copier.execute(smallGet, 0, smallGet.length),
);
measure(`response of 8 fields and 500 bytes, ${smallResponse.length} bytes`, () => {
  responses.expect("GET");
  return responses.execute(smallResponse, 0, smallResponse.length);
});
measure("response with 16 chunks of 4 KiB", () => {
  responses.expect("GET");
  return responses.execute(chunked, 0, chunked.length);
});
if (sink === 0) throw new Error("nothing was parsed");

/** What a gateway does with almost every head: copy runs of lines, ask for the host. */
function copyHead(head: MessageHead): void {
  writer.reset();
  writer.copy(head.bytes, head.headStart, head.fieldsStart);
  let from = -1;
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (head.hopByHop(index)) {
      if (from >= 0) writer.copy(head.bytes, from, head.lineStart(index));
      from = -1;
    } else if (from < 0) from = head.lineStart(index);
  }
  if (from >= 0) writer.copy(head.bytes, from, head.fieldsEnd);
  writer.crlf();
  sink += writer.length + (head.valueOf(FIELD.HOST)?.length ?? 0);
}

function message(...lines: string[]): Buffer {
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function measure(name: string, once: () => number): void {
  const perMessage: number[] = [];
  let batch = 100;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    for (let count = 0; count < batch; count += 1) sink += once();
    const ns = Number(process.hrtime.bigint() - start);
    perMessage.push(ns / batch);
    batch = Math.max(100, Math.round((batch * ROUND_MS * 1e6) / ns));
  }
  // The first rounds run code that is not compiled yet.
  const settled = perMessage.slice(ROUNDS / 3).sort((left, right) => left - right);
  const at = (ratio: number): string => (settled[Math.floor(settled.length * ratio)] ?? 0).toFixed(0).padStart(7);
  console.log(`${name.padEnd(62)}${at(0)} ns best ${at(0.5)} ns median`);
}
