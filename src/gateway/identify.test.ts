import { describe, expect, it } from "vitest";
import { createIdentity, gatewayLines, identifyPeer, identifyRequest, trustedProxies } from "./identify.ts";
import type { PeerIdentity, RequestIdentity } from "./identify.ts";
import { readHeadAgain } from "./read-head-again.ts";

const FRESH = "0123456789abcdef0123456789abcdef";
const TRUSTED = trustedProxies(["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]);

const CLIENTS = { clientKey: () => 1, isProtected: () => false };

function identified(peerAddress: string, fields: readonly string[] = [], host = "shop.test"): RequestIdentity {
  return identifiedFor(identifyPeer(peerAddress, TRUSTED, CLIENTS), fields, host);
}

function identifiedFor(peer: PeerIdentity, fields: readonly string[], host = "shop.test"): RequestIdentity {
  let identity: RequestIdentity | null = null;
  readHeadAgain(Buffer.from(["GET / HTTP/1.1", "Host: x", ...fields, "", ""].join("\r\n"), "latin1"), (head) => {
    identity = identifyRequest(head, host, peer, TRUSTED, () => FRESH);
  });
  if (identity === null) throw new Error("no head was read");
  return identity;
}

function lines(identity: RequestIdentity): Record<string, string> {
  expect(identity.lines.endsWith("\r\n")).toBe(true);
  return Object.fromEntries(
    identity.lines
      .slice(0, -2)
      .split("\r\n")
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
}

describe("trusted proxies", () => {
  it.each([
    ["10.1.2.3", true],
    ["11.0.0.1", false],
    ["192.0.2.1", true],
    ["192.0.2.2", false],
    ["2001:db8::5", true],
    ["2001:db9::5", false],
    ["::ffff:10.1.2.3", true],
    ["::ffff:11.1.2.3", false],
    ["no address", false],
    ["", false],
  ])("%s is one: %s", (address, expected) => {
    expect(TRUSTED(address)).toBe(expected);
  });

  it("are none when none are named, not even this machine", () => {
    expect(trustedProxies([])("127.0.0.1")).toBe(false);
  });
});

describe("an untrusted peer", () => {
  it("is the client, whatever it says", () => {
    const identity = identified("203.0.113.9", [
      "X-Forwarded-For: 1.2.3.4",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil.test",
      "Forwarded: for=1.2.3.4;proto=https",
      "X-Request-Id: theirs",
    ]);
    expect(identity).toMatchObject({ clientAddress: "203.0.113.9", id: FRESH, traceId: FRESH });
    expect(lines(identity)).toEqual({
      "X-Forwarded-For": "203.0.113.9",
      "X-Forwarded-Proto": "http",
      "X-Forwarded-Host": "shop.test",
      Forwarded: "for=203.0.113.9;host=shop.test;proto=http",
    });
  });

  it("over IPv6 is written as each field wants it, and IPv4 in IPv6 is IPv4", () => {
    const six = lines(identified("2001:db9::1", [], "[::1]:8080"));
    expect(six["X-Forwarded-For"]).toBe("2001:db9::1");
    expect(six["Forwarded"]).toBe('for="[2001:db9::1]";host="[::1]:8080";proto=http');
    expect(identified("::ffff:203.0.113.9").clientAddress).toBe("203.0.113.9");
  });

  it("that names no host has none written for it", () => {
    const identity = identified("203.0.113.9", [], "");
    expect(identity.lines).not.toContain("X-Forwarded-Host");
    expect(lines(identity)["Forwarded"]).toBe("for=203.0.113.9;proto=http");
  });

  it("that asks for several hosts on one connection never gets the lines of another", () => {
    const peer = identifyPeer("203.0.113.9", TRUSTED, CLIENTS);
    for (const host of ["a.test", "b.test", "a.test", "", "a.test"]) {
      expect(lines(identifiedFor(peer, [], host))["X-Forwarded-Host"]).toBe(host === "" ? undefined : host);
    }
  });
});

describe("a trusted proxy", () => {
  it("says who the client is, and is itself the last hop", () => {
    const identity = identified("10.0.0.1", [
      "X-Forwarded-For: 203.0.113.7, 10.0.0.9",
      "X-Forwarded-Proto: HTTPS",
      "X-Forwarded-Host: public.test",
      "Forwarded: for=203.0.113.7",
      "X-Request-Id: abc-1",
    ]);
    expect(identity).toMatchObject({ clientAddress: "203.0.113.7", id: "abc-1" });
    expect(lines(identity)).toMatchObject({
      "X-Forwarded-For": "203.0.113.7, 10.0.0.9, 10.0.0.1",
      "X-Forwarded-Proto": "https",
      "X-Forwarded-Host": "public.test",
      Forwarded: "for=203.0.113.7;host=public.test;proto=https, for=10.0.0.9, for=10.0.0.1",
    });
  });

  it("is believed only as far as trust reaches: what a client put before it is not the client", () => {
    const chain = ["X-Forwarded-For: 1.1.1.1, 203.0.113.7, 10.0.0.9"];
    const identity = identified("10.0.0.1", chain);
    expect(identity.clientAddress).toBe("203.0.113.7");
    expect(lines(identity)["X-Forwarded-For"]).toBe("203.0.113.7, 10.0.0.9, 10.0.0.1");
    expect(identity.lines).not.toContain("1.1.1.1");
  });

  it("may say it in Forwarded alone", () => {
    expect(identified("10.0.0.1", ['Forwarded: for="[2001:db9::7]:4711";proto=https']).clientAddress).toBe(
      "2001:db9::7",
    );
  });

  it("that says nothing is the client, and its word on the scheme is http", () => {
    const identity = identified("10.0.0.1");
    expect(identity.clientAddress).toBe("10.0.0.1");
    expect(lines(identity)["X-Forwarded-Proto"]).toBe("http");
    expect(lines(identified("10.0.0.1", ["X-Forwarded-Proto: gopher"]))["X-Forwarded-Proto"]).toBe("http");
  });

  it.each(["", "a b", "x".repeat(129), "<script>", "a\u00e9"])("cannot set the request id %j", (id) => {
    expect(identified("10.0.0.1", [`X-Request-Id: ${id}`]).id).toBe(FRESH);
  });
});

describe("a trace", () => {
  const PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  it("goes on when it is valid, from anybody, and starts here otherwise", () => {
    const going = identified("203.0.113.9", [`traceparent: ${PARENT}`]);
    expect(going).toMatchObject({ keepTrace: true, traceId: PARENT.split("-")[1] });
    expect(going.lines).not.toContain("traceparent");
    for (const broken of ["nonsense", PARENT.replace("00-", "ff-"), PARENT.toUpperCase()]) {
      expect(identified("203.0.113.9", [`traceparent: ${broken}`])).toMatchObject({ keepTrace: false, traceId: FRESH });
    }
  });

  it("said twice is not believed: which of the two would hold is for nobody to guess", () => {
    const other = PARENT.replaceAll("4", "5");
    expect(identified("203.0.113.9", [`traceparent: ${PARENT}`, `traceparent: ${other}`]).keepTrace).toBe(false);
  });
});

it("this gateway's name in Via is its own, and where it repeats what fails the attempts are numbered", () => {
  const identity = createIdentity("5f2a");
  expect(identity).toMatchObject({ name: "goodgate", pseudonym: "goodgate-5f2a" });
  expect(gatewayLines(identity, 1, false)).toBe("Via: 1.1 goodgate-5f2a\r\n");
  expect(gatewayLines(identity, 1, true)).toBe("Via: 1.1 goodgate-5f2a\r\nGoodgate-Attempt: 1\r\n");
  expect(gatewayLines(identity, 3, true)).toBe("Via: 1.1 goodgate-5f2a\r\nGoodgate-Attempt: 3\r\n");
});
