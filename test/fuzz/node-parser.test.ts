/**
 * The parser against Node's own. Two parsers that disagree are what request smuggling is made of, so a
 * disagreement is allowed only as a refusal of ours for one of the reasons below, or as one of the few things that
 * Node refuses and RFC 9112 does not. What both accept must be the same to the last byte.
 */
import http from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuzzSettings, mostlyValidRequests, nearlyRequests, nearlyResponses } from "./mutate.ts";
import { nodeReadsRequests, nodeReadsResponse } from "./node-peer.ts";
import type { Opinion } from "./node-peer.ts";
import { weReadRequests, weReadResponse } from "./our-peer.ts";

/** What we refuse and Node's parser takes, and why we do. */
const STRICTER: Readonly<Record<string, string>> = {
  "host-missing": "Node checks this behind its parser, and here it is told not to",
  "host-repeated": "Node keeps the first one",
  "host-illegal": "Node passes any value on",
  "target-form": "Node takes any characters that a URL may have",
  "target-scheme": "Node passes any scheme on",
  "target-authority": "Node does not look at hosts",
  "target-missing": "Node skips spaces before the target",
  "target-illegal-byte": "Node takes a backslash, quotes and angle brackets in a path",
  "target-userinfo": "Node passes user information on",
  "target-fragment": "Node takes a fragment",
  "version-missing": "Node speaks HTTP/0.9 when the rest fits",
  "version-syntax": "Node skips spaces before the version",
  "version-unsupported": "Node takes HTTP/0.9 and HTTP/2.0 as well",
  "status-code-range": "Node takes any three digits",
  "expectation-unknown": "Node leaves this to an event",
  "content-not-allowed": "Node reads content of TRACE",
  "transfer-coding-unsupported": "Node leaves other codings than chunked to its user",
  "transfer-encoding-chunked-twice": "Node looks at the last coding only",
  "transfer-encoding-chunked-not-last":
    "Node reads such a response until close, and takes it where there is no content",
  "transfer-encoding-chunked-parameter": "Node ignores it where there is no content",
  "transfer-encoding-empty-element": "Node looks at the last coding only",
  "transfer-encoding-syntax": "Node reads such a response until close, and such an upgrade not at all",
  "transfer-encoding-http10": "Node reads chunks of HTTP/1.0",
  "empty-lines": "Node skips any number of them",
  "bare-lf": "Node skips an LF before a request",
  "bare-cr": "Node skips a CR before a message",
  "method-missing": "Node skips whitespace after a line end before a request",
  "response-not-http": "Node skips line ends before a response",
  "reason-illegal-byte": "Node takes control bytes in a reason",
  "chunk-extension-syntax": "Node takes empty extensions",
  "connection-options": "Node has no bound on them",
};

describe("requests", () => {
  const compare = async (bytes: string): Promise<void> => {
    expectAgreement(bytes, weReadRequests(bytes), await nodeReadsRequests(bytes));
  };

  test("that are mostly valid", async () => {
    await fc.assert(fc.asyncProperty(mostlyValidRequests, compare), fuzzSettings(3000));
  });

  test("that are nearly right", async () => {
    await fc.assert(fc.asyncProperty(nearlyRequests, compare), fuzzSettings(3000));
  });
});

describe("responses", () => {
  // Not CONNECT: Node leaves HTTP after any answer to it, RFC 9110 §9.3.6 after a successful one.
  test.each(["GET", "HEAD"])("to %s", async (method) => {
    const compare = async (bytes: string): Promise<void> => {
      expectAgreement(bytes, weReadResponse(bytes, method), await nodeReadsResponse(bytes, method));
    };
    await fc.assert(fc.asyncProperty(nearlyResponses, compare), fuzzSettings(1500));
  });
});

test("the comparison sees what it is there to see", async () => {
  const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const [ours, nodes] = [weReadRequests(get), await nodeReadsRequests(get)];
  expect(ours).toEqual(nodes);
  const other: Opinion = { ...nodes, messages: nodes.messages.map((message) => ({ ...message, body: "x" })) };
  expect(() => {
    expectAgreement(get, ours, other);
  }).toThrow(/reads otherwise/);
  expect(() => {
    expectAgreement(get, { messages: [], end: "bare-lf-somewhere" }, nodes);
  }).toThrow(/without a known reason/);
  expect(() => {
    expectAgreement(get, ours, { messages: [], end: "HPE_INVALID_HEADER_TOKEN" });
  }).toThrow(/take what Node refuses/);
});

function expectAgreement(bytes: string, ours: Opinion, nodes: Opinion): void {
  const shared = Math.min(ours.messages.length, nodes.messages.length);
  const story = (): string => JSON.stringify({ bytes, ours, nodes }, null, 1);
  if (hasTabAroundFraming(bytes)) return;
  if (JSON.stringify(ours.messages.slice(0, shared)) !== JSON.stringify(nodes.messages.slice(0, shared))) {
    throw new Error(`one of the two reads otherwise: ${story()}`);
  }
  if (asksForUpgrade(bytes)) return;
  const refused = !["clean", "truncated", "tunnel", "closed", "bytes left"].includes(ours.end);
  const nodeGoesOn = nodes.messages.length > shared || ["clean", "tunnel"].includes(nodes.end);
  if (ours.messages.length > shared || (!refused && !nodeGoesOn)) {
    if (!nodeIsStricter(ours, nodes)) throw new Error(`we take what Node refuses: ${story()}`);
  } else if (refused && nodeGoesOn) {
    if (!(ours.end in STRICTER)) throw new Error(`we refuse without a known reason: ${story()}`);
  } else if (nodes.messages.length > shared && ours.end !== "closed")
    throw new Error(`we stop before Node does: ${story()}`);
}

/** What Node refuses and RFC 9112 lets us take, or leaves to whoever reads the rest of the connection. */
function nodeIsStricter(ours: Opinion, nodes: Opinion): boolean {
  switch (ours.end) {
    case "closed":
    case "bytes left":
    case "truncated":
      // A truncated message is not taken either: what Node says about one half of it, we might say about the whole.
      return true;
    default:
      // A method is any token (RFC 9110 §9.1); an interim response that says close is not the last one.
      if (nodes.end === "HPE_CLOSED_CONNECTION") return true;
      return (
        nodes.end === "HPE_INVALID_METHOD" &&
        ours.messages.some(({ start }) => !http.METHODS.includes(start.split(" ")[0] ?? ""))
      );
  }
}

/**
 * After a message that asks for an upgrade Node reads no further than its head or its content, whether the
 * upgrade is granted or not, and so has no opinion of the rest.
 */
function asksForUpgrade(bytes: string): boolean {
  return /upgrade/i.test(bytes);
}

/** RFC 9110 §5.6.3 makes a tab whitespace around any value; Node does not trim it from these two. */
function hasTabAroundFraming(bytes: string): boolean {
  return /(?:transfer-encoding|content-length):[^\r\n]*\t/i.test(bytes);
}
