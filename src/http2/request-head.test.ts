import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageHead } from "../http1/head.ts";
import { RequestParser } from "../http1/parser.ts";
import { REFUSALS } from "../http1/refusals.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { HeaderField } from "./header-field.ts";
import { RequestHead } from "./request-head.ts";
import { RequestTrailers } from "./request-trailers.ts";

type Pair = readonly [name: string, value: string];

const LIMITS = { headBytes: 32_768, fields: 100, lineBytes: 16_384, chunkExtensionBytes: 1024, trailerBytes: 8192 };

function translate(
  pairs: readonly Pair[],
  ends = true,
): { text: string; refusal: RefusalId | null; head: RequestHead } {
  const head = new RequestHead();
  head.begin(LIMITS);
  for (const [name, value] of pairs) head.onField(new HeaderField(name, value));
  const refusal = head.finish(ends, () => "dGhlIHNhbXBsZSBub25jZQ==");
  return { text: head.bytes.latin1Slice(head.start, head.end), refusal, head };
}

/** What the parser of all requests makes of it. */
function reread(text: string): {
  heads: { method: string; target: string; fields: Pair[] }[];
  refusal: RefusalId | null;
  rest: number;
} {
  const heads: { method: string; target: string; fields: Pair[] }[] = [];
  let refusal: RefusalId | null = null;
  const parser = new RequestParser(LIMITS, {
    onHead(head: MessageHead) {
      const fields = Array.from({ length: head.fieldCount }, (_, i): Pair => [head.name(i), head.value(i)]);
      const target = head.bytes.latin1Slice(head.targetStart, head.targetEnd);
      heads.push({ method: head.method, target, fields });
    },
    onBody: () => undefined,
    onEnd: () => undefined,
    onRefusal(id) {
      refusal = id;
    },
  });
  const bytes = Buffer.from(text, "latin1");
  let at = 0;
  for (let next = -1; next !== at && at < bytes.length;) {
    next = at;
    at = parser.execute(bytes, at, bytes.length);
  }
  return { heads, refusal, rest: bytes.length - at };
}

const GET: readonly Pair[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/a?b=c"],
  [":authority", "shop.example"],
];
const without = (name: string): Pair[] => GET.filter(([its]) => its !== name);
const changed = (name: string, value: string): Pair[] => GET.map((pair) => (pair[0] === name ? [name, value] : pair));

test("a request is what an HTTP/1.1 client would have sent", () => {
  const { text, refusal } = translate([
    ...GET,
    ["accept", "*/*"],
    ["cookie", "a=1"],
    ["te", "trailers"],
    ["cookie", "b=2"],
  ]);
  expect(refusal).toBeNull();
  expect(text).toBe(
    "GET /a?b=c HTTP/1.1\r\nhost: shop.example\r\naccept: */*\r\nte: trailers\r\ncookie: a=1; b=2\r\n\r\n",
  );
});

test("content of unknown length goes on in chunks, and of a known one as it is", () => {
  expect(translate(GET, false).text).toContain("\r\ntransfer-encoding: chunked\r\n");
  const known = translate([...GET, ["content-length", "5"]], false);
  expect(known.text).not.toContain("transfer-encoding");
  expect(known.head.contentLength).toBe(5);
});

test("an extended CONNECT becomes the handshake of a WebSocket", () => {
  const pairs: Pair[] = [[":method", "CONNECT"], [":protocol", "websocket"], ...without(":method")];
  const { text, refusal } = translate(
    [...pairs, ["sec-websocket-version", "13"], ["sec-websocket-key", "mine"]],
    false,
  );
  expect(refusal).toBeNull();
  expect(text).toBe(
    "GET /a?b=c HTTP/1.1\r\nhost: shop.example\r\nsec-websocket-version: 13\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
});

test("the asterisk of OPTIONS and the authority of CONNECT keep their forms", () => {
  expect(translate([...changed(":method", "OPTIONS").filter(([n]) => n !== ":path"), [":path", "*"]]).text).toMatch(
    /^OPTIONS \* HTTP/,
  );
  expect(
    translate(
      [
        [":method", "CONNECT"],
        [":authority", "a:443"],
      ],
      false,
    ).text,
  ).toBe("CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n");
});

test.each([
  ["https", "shop.example", "Shop.Example:443"],
  ["https", "shop.example:443", "shop.example"],
  ["http", "shop.example", "shop.example:80"],
  ["http", "[2001:db8::1]", "[2001:DB8::1]:80"],
])("the port of %s and capitals make no other host of %s than of %s", (scheme, authority, host) => {
  const pairs = changed(":scheme", scheme).map((pair): Pair =>
    pair[0] === ":authority" ? [pair[0], authority] : pair,
  );
  const { text, refusal } = translate([...pairs, ["host", host]]);
  expect(refusal).toBeNull();
  expect(reread(text).heads[0]?.fields).toEqual([["host", authority]]);
});

const REFUSED: readonly (readonly [id: RefusalId, what: string, pairs: readonly Pair[]])[] = [
  ["h2-pseudo-unknown", "an unknown pseudo-field", [...GET, [":peer", "x"]]],
  ["h2-pseudo-unknown", "a pseudo-field of responses", [[":status", "200"], ...GET]],
  ["h2-pseudo-unknown", ":protocol without CONNECT", [[":protocol", "websocket"], ...GET]],
  ["h2-pseudo-repeated", "two methods", [[":method", "GET"], ...GET]],
  ["h2-pseudo-repeated", "two paths", [[":path", "/"], ...GET]],
  ["h2-pseudo-repeated", "two authorities", [[":authority", "evil"], ...GET]],
  ["h2-pseudo-late", "a pseudo-field behind a field", [...GET, ["a", "b"], [":path", "/"]]],
  ["h2-pseudo-missing", "no method", without(":method")],
  ["h2-pseudo-missing", "no scheme", without(":scheme")],
  ["h2-pseudo-missing", "no path", without(":path")],
  ["h2-method", "a method with a space", changed(":method", "GET /evil HTTP/1.1")],
  ["h2-method", "an empty method", changed(":method", "")],
  ["h2-field-value-line-end", "a method with a line end", changed(":method", "GET\r\nx: y")],
  ["h2-scheme", "another scheme", changed(":scheme", "ftp")],
  ["h2-path", "an empty path", changed(":path", "")],
  ["h2-path", "a path with a space", changed(":path", "/a HTTP/1.1")],
  ["h2-path", "an absolute path", changed(":path", "http://evil/")],
  ["h2-path", "a path without a slash", changed(":path", "a")],
  ["h2-field-value-line-end", "a path with a line end", changed(":path", "/ HTTP/1.1\r\nevil: 1\r\n\r\n")],
  ["h2-authority", "an empty authority", changed(":authority", "")],
  ["h2-authority", "an authority with a space", changed(":authority", "a b")],
  ["h2-field-value-line-end", "an authority with a line end", changed(":authority", "a\r\nevil: 1")],
  ["h2-host-differs", "two hosts", [...GET, ["host", "evil.example"]]],
  ["h2-host-differs", "a port that the scheme does not have by itself", [...GET, ["host", "shop.example:80"]]],
  ["h2-connect", "a CONNECT with a path", changed(":method", "CONNECT")],
  ["h2-protocol", "another protocol in a CONNECT", [[":protocol", "connect-udp"], ...changed(":method", "CONNECT")]],
  ["h2-field-name", "an empty name", [...GET, ["", "x"]]],
  ["h2-field-name", "a name with a colon", [...GET, ["a: b", "x"]]],
  ["h2-field-name", "a name with a line end", [...GET, ["a\r\nb", "x"]]],
  ["h2-field-name-upper-case", "a capital letter", [...GET, ["X-A", "x"]]],
  ["h2-field-value-line-end", "a value with a line end", [...GET, ["a", "b\r\ntransfer-encoding: chunked"]]],
  ["h2-field-value-line-end", "a value with LF alone", [...GET, ["a", "b\nc: d"]]],
  ["h2-field-value-whitespace", "a value that begins with a space", [...GET, ["a", " b"]]],
  ["h2-field-value-whitespace", "a value that ends with a tab", [...GET, ["a", "b\t"]]],
  ["field-value-nul", "NUL in a value", [...GET, ["a", "b\0c"]]],
  ["field-value-control", "a control byte in a value", [...GET, ["a", "b\x01c"]]],
  ["h2-connection-field", "Connection", [...GET, ["connection", "close"]]],
  ["h2-connection-field", "Transfer-Encoding", [...GET, ["transfer-encoding", "chunked"]]],
  ["h2-connection-field", "Upgrade", [...GET, ["upgrade", "h2c"]]],
  ["h2-connection-field", "Keep-Alive", [...GET, ["keep-alive", "5"]]],
  ["h2-connection-field", "Proxy-Connection", [...GET, ["proxy-connection", "close"]]],
  ["h2-te", "TE with a coding", [...GET, ["te", "trailers, gzip"]]],
  ["h2-length-differs", "a length without content", [...GET, ["content-length", "5"]]],
  ["too-many-fields", "too many fields", [...GET, ...Array.from({ length: 200 }, (_, i): Pair => [`a${i}`, "b"])]],
  ["head-too-large", "a head that is too large", [...GET, ["a", "b".repeat(40_000)]]],
];

test.each(REFUSED)("refuses with %s: %s", (id, _what, pairs) => {
  expect(translate(pairs).refusal).toBe(id);
});

test.each([
  ["no host at all", without(":authority"), "host-missing"],
  ["a port that is none", changed(":authority", "a:b"), "host-illegal"],
  ["user information in the authority", changed(":authority", "me@shop.example"), "host-illegal"],
  ["two Host fields", [...without(":authority"), ["host", "a"], ["host", "b"]], "host-repeated"],
  ["two lengths", [...GET, ["content-length", "0"], ["content-length", "0"]], "content-length-repeated"],
  ["a length that is no number", [...GET, ["content-length", "0x0"]], "content-length-syntax"],
  ["a fragment", changed(":path", "/#a"), "target-fragment"],
  ["an asterisk that is not for OPTIONS", changed(":path", "*"), "target-form"],
] as const)("leaves %s to the parser", (_what, pairs, id) => {
  const { text, refusal } = translate(pairs as readonly Pair[]);
  expect(refusal).toBeNull();
  expect(reread(text).refusal).toBe(id);
});

test("each reason that HTTP/2 has of its own is met here", () => {
  const met = new Set<string>(REFUSED.map(([id]) => id));
  met.add("h2-pseudo-in-trailers").add("h2-broken");
  expect(Object.keys(REFUSALS).filter((id) => id.startsWith("h2-") && !met.has(id))).toEqual([]);
});

describe("trailers", () => {
  function trailers(pairs: readonly Pair[]): RequestTrailers {
    const translated = new RequestTrailers();
    translated.begin(8192);
    for (const [name, value] of pairs) translated.onField(new HeaderField(name, value));
    translated.finish();
    return translated;
  }

  test("end the chunked content", () => {
    const { bytes, start, end, refusal } = trailers([["a", "b"]]);
    expect(refusal).toBeNull();
    expect(bytes.latin1Slice(start, end)).toBe("0\r\na: b\r\n\r\n");
  });

  test.each([
    ["h2-pseudo-in-trailers", ":path", "/"],
    ["h2-field-value-line-end", "a", "b\r\n\r\nGET / HTTP/1.1"],
    ["h2-connection-field", "transfer-encoding", "chunked"],
    ["trailer-too-large", "a", "b".repeat(9000)],
  ])("are refused with %s", (id, name, value) => {
    expect(trailers([[name, value]]).refusal).toBe(id);
  });
});

// Letters that mean something to one side or the other.
const nasty = fc.stringMatching(/^[ -~\r\n\t\0\x80\xff]*$/);
const text = fc.oneof(
  nasty,
  fc.constantFrom("GET", "/", "chunked", "0", "5", "a", "a\r\n\r\nGET / HTTP/1.1", "host", "close", "*"),
);
const fieldName = fc.oneof(
  text,
  fc.constantFrom(
    ":method",
    ":path",
    ":scheme",
    ":authority",
    ":protocol",
    "host",
    "content-length",
    "te",
    "cookie",
    "transfer-encoding",
    "a",
  ),
);

test("nothing smuggles: what is not refused is read as exactly one request, with the target and the fields that came", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fieldName, text), { maxLength: 6 }), fc.boolean(), (extra, ends) => {
      const pairs: Pair[] = [...GET, ...extra.filter(([name]) => !GET.some(([its]) => its === name))];
      const { text: translated, refusal, head } = translate(pairs, ends);
      if (refusal !== null) return;
      const again = reread(translated);
      if (again.refusal !== null) return;
      expect(again.heads).toHaveLength(1);
      expect(again.rest).toBe(0);
      const [request] = again.heads;
      expect(request?.method).toBe("GET");
      expect(request?.target).toBe("/a?b=c");
      const came = pairs.filter(([name]) => !name.startsWith(":") && name !== "cookie" && name !== "host");
      const left = request?.fields.filter(
        ([name]) => !["host", "cookie"].includes(name) && name !== "transfer-encoding",
      );
      expect(left).toEqual(came);
      expect(request?.fields.filter(([name]) => name === "host")).toEqual([["host", "shop.example"]]);
      expect(request?.fields.some(([name]) => name === "transfer-encoding")).toBe(head.chunked);
    }),
    { numRuns: 2000 },
  );
});

test("hostile pseudo-fields never change how many requests there are", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fieldName, text), { maxLength: 8 }), fc.boolean(), (pairs, ends) => {
      const { text: translated, refusal } = translate(pairs, ends);
      if (refusal !== null) return;
      const again = reread(translated);
      if (again.refusal === null) expect(again.heads.length + again.rest).toBe(1);
    }),
    { numRuns: 2000 },
  );
});
