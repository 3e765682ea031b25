/** Response heads through the real parser and out again. */
import { describe, expect, it } from "vitest";
import { ResponseParser } from "../http1/parser.ts";
import { ByteWriter } from "../http1/writer.ts";
import { writeInterimHead, writeResponseHead } from "./forward-response.ts";
import type { ResponseAdditions } from "./forward-response.ts";

const LIMITS = { headBytes: 8192, fields: 50, lineBytes: 1024, chunkExtensionBytes: 100, trailerBytes: 1000 };
const ADDITIONS: ResponseAdditions = {
  requestId: "1",
  lines: "",
  framing: "as is",
  keepAlive: true,
  clientMinorVersion: 1,
};

function written(
  lines: readonly string[],
  use: (writer: ByteWriter, parser: ResponseParser) => void,
  method = "GET",
): string[] {
  const writer = new ByteWriter(64);
  const parser = new ResponseParser(LIMITS, {
    onHead: () => use(writer, parser),
    onBody: () => undefined,
    onEnd: () => undefined,
    onRefusal: (id) => {
      throw new Error(id);
    },
  });
  parser.expect(method);
  const bytes = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  parser.execute(bytes, 0, bytes.length);
  const text = writer.bytes.latin1Slice(0, writer.length);
  expect(text.endsWith("\r\n\r\n")).toBe(true);
  return text.slice(0, -4).split("\r\n");
}

function forwarded(lines: readonly string[], additions: Partial<ResponseAdditions> = {}, method = "GET"): string[] {
  return written(
    lines,
    (writer, parser) => writeResponseHead(writer, parser.head, { ...ADDITIONS, ...additions }),
    method,
  );
}

describe("the head of a response", () => {
  it("travels as it came, reason and all", () => {
    const lines = ["HTTP/1.1 299 Quite \u00e9 Right", "Content-Length: 0", "Set-Cookie: a=1", "set-cookie:b=2"];
    expect(forwarded(lines)).toEqual([...lines, "X-Request-Id: 1"]);
  });

  it("speaks this hop's version, also for an HTTP/1.0 origin", () => {
    expect(forwarded(["HTTP/1.0 200 OK", "Content-Length: 0"])[0]).toBe("HTTP/1.1 200 OK");
    expect(forwarded(["HTTP/1.0 404", "Content-Length: 0"])[0]).toBe("HTTP/1.1 404 ");
  });

  it("leaves behind what belongs to the hop between gateway and origin", () => {
    const lines = [
      "HTTP/1.1 200 OK",
      "Connection: close, X-Mine",
      "X-Mine: 1",
      "Keep-Alive: timeout=5",
      "Upgrade: h2c",
      "Proxy-Authenticate: Basic",
      "X-Request-Id: the origin's",
      "Content-Length: 0",
      "X-Yours: 2",
    ];
    expect(forwarded(lines)).toEqual(["HTTP/1.1 200 OK", "Content-Length: 0", "X-Yours: 2", "X-Request-Id: 1"]);
  });
});

describe("the framing towards the client", () => {
  it("replaces the origin's when there are chunks, and has none when the end of the connection is the end", () => {
    const lines = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "A: 1"];
    expect(forwarded(lines, { framing: "chunked" })).toEqual([
      "HTTP/1.1 200 OK",
      "A: 1",
      "X-Request-Id: 1",
      "Transfer-Encoding: chunked",
    ]);
    expect(forwarded(lines, { framing: "close", keepAlive: false, clientMinorVersion: 0 })).toEqual([
      "HTTP/1.1 200 OK",
      "A: 1",
      "X-Request-Id: 1",
      "Connection: close",
    ]);
  });

  it("writes an odd length as a plain number", () => {
    expect(forwarded(["HTTP/1.1 200 OK", "Content-Length: 00042"])).toContain("Content-Length: 42");
  });

  it("keeps the length of what HEAD or 304 would have had, and drops that of a 204", () => {
    expect(forwarded(["HTTP/1.1 200 OK", "Content-Length: 9"], {}, "HEAD")).toContain("Content-Length: 9");
    expect(forwarded(["HTTP/1.1 304 Not Modified", "Content-Length: 9"])).toContain("Content-Length: 9");
    expect(forwarded(["HTTP/1.1 204 No Content", "Content-Length: 9"])).toEqual([
      "HTTP/1.1 204 No Content",
      "X-Request-Id: 1",
    ]);
  });

  it("tells an HTTP/1.0 client that the connection stays, and everybody when it does not", () => {
    const lines = ["HTTP/1.1 200 OK", "Content-Length: 0"];
    expect(forwarded(lines, { clientMinorVersion: 0 })).toContain("Connection: keep-alive");
    expect(forwarded(lines, { keepAlive: false })).toContain("Connection: close");
    expect(forwarded(lines).join()).not.toContain("Connection");
  });
});

describe("an interim head", () => {
  it("travels without fields of the hop, a 101 with its protocol", () => {
    const hints = ["HTTP/1.1 103 Early Hints", "Link: </a>", "Connection: close", "Content-Length: 3"];
    expect(written(hints, (writer, parser) => writeInterimHead(writer, parser.head, null))).toEqual(hints.slice(0, 2));
    const agreed = [
      "HTTP/1.1 101 Switching Protocols",
      "Connection: upgrade",
      "Upgrade: WebSocket",
      "Sec-WebSocket-Accept: x",
    ];
    expect(written(agreed, (writer, parser) => writeInterimHead(writer, parser.head, "websocket"))).toEqual([
      "HTTP/1.1 101 Switching Protocols",
      "Sec-WebSocket-Accept: x",
      "Connection: Upgrade",
      "Upgrade: websocket",
    ]);
  });
});
