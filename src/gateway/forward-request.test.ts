/** Request heads through the real parser and out again. */
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../http1/writer.ts";
import { acceptsTrailers, forwardsUpgrade, writeRequestHead } from "./forward-request.ts";
import type { RequestAdditions } from "./forward-request.ts";
import { readHeadAgain } from "./read-head-again.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const TRACE_LINE = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-8448eb211c80319c-00";
const ADDITIONS: RequestAdditions = {
  identity: "",
  requestId: "1",
  newTrace: TRACE,
  gateway: "Via: 1.1 gate\r\n",
  deadline: "",
  basePath: "",
  host: null,
  ownHost: "origin.test:81",
  conditions: null,
  trusted: false,
  part: null,
};

/** What the origin gets for a request with these lines, without what the gateway always adds at the end. */
function forwarded(lines: readonly string[], additions: Partial<RequestAdditions> = {}): string[] {
  let text = "";
  readHeadAgain(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), (head) => {
    const writer = new ByteWriter(64);
    writeRequestHead(writer, head, { ...ADDITIONS, ...additions });
    text = writer.bytes.latin1Slice(0, writer.length);
  });
  expect(text.endsWith("\r\n\r\n")).toBe(true);
  const out = text.slice(0, -4).split("\r\n");
  const own = ["X-Request-Id: 1", "Via: 1.1 gate", ...((additions.newTrace ?? TRACE) === "" ? [] : [TRACE_LINE])];
  expect(out.filter((line) => own.includes(line)).toSorted()).toEqual(own.toSorted());
  return out.filter((line) => !own.includes(line));
}

describe("the fields of a request", () => {
  it("travel as they came: names, case, order, spaces, bytes above ASCII", () => {
    const lines = ["GET /a?b=%20 HTTP/1.1", "hOsT: x", "X-A:1", "X-A:   2  ", "x-b: no", "X-B: \u00e9\u00ff"];
    expect(forwarded(lines)).toEqual(lines);
  });

  it("of this hop stay here, also when Connection names them", () => {
    const lines = [
      "GET / HTTP/1.1",
      "Host: x",
      "Connection: close, X-Mine, Host, X-Forwarded-For",
      "X-Mine: 1",
      "X-Yours: 2",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Proxy-Authorization: Basic x",
      "TE: gzip",
      "Upgrade: websocket",
      "HTTP2-Settings: AAMAAABk",
    ];
    expect(forwarded(lines)).toEqual(["GET / HTTP/1.1", "Host: x", "X-Yours: 2"]);
  });

  it("that say who the client is are never copied", () => {
    const said = ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: y", "X-Forwarded-Port: 1"];
    const more = ["Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4", "X-Request-Id: theirs"];
    expect(forwarded(["GET / HTTP/1.1", "Host: x", ...said, "X-A: 1", ...more])).toEqual([
      "GET / HTTP/1.1",
      "Host: x",
      "X-A: 1",
    ]);
  });

  it("of a trace travel only when the trace goes on", () => {
    const lines = ["GET / HTTP/1.1", "Host: x", "traceparent: 00-1-2-00", "tracestate: a=b"];
    expect(forwarded(lines)).toEqual(lines.slice(0, 2));
    expect(forwarded(lines, { newTrace: "" })).toEqual(lines);
  });

  it("in runs between dropped ones are all kept, at both ends too", () => {
    const lines = ["GET / HTTP/1.1", "TE: x", "Host: x", "A: 1", "Keep-Alive: 1", "B: 2", "C: 3", "X-Real-IP: 4"];
    expect(forwarded(lines)).toEqual(["GET / HTTP/1.1", "Host: x", "A: 1", "B: 2", "C: 3"]);
  });
});

describe("the request line", () => {
  it.each([
    ["GET /a HTTP/1.1", "", "GET /a HTTP/1.1"],
    ["GET /a HTTP/1.0", "", "GET /a HTTP/1.1"],
    ["GET /a?b HTTP/1.1", "/base", "GET /base/a?b HTTP/1.1"],
    ["GET http://h/a?b HTTP/1.1", "", "GET /a?b HTTP/1.1"],
    ["GET http://h/a?b HTTP/1.1", "/base", "GET /base/a?b HTTP/1.1"],
    ["GET http://h HTTP/1.1", "", "GET / HTTP/1.1"],
    ["GET http://h?b HTTP/1.1", "", "GET /?b HTTP/1.1"],
    ["OPTIONS http://h HTTP/1.1", "", "OPTIONS * HTTP/1.1"],
    ["OPTIONS * HTTP/1.1", "/base", "OPTIONS * HTTP/1.1"],
  ])("%s with base path %j becomes %s", (line, basePath, expected) => {
    expect(forwarded([line, "Host: h"], { basePath })[0]).toBe(expected);
  });
});

describe("Host", () => {
  it("is the client's, or the origin's where the route says so", () => {
    expect(forwarded(["GET / HTTP/1.1", "Host: client"])).toEqual(["GET / HTTP/1.1", "Host: client"]);
    expect(forwarded(["GET / HTTP/1.1", "A: 1", "Host: client"], { host: "origin" })).toEqual([
      "GET / HTTP/1.1",
      "Host: origin",
      "A: 1",
    ]);
  });

  it("gives way to the authority of an absolute target (RFC 9112 §3.2.2)", () => {
    expect(forwarded(["GET http://shop.test:8080/ HTTP/1.1", "Host: other"])).toEqual([
      "GET / HTTP/1.1",
      "Host: shop.test:8080",
    ]);
  });

  it("that an HTTP/1.0 client leaves out is the origin's own, and an empty one stays empty", () => {
    expect(forwarded(["GET / HTTP/1.0"])).toEqual(["GET / HTTP/1.1", "Host: origin.test:81"]);
    expect(forwarded(["GET http://shop.test/ HTTP/1.0"])).toEqual(["GET / HTTP/1.1", "Host: shop.test"]);
    expect(forwarded(["GET / HTTP/1.1", "Host:"])).toEqual(["GET / HTTP/1.1", "Host:"]);
  });
});

describe("framing", () => {
  it("is written anew: one plain length or chunked, whatever the text was", () => {
    expect(forwarded(["POST / HTTP/1.1", "Host: x", "Content-Length: 007"])).toEqual([
      "POST / HTTP/1.1",
      "Host: x",
      "Content-Length: 7",
    ]);
    expect(forwarded(["POST / HTTP/1.1", "Host: x", "Transfer-Encoding: CHUNKED"])).toEqual([
      "POST / HTTP/1.1",
      "Host: x",
      "Transfer-Encoding: chunked",
    ]);
  });

  it("cannot be taken away by Connection", () => {
    expect(forwarded(["POST / HTTP/1.1", "Host: x", "Connection: Content-Length", "Content-Length: 7"])).toContain(
      "Content-Length: 7",
    );
  });
});

describe("Max-Forwards", () => {
  it.each([
    ["OPTIONS", "5", "4"],
    ["TRACE", "1", "0"],
    ["GET", "5", "5"],
    ["OPTIONS", "many", "many"],
  ])("of %s %s goes on as %s (RFC 9110 §7.6.2)", (method, value, next) => {
    expect(forwarded([`${method} / HTTP/1.1`, "Host: x", `Max-Forwards: ${value}`])).toContain(`Max-Forwards: ${next}`);
  });
});

describe("Upgrade and TE", () => {
  function asked(lines: readonly string[]): { upgrade: boolean; trailers: boolean } {
    let answer = { upgrade: false, trailers: false };
    readHeadAgain(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), (head) => {
      answer = { upgrade: forwardsUpgrade(head), trailers: acceptsTrailers(head) };
    });
    return answer;
  }

  it.each([
    [["Connection: upgrade", "Upgrade: websocket"], true],
    [["Upgrade: websocket"], false],
    [["Connection: upgrade"], false],
    [["Connection: upgrade", "Upgrade: h2c"], false],
    [["Connection: upgrade", "Upgrade: websocket, h2c"], false],
    [["Connection: upgrade", "Upgrade: websocket", "Content-Length: 1"], false],
    [["Connection: upgrade", "Upgrade: websocket", "Content-Length: 0"], true],
    [["Connection: upgrade", "Upgrade: websocket", "Transfer-Encoding: chunked"], false],
  ])("%j is passed on as an upgrade: %s", (fields, expected) => {
    expect(asked(["GET / HTTP/1.1", "Host: x", ...fields]).upgrade).toBe(expected);
  });

  it("only trailers of TE travel on, as this hop's own", () => {
    expect(forwarded(["GET / HTTP/1.1", "Host: x", "Connection: TE", "TE: gzip, trailers;q=1"])).toEqual([
      "GET / HTTP/1.1",
      "Host: x",
      "Connection: TE",
      "TE: trailers",
    ]);
    expect(asked(["GET / HTTP/1.1", "Host: x", "TE: xtrailers"]).trailers).toBe(false);
  });
});

describe("fields that say who the client is", () => {
  const LINES = ["GET / HTTP/1.1", "Host: shop.example"];
  const FORGED = [
    "X-Forwarded-User: admin",
    "X-Forwarded-Ssl: on",
    "x_forwarded_for: 6.6.6.6",
    "X_Real_IP: 6.6.6.6",
    "X-Request_Id: 7",
    "Proxy: http://evil.example",
  ];

  it("are dropped from an untrusted peer in every spelling that an origin may take for them", () => {
    expect(forwarded([...LINES, ...FORGED, "X-Other: stays"])).toEqual([...LINES, "X-Other: stays"]);
  });

  it("go on from a trusted proxy when they are spelt as they should be", () => {
    expect(forwarded([...LINES, ...FORGED], { trusted: true })).toEqual([
      ...LINES,
      "X-Forwarded-User: admin",
      "X-Forwarded-Ssl: on",
    ]);
  });
});
