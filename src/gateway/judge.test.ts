/** Every way in which an attempt can end, and the cause that it gets. */
import { describe, expect, it } from "vitest";
import type { CauseId } from "../kernel/causes.ts";
import { judgeAttempt } from "./judge.ts";
import type { AttemptFacts, Ending } from "./judge.ts";

const FACTS: AttemptFacts = {
  connected: true,
  reached: true,
  overTls: false,
  tls: "",
  reused: false,
  idleMs: 0,
  requestSent: true,
  sinceSentMs: 5,
  receivedBytes: 0,
  headSeen: false,
  framing: "none",
  stallMs: 0,
  limitMs: 0,
  brokeNewConnection: false,
  leftAnswer: false,
  unix: false,
};
const FIN: Ending = { kind: "fin" };
const RST: Ending = { kind: "error", error: { code: "ECONNRESET", syscall: "read" } };
const BROKEN_PIPE: Ending = { kind: "error", error: { code: "EPIPE", syscall: "write" } };

function dialling(code: string): Ending {
  return { kind: "error", error: { code, syscall: "connect" } };
}

function timeout(what: Extract<Ending, { kind: "timeout" }>["what"]): Ending {
  return { kind: "timeout", what };
}

function causeOf(ending: Ending, facts: Partial<AttemptFacts> = {}): CauseId {
  const judgement = judgeAttempt(ending, { ...FACTS, ...facts });
  expect(judgement.evidence).not.toBe("");
  return judgement.cause;
}

describe("a connection that was not made", () => {
  it.each<[string, CauseId]>([
    ["ECONNREFUSED", "origin.refused"],
    ["ECONNRESET", "origin.refused"],
    ["EMFILE", "gw.fd_exhausted"],
    ["ENFILE", "gw.fd_exhausted"],
    ["EADDRNOTAVAIL", "gw.ports_exhausted"],
    ["EADDRINUSE", "gw.ports_exhausted"],
    ["ENOBUFS", "gw.mem_or_buffers"],
    ["ENOMEM", "gw.mem_or_buffers"],
    ["ENETUNREACH", "net.unroutable"],
    ["EHOSTUNREACH", "net.unroutable"],
    ["ENETDOWN", "net.unroutable"],
    ["EHOSTDOWN", "net.unroutable"],
    ["EPERM", "net.unroutable"],
    ["EACCES", "net.unroutable"],
    ["EINVAL", "net.unroutable"],
    ["ETIMEDOUT", "net.connect_timeout"],
  ])("by %s is %s", (code, cause) => {
    expect(causeOf(dialling(code), { connected: false, reached: false })).toBe(cause);
  });

  it("to an address that its name has left is the name's fault, but not what is wrong with this machine", () => {
    const left = { connected: false, reached: false, leftAnswer: true };
    expect(causeOf(dialling("ECONNREFUSED"), left)).toBe("dns.stale_ip");
    expect(causeOf(dialling("EHOSTUNREACH"), left)).toBe("dns.stale_ip");
    expect(causeOf(timeout("connect"), { ...left, limitMs: 2000 })).toBe("dns.stale_ip");
    expect(causeOf(dialling("EMFILE"), left)).toBe("gw.fd_exhausted");
  });
});

describe("a connection that broke before any byte of the response", () => {
  it.each([FIN, RST, BROKEN_PIPE])("new: the origin broke it (%j)", (ending) => {
    expect(causeOf(ending)).toBe("origin.reset_before_response");
  });

  it("used again after lying idle, at once: it had been closed meanwhile", () => {
    expect(causeOf(RST, { reused: true, idleMs: 5000 })).toBe("origin.keepalive_race");
    expect(causeOf(FIN, { reused: true, idleMs: 100 })).toBe("origin.keepalive_race");
  });

  it.each<[string, Partial<AttemptFacts>]>([
    ["in steady use", { idleMs: 99 }],
    ["long after the request", { idleMs: 5000, sinceSentMs: 501 }],
    ["by a request that broke a new one before", { idleMs: 5000, brokeNewConnection: true }],
  ])("used again, but %s: it is the origin that breaks it", (_why, facts) => {
    expect(causeOf(RST, { reused: true, ...facts })).toBe("origin.reset_before_response");
  });
});

describe("a response that broke off", () => {
  it.each<[Ending, Partial<AttemptFacts>, CauseId]>([
    [FIN, { receivedBytes: 9 }, "origin.truncated"],
    [RST, { receivedBytes: 9 }, "net.mid_reset"],
    [FIN, { receivedBytes: 99, headSeen: true, framing: "length" }, "origin.truncated"],
    [FIN, { receivedBytes: 99, headSeen: true, framing: "chunked" }, "origin.truncated"],
    [RST, { receivedBytes: 99, headSeen: true, framing: "length" }, "net.mid_reset"],
    [RST, { receivedBytes: 99, headSeen: true, framing: "chunked" }, "net.mid_reset"],
    [RST, { receivedBytes: 99, headSeen: true, framing: "close" }, "origin.truncated_unframed"],
    [BROKEN_PIPE, { receivedBytes: 99, headSeen: true, framing: "length" }, "origin.truncated"],
  ])("by %j with %j is %s", (ending, facts, cause) => {
    expect(causeOf(ending, facts)).toBe(cause);
  });
});

describe("a limit that ran out", () => {
  it.each<[Extract<Ending, { kind: "timeout" }>["what"], Partial<AttemptFacts>, CauseId]>([
    ["connect", { connected: false, reached: false }, "net.connect_timeout"],
    ["pool", { connected: false, reached: false }, "gw.pool_wait"],
    ["write", {}, "origin.write_stall"],
    ["gap", { headSeen: true, receivedBytes: 99 }, "origin.stall_mid_body"],
    ["first byte", {}, "origin.ttfb_timeout"],
    ["first byte", { reused: true, idleMs: 30_000 }, "origin.ttfb_timeout"],
    ["first byte", { reused: true, idleMs: 30_001 }, "net.half_open"],
  ])("%s with %j is %s", (what, facts, cause) => {
    expect(causeOf(timeout(what), { limitMs: 1000, ...facts })).toBe(cause);
  });

  it("while this process itself stood still for half of it or more is the gateway's fault", () => {
    for (const what of ["connect", "pool", "first byte", "gap", "write"] as const) {
      expect(causeOf(timeout(what), { limitMs: 1000, stallMs: 500 })).toBe("gw.loop_stall");
      expect(causeOf(timeout(what), { limitMs: 1000, stallMs: 499 })).not.toBe("gw.loop_stall");
    }
    expect(causeOf(RST, { limitMs: 1000, stallMs: 900 })).not.toBe("gw.loop_stall");
  });

  it("is told in its evidence with its length", () => {
    expect(judgeAttempt(timeout("write"), { ...FACTS, limitMs: 30_000 }).evidence).toContain("30000 ms");
  });
});

describe("a response that is no HTTP/1.1", () => {
  it.each<[Extract<Ending, { kind: "refusal" }>["id"], CauseId]>([
    ["response-not-http", "origin.malformed"],
    ["two-framings", "origin.framing"],
    ["head-too-large", "origin.header_too_big"],
  ])("by %s is %s, and the reason is in the evidence", (id, cause) => {
    const judgement = judgeAttempt({ kind: "refusal", id }, FACTS);
    expect(judgement.cause).toBe(cause);
    expect(judgement.evidence).toContain(id);
  });

  it("by its early end is judged as that", () => {
    const facts = { receivedBytes: 99, headSeen: true };
    expect(causeOf({ kind: "refusal", id: "truncated-length" }, { ...facts, framing: "length" })).toBe(
      "origin.truncated",
    );
    expect(causeOf({ kind: "refusal", id: "truncated-chunked" }, { ...facts, framing: "chunked" })).toBe(
      "origin.truncated",
    );
    expect(causeOf({ kind: "refusal", id: "truncated-head" }, { receivedBytes: 9 })).toBe("origin.truncated");
  });
});

it("an upgrade that was not agreed on is what it says", () => {
  expect(causeOf({ kind: "upgrade", why: "101 without a request to upgrade" })).toBe("origin.upgrade_failed");
});
