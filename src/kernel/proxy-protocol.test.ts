import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesToIp } from "./ip-bytes.ts";
import { ProxyHeaderReader, SIGNATURE, TLV } from "./proxy-protocol.ts";
import type { ProxyHeader, ProxyRefusal } from "./proxy-protocol.ts";
import { localProxyHeader, writeProxyHeader } from "./proxy-protocol-writer.ts";

const BYTES_MAX = 4096;

interface Read {
  readonly header: ProxyHeader | null;
  readonly refusal: ProxyRefusal | null;
  /** What stands behind the header. */
  readonly rest: string;
}

/** In pieces that end at the given places. */
function read(bytes: Uint8Array, cuts: readonly number[] = [], bytesMax = BYTES_MAX): Read {
  const reader = new ProxyHeaderReader(bytesMax);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  let start = 0;
  for (const end of ends) {
    // Where the bytes stand in a buffer is nobody's business.
    const shifted = Buffer.concat([Buffer.alloc(7, 80), bytes.subarray(start, end)]);
    const at = reader.execute(shifted, 7, shifted.length) - 7 + start;
    if (reader.header !== null || reader.refusal !== null) {
      return { header: reader.header, refusal: reader.refusal, rest: Buffer.from(bytes.subarray(at)).latin1Slice() };
    }
    expect(at).toBe(end);
    start = end;
  }
  return { header: null, refusal: null, rest: "" };
}

function readText(text: string): Read {
  return read(Buffer.from(text, "latin1"));
}

function v2(command: number, family: number, body: readonly number[]): Buffer {
  return Buffer.from([...SIGNATURE, command, family, body.length >> 8, body.length & 255, ...body]);
}

const port = fc.nat(65_535);
const ip = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(bytesToIp);
const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToIp);
const ends = fc.oneof(ip, ip6).chain((source) =>
  fc.record({
    source: fc.constant(source),
    destination: source.includes(":") ? ip6 : ip,
    sourcePort: port,
    destinationPort: port,
  }),
);
const word = fc.stringMatching(/^[!-~]{1,40}$/);
const extras = fc.record({
  alpn: fc.constantFrom("", "h2", "http/1.1"),
  authority: fc.constantFrom("", "shop.example.com"),
  tls: fc.option(fc.record({ version: word, cipher: word, commonName: fc.oneof(fc.constant(""), word) })),
});
const cuts = fc.array(fc.nat(200), { maxLength: 6 });

describe("a header that was written", () => {
  test("is read back however it is cut, and what follows it is left alone", () => {
    fc.assert(
      fc.property(fc.constantFrom(1 as const, 2 as const), ends, extras, cuts, (version, theEnds, theExtras, where) => {
        const bytes = writeProxyHeader(version, theEnds, theExtras);
        const { header, refusal, rest } = read(Buffer.concat([bytes, Buffer.from("GET / HTTP/1.1")]), where);
        expect(refusal).toBeNull();
        expect(rest).toBe("GET / HTTP/1.1");
        expect(header).toMatchObject({ version, local: false, ...theEnds });
        if (version === 2) expect(header).toMatchObject(theExtras);
      }),
      { numRuns: 1_000 },
    );
  });

  test("says nothing of ends where one has no IP address", () => {
    const theEnds = { source: "unix:", sourcePort: 0, destination: "", destinationPort: 0 };
    expect(writeProxyHeader(1, theEnds).latin1Slice()).toBe("PROXY UNKNOWN\r\n");
    expect(read(writeProxyHeader(2, theEnds)).header?.local).toBe(true);
  });

  test("has both ends in one family, IPv4 where that is possible", () => {
    const theEnds = { source: "::ffff:192.0.2.7", sourcePort: 1, destination: "198.51.100.1", destinationPort: 2 };
    expect(writeProxyHeader(1, theEnds).latin1Slice()).toBe("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n");
    const mixed = { ...theEnds, source: "2001:db8::1" };
    expect(writeProxyHeader(1, mixed).latin1Slice()).toBe("PROXY TCP6 2001:db8::1 ::ffff:198.51.100.1 1 2\r\n");
  });

  test("of a check of our own is the proxy's own word", () => {
    expect(read(localProxyHeader(1)).header).toMatchObject({ version: 1, local: true });
    expect(read(localProxyHeader(2)).header).toMatchObject({ version: 2, local: true });
  });
});

describe("version 1", () => {
  test("the examples of the specification", () => {
    expect(readText("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\nx")).toMatchObject({
      header: { source: "255.255.255.255", sourcePort: 65_535, local: false },
      rest: "x",
    });
    const longest = `PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`;
    expect(longest.length).toBe(107);
    expect(readText(longest)).toMatchObject({ header: { local: true, source: "" }, rest: "" });
    expect(readText("PROXY UNKNOWN\r\n").header?.local).toBe(true);
  });

  test.each([
    "PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n",
    "PROXY TCP4 192.0.2.7 198.51.100.1 1 2\rx\n",
    "PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n",
    "PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n",
    "PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n",
    "PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n",
    "PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n",
    "PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n",
    "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
    "PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n",
    "PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n",
    "PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n",
    "PROXY UNKNOWNS\r\n",
    "PROXY \r\n",
    `PROXY UNKNOWN ${"x".repeat(107)}\r\n`,
    "PROXY ".padEnd(107, "1"),
  ])("%j is malformed", (text) => {
    expect(readText(text).refusal).toBe("malformed");
  });

  test("what is not a header is refused at its first byte that shows it", () => {
    expect(readText("G").refusal).toBe("no-header");
    expect(readText("PROX").refusal).toBeNull();
    expect(readText("PROXy").refusal).toBe("no-header");
    expect(readText("\x16\x03\x01").refusal).toBe("no-header");
    // An empty line before a request.
    expect(readText("\r\nGET").refusal).toBe("no-header");
  });
});

describe("version 2", () => {
  const addresses = [192, 0, 2, 7, 198, 51, 100, 1, 0x1f, 0x90, 0, 80];

  test("a command, a version or a family that is not specified is refused", () => {
    for (const command of [0x22, 0x2f, 0x11, 0x31, 0x00]) {
      expect(read(v2(command, 0x11, addresses)).refusal, String(command)).toBe("unspecified");
    }
    for (const family of [0x10, 0x01, 0x13, 0x41, 0xff]) {
      expect(read(v2(0x21, family, addresses)).refusal, String(family)).toBe("unspecified");
    }
  });

  test("a length that does not hold the addresses, or a TLV that reaches beyond it, is malformed", () => {
    expect(read(v2(0x21, 0x11, addresses.slice(1))).refusal).toBe("malformed");
    expect(read(v2(0x21, 0x11, [...addresses, TLV.ALPN, 0])).refusal).toBe("malformed");
    expect(read(v2(0x21, 0x11, [...addresses, TLV.ALPN, 0, 3, 104, 50])).refusal).toBe("malformed");
    expect(read(v2(0x21, 0x11, [...addresses, TLV.ALPN, 0, 2, 104, 50])).header?.alpn).toBe("h2");
  });

  test("one that is longer than is taken is refused before it has come", () => {
    expect(read(Buffer.from([...SIGNATURE, 0x21, 0x11, 0xff, 0xff])).refusal).toBe("too-long");
    expect(read(v2(0x21, 0x11, addresses), [], 28).header).not.toBeNull();
    expect(read(v2(0x21, 0x11, addresses), [], 27).refusal).toBe("too-long");
  });

  test("a client on a Unix socket has no address and is not the proxy itself", () => {
    const header = read(v2(0x21, 0x31, Array<number>(216).fill(0))).header;
    expect(header).toMatchObject({ local: false, source: "unix:" });
  });

  test("what LOCAL carries is passed over, whatever it is", () => {
    expect(read(v2(0x20, 0x11, [...addresses, 1, 2])).header).toMatchObject({ local: true, source: "" });
    expect(read(v2(0x20, 0x00, [])).header?.local).toBe(true);
  });

  test("a checksum has to match, and one that is not there is not missed", () => {
    const theEnds = { source: "192.0.2.7", sourcePort: 1, destination: "198.51.100.1", destinationPort: 2 };
    const written = writeProxyHeader(2, theEnds);
    fc.assert(
      fc.property(fc.nat(written.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(written);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const { header } = read(flipped);
        // Whose type or kind was flipped is no checksum any more, or a header of the proxy's own; no wrong address passes.
        if (header !== null && !header.local && bit < 28 * 8) expect(header).toMatchObject(theEnds);
      }),
    );
    expect(read(v2(0x21, 0x11, addresses)).header?.source).toBe("192.0.2.7");
    const twice = [...addresses, TLV.CRC32C, 0, 4, 0, 0, 0, 0, TLV.CRC32C, 0, 4, 0, 0, 0, 0];
    expect(read(v2(0x21, 0x11, twice)).refusal).toBe("checksum");
  });

  test("a common name counts when the certificate was shown and found good", () => {
    const inner = [TLV.SSL_CN, 0, 2, 109, 101];
    const told = (client: number, verify: number): string | undefined =>
      read(v2(0x21, 0x11, [...addresses, TLV.SSL, 0, 10, client, 0, 0, 0, verify, ...inner])).header?.tls?.commonName;
    expect(told(1 | 2, 0)).toBe("me");
    expect(told(1 | 2, 1)).toBe("");
    expect(told(1, 0)).toBe("");
    expect(told(0, 0)).toBeUndefined();
  });

  test("text that would be mistaken in a log counts as not told", () => {
    const told = (value: readonly number[]): string | undefined =>
      read(v2(0x21, 0x11, [...addresses, TLV.AUTHORITY, 0, value.length, ...value])).header?.authority;
    expect(told([97, 46, 98])).toBe("a.b");
    expect(told([97, 10, 98])).toBe("");
    expect(told([195, 188])).toBe("");
  });
});

test("whatever comes, it is a header, a refusal or not enough, and the same in any pieces", () => {
  const piece = fc.oneof(
    fc.constantFrom("PROXY ", "TCP4 ", "1.2.3.4 ", "9 ", "80\r\n", "UNKNOWN", "\r\n").map((text) => Buffer.from(text)),
    fc.constant(Buffer.from(SIGNATURE)),
    fc.constantFrom([0x21, 0x11], [0x20, 0], [0, 12], [0, 40], [0x20, 0, 9]).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), cuts, (pieces, where) => {
      const bytes = Buffer.concat(pieces);
      const whole = read(bytes);
      const cut = read(bytes, where);
      expect(cut.header).toEqual(whole.header);
      expect(cut.refusal).toBe(whole.refusal);
      // Behind a refusal nothing is read any more, so only a header has a place where it ends.
      if (whole.header !== null) expect(cut.rest).toBe(whole.rest);
    }),
    { numRuns: 5_000 },
  );
});
