import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireReader } from "./wire-reader.ts";

/** Everything that a reader says of these bytes when they come in pieces of these sizes. */
function read(kind: "request" | "response", text: string, sizes: readonly number[], method = "GET"): string[] {
  const said: string[] = [];
  const reader = new WireReader(kind, {
    onHead: ({ startLine, fields }) =>
      said.push(`${startLine} ${[...fields].map((field) => field.join("=")).join(";")}`),
    onBody: (bytes, start, end) => {
      const last = said.at(-1) ?? "";
      const body = bytes.latin1Slice(start, end);
      if (last.startsWith("body ")) said[said.length - 1] = last + body;
      else said.push(`body ${body}`);
    },
    onEnd: () => said.push("end"),
    onBroken: (why) => said.push(`broken ${why}`),
  });
  reader.expect(method);
  const bytes = Buffer.from(text, "latin1");
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const end = Math.min(bytes.length, at + (sizes[turn % sizes.length] ?? bytes.length));
    reader.push(bytes, at, end);
    at = end;
  }
  said.push(reader.end() ? "clean" : "cut");
  return said;
}

const MESSAGES = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nSum: 1\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 200 OK\r\nA: 1\r\nA: 2\r\n\r\nuntil the end",
];

describe("the reader of simulated peers", () => {
  it("says the same however its input is cut", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MESSAGES),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (text, sizes) => {
          expect(read("response", text, sizes)).toEqual(read("response", text, [text.length]));
        },
      ),
    );
  });

  it("knows where messages end", () => {
    expect(read("response", MESSAGES[0]!, [100])).toEqual([
      "HTTP/1.1 200 OK content-length=5",
      "body hello",
      "end",
      "clean",
    ]);
    expect(read("response", MESSAGES[3]!, [100])).toEqual([
      "HTTP/1.1 200 OK a=1, 2",
      "body until the end",
      "end",
      "clean",
    ]);
    expect(read("response", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", [9], "HEAD")).toEqual([
      "HTTP/1.1 200 OK content-length=5",
      "end",
      "clean",
    ]);
    expect(read("request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", [3])).toEqual([
      "GET / HTTP/1.1 host=a",
      "end",
      "clean",
    ]);
  });

  it.each([
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\nContent-Le",
  ])("sees that %j is cut", (text) => {
    expect(read("response", text, [100]).at(-1)).toBe("cut");
  });

  it.each([
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
    "200 OK\r\n\r\n",
  ])("does not take %j", (text) => {
    expect(read("response", text, [100]).some((said) => said.startsWith("broken "))).toBe(true);
  });
});
