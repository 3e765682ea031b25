import net from "node:net";
import tls from "node:tls";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFirstBytes } from "./client-hello.ts";

/** What Node's client says first. */
function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => {
      socket.once("data", (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      tls.connect({ port, host: "127.0.0.1", ...options }).on("error", () => undefined);
    });
  });
}

describe("the first message of a client", () => {
  it("says which name and protocols it wants, and what it can speak", async () => {
    const bytes = await helloOf({ servername: "Shop.Test", ALPNProtocols: ["h2", "http/1.1"] });
    expect(readFirstBytes(bytes)).toEqual({
      kind: "hello",
      hello: { serverName: "shop.test", alpn: ["h2", "http/1.1"], version: 0x0304 },
    });
  });

  it("of TLS 1.2 without a name", async () => {
    const bytes = await helloOf({ maxVersion: "TLSv1.2" });
    expect(readFirstBytes(bytes)).toEqual({ kind: "hello", hello: { serverName: "", alpn: [], version: 0x0303 } });
  });

  it("is a part until all of it is there, wherever it is cut", async () => {
    const bytes = await helloOf({ servername: "shop.test" });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(readFirstBytes(bytes.subarray(0, length)).kind, String(length)).toBe("part");
    }
  });

  it("is the same in one record and in many (RFC 8446 §5.1)", async () => {
    const bytes = await helloOf({ servername: "shop.test" });
    const message = bytes.subarray(5);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: message.length }), (size) => {
        const records: Buffer[] = [];
        for (let at = 0; at < message.length; at += size) {
          const piece = message.subarray(at, at + size);
          records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece);
        }
        expect(readFirstBytes(Buffer.concat(records))).toEqual(readFirstBytes(bytes));
      }),
    );
  });

  it("is never thrown on, whatever it holds", async () => {
    const bytes = await helloOf({ servername: "shop.test", ALPNProtocols: ["h2"] });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of changes) changed[at] = value;
        expect(["part", "hello", "http", "other"]).toContain(readFirstBytes(changed).kind);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (any) => {
        expect(["part", "hello", "http", "other"]).toContain(readFirstBytes(Buffer.from(any)).kind);
      }),
    );
  });

  it.each([
    ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "http"],
    ["PROPFIND /dav HTTP/1.1\r\n", "http"],
    ["GE", "part"],
    ["", "part"],
    ["get / HTTP/1.1\r\n", "other"],
    ["SSH-2.0-OpenSSH_9\r\n", "other"],
    ["\u0000\u0001", "other"],
    ["\u0016\u0009\u0001\u0000\u0005", "other"],
    ["\u0016\u0003\u0001\u0000\u0000", "other"],
  ])("%j is %s", (text, kind) => {
    expect(readFirstBytes(Buffer.from(text, "latin1")).kind).toBe(kind);
  });
});
