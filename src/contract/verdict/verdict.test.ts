/** Both members of each pair that looks alike, and the case in which nothing decides. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryRecord } from "../../../test/support/sample-record.ts";
import { failedRecord } from "../../../test/support/failed-attempt.ts";
import type { FailedAttempt } from "../../../test/support/failed-attempt.ts";
import { storyRecord } from "../../../test/support/story-records.ts";
import type { ExchangeRecord, GatewayMark } from "../record.ts";
import { partyOf } from "./case.ts";
import type { ExchangeVerdict } from "./case.ts";
import { NOTHING_AROUND } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";
import { verdictOn } from "./verdict.ts";
import { citationText, verdictSentence } from "./words.ts";

/** `origin.refused`, or `A | B` when it is undecided between them. */
function findingsOf(record: ExchangeRecord, around: Partial<Surroundings> = {}): string {
  const verdict = verdictOn(record, { ...NOTHING_AROUND, ...around });
  return verdict === null ? "nothing" : named(verdict);
}

function named(verdict: ExchangeVerdict): string {
  return verdict.kind === "decided" ? verdict.cause : verdict.between.join(" | ");
}

function said(record: ExchangeRecord, around: Partial<Surroundings> = {}): string {
  const verdict = verdictOn(record, { ...NOTHING_AROUND, ...around });
  return verdict === null ? "" : verdictSentence(verdict);
}

let ids = 0;
/** Another exchange of the same moment. */
function other(attempts: readonly FailedAttempt[], changes: Partial<ExchangeRecord> = {}): ExchangeRecord {
  ids += 1;
  return failedRecord(attempts, { id: `other-${ids}`, ...changes });
}

const OK: FailedAttempt = { cause: null, status: 200, firstByteUs: 900, headUs: 950 };

it("what went well gets no verdict", () => {
  expect(verdictOn(storyRecord())).toBe(null);
});

describe("keep-alive race or crash on request", () => {
  const RACED: FailedAttempt = {
    cause: "origin.keepalive_race",
    reused: true,
    connectionIdleMs: 5_000,
    sentUs: 200,
    endedUs: 900,
  };

  it("is undecided when the request was not tried again and nothing is known of the origin", () => {
    expect(findingsOf(failedRecord([RACED]))).toBe("origin.keepalive_race | origin.reset_before_response");
  });

  it("is a race when the origin is known to close connections of that age", () => {
    const record = failedRecord([{ ...RACED, signs: { keepAliveMs: 5_000 } }]);
    expect(findingsOf(record)).toBe("origin.keepalive_race");
    expect(said(record)).toContain("closes connections that were idle for 5 s");
  });

  it("is a race when the same request works on a new connection to the same origin", () => {
    expect(findingsOf(failedRecord([RACED, OK]))).toBe("origin.keepalive_race");
  });

  it("is not decided by another origin's answer, which says nothing of this one", () => {
    expect(findingsOf(failedRecord([RACED, { ...OK, origin: "http://127.0.0.1:3002" }]))).toContain(" | ");
  });

  it("is a race when others of the origin end so after the same idle time", () => {
    const alike = [4_900, 5_100].map((connectionIdleMs) => other([{ ...RACED, connectionIdleMs }]));
    expect(findingsOf(failedRecord([RACED]), { others: alike })).toBe("origin.keepalive_race");
    const apart = [1_000, 20_000].map((connectionIdleMs) => other([{ ...RACED, connectionIdleMs }]));
    expect(findingsOf(failedRecord([RACED]), { others: apart })).toContain(" | ");
  });

  it("is a crash when the request breaks a new connection as well", () => {
    const again: FailedAttempt = { cause: "origin.reset_before_response" };
    expect(findingsOf(failedRecord([RACED, again]))).toBe("origin.reset_before_response");
    expect(findingsOf(failedRecord([again, RACED]))).toBe("origin.reset_before_response");
  });

  it("is a crash when the connection was in use a moment ago, or was closed after the request had been read", () => {
    const busy: FailedAttempt = { ...RACED, cause: "origin.reset_before_response", connectionIdleMs: 3 };
    expect(findingsOf(failedRecord([busy]))).toBe("origin.reset_before_response");
    const later: FailedAttempt = { ...RACED, cause: "origin.reset_before_response", endedUs: 900_000 };
    expect(findingsOf(failedRecord([later]))).toBe("origin.reset_before_response");
  });

  it("is undecided with the crash first when others crash on new connections, whatever the origin's idle time", () => {
    const record = failedRecord([{ ...RACED, signs: { keepAliveMs: 5_000 } }]);
    const others = [other([{ cause: "origin.reset_before_response" }])];
    expect(findingsOf(record, { others })).toBe("origin.reset_before_response | origin.keepalive_race");
  });

  it("is the gateway's own when it stood still until just before it used the connection", () => {
    const own = { lastStallMs: 700, stallAgoMs: 5 };
    const record = failedRecord([{ ...RACED, signs: { keepAliveMs: 5_000, own } }]);
    expect(verdictOn(record)).toMatchObject({ kind: "decided", cause: "gw.loop_stall", party: "gateway" });
    const before = failedRecord([{ ...RACED, signs: { keepAliveMs: 5_000, own: { ...own, stallAgoMs: 3_000 } } }]);
    expect(findingsOf(before)).toBe("origin.keepalive_race");
  });

  it("is never a race on a new connection", () => {
    expect(findingsOf(failedRecord([{ cause: "origin.reset_before_response" }]))).toBe("origin.reset_before_response");
  });
});

describe("a full accept queue, a firewall that drops, a machine that is off", () => {
  const SILENT: FailedAttempt = {
    cause: "net.connect_timeout",
    connectedUs: -1,
    sentUs: -1,
    endedUs: 2_000_150,
    signs: { end: "timeout", detail: "connect", limitMs: 2_000 },
  };
  const with_ = (signs: FailedAttempt["signs"]): FailedAttempt => ({ ...SILENT, signs: { ...SILENT.signs, ...signs } });

  it("is undecided between all three when nothing else is known", () => {
    expect(findingsOf(failedRecord([SILENT]))).toBe("origin.backlog_full | net.filtered | origin.host_dead");
  });

  it("is no dead machine when it answers others meanwhile", () => {
    expect(findingsOf(failedRecord([with_({ answeredAgoMs: 100 })]))).toBe("origin.backlog_full | net.filtered");
    const neighbour = other([{ ...OK, address: "127.0.0.1:9999", origin: "http://127.0.0.1:9999" }]);
    expect(findingsOf(failedRecord([SILENT]), { others: [neighbour] })).toBe("origin.backlog_full | net.filtered");
  });

  it("is not decided by what the machine answered before the silence began", () => {
    const record = failedRecord([with_({ answeredAgoMs: 5_000 })]);
    expect(findingsOf(record)).toBe("origin.backlog_full | net.filtered | origin.host_dead");
    expect(said(record)).toContain("had answered 5 s before");
  });

  it("is a full queue when others get through to the same port and several do not", () => {
    const record = failedRecord([with_({ connectedAgoMs: 800 })]);
    expect(findingsOf(record)).toBe("origin.backlog_full | net.path");
    const others = [other([SILENT]), other([SILENT])];
    expect(verdictOn(record, { ...NOTHING_AROUND, others })).toMatchObject({
      kind: "decided",
      cause: "origin.backlog_full",
      party: "overload",
    });
  });

  it("may be this machine when new connections to unrelated ones meet silence, too, and none is made", () => {
    const elsewhere = ["10.1.0.1:80", "10.2.0.1:80"].map((address) => other([{ ...SILENT, address }]));
    expect(findingsOf(failedRecord([SILENT]), { others: elsewhere })).toBe(
      "net.local_drop | origin.backlog_full | net.filtered | origin.host_dead",
    );
    const made = [...elsewhere, other([{ ...OK, address: "10.3.0.1:80" }])];
    expect(findingsOf(failedRecord([SILENT]), { others: made })).not.toContain("net.local_drop");
  });

  it("tells a missing route, a machine that nobody hears and a rule of one's own apart by the error", () => {
    const failing = (detail: string): ExchangeRecord =>
      failedRecord([{ cause: "net.unroutable", connectedUs: -1, signs: { end: "error", detail } }]);
    expect(findingsOf(failing("ENETUNREACH"))).toBe("net.unroutable");
    expect(findingsOf(failing("EHOSTUNREACH"))).toBe("origin.host_dead | net.path");
    expect(findingsOf(failing("EPERM"))).toBe("net.local_drop");
  });
});

describe("a reset in the middle", () => {
  const TORN: FailedAttempt = {
    cause: "net.mid_reset",
    status: 200,
    receivedBytes: 5_000,
    endedUs: 20_000,
    signs: { end: "error", detail: "ECONNRESET", framing: "length" },
  };

  it("is undecided between the path and the origin", () => {
    expect(findingsOf(failedRecord([TORN]))).toBe("net.path | origin.down");
    expect(findingsOf(failedRecord([TORN]), { others: [other([TORN])] })).toBe("origin.down | net.path");
  });

  it("is the origin's end when nothing listens there right afterwards", () => {
    const gone: FailedAttempt = { cause: "origin.refused", connectedUs: -1, startedUs: 20_100, endedUs: 20_200 };
    expect(findingsOf(failedRecord([TORN]), { others: [other([gone])] })).toBe("origin.down");
    const before = other([gone], { startedAt: storyRecord().startedAt - 30_000 });
    expect(findingsOf(failedRecord([TORN]), { others: [before] })).toContain(" | ");
  });
});

describe("a missing descriptor or a missing name", () => {
  const missing = (descriptorsLeft: number): ExchangeRecord =>
    failedRecord([], {
      outcome: "failed",
      cause: "dns.nxdomain",
      party: "dns",
      evidence: "a1.example.net could not be resolved (ENOTFOUND)",
      own: { lastStallMs: 0, stallAgoMs: -1, loopLateMs: 0, descriptorsLeft },
    });

  it("is the name when descriptors were free", () => {
    expect(findingsOf(missing(500))).toBe("dns.nxdomain");
    expect(said(missing(500))).toContain("500 file descriptors were free");
  });

  it("is undecided when none or nearly none was left, or others found none", () => {
    expect(findingsOf(missing(0))).toBe("gw.fd_exhausted | dns.nxdomain");
    const others = [other([{ cause: "gw.fd_exhausted" }])];
    expect(findingsOf(missing(500), { others })).toBe("dns.nxdomain | gw.fd_exhausted");
  });

  it("is what the resolver said when nobody knows how many were left", () => {
    expect(findingsOf(missing(-1))).toBe("dns.nxdomain");
  });
});

describe("own stall or slow origin", () => {
  const slow = (stallMs: number, own: NonNullable<FailedAttempt["signs"]>["own"] = {}): ExchangeRecord =>
    failedRecord([
      {
        cause: "origin.ttfb_timeout",
        endedUs: 15_000_000,
        signs: { end: "timeout", detail: "first byte", limitMs: 15_000, stallMs, own },
      },
    ]);

  it("is the origin when this process was never late", () => {
    expect(findingsOf(slow(0))).toBe("origin.ttfb_timeout");
    expect(findingsOf(slow(400))).toBe("origin.ttfb_timeout");
  });

  it("is undecided when this process stood still for a good part of the limit, or was late all the time", () => {
    expect(findingsOf(slow(4_000))).toBe("origin.ttfb_timeout | gw.starved");
    expect(findingsOf(slow(0, { loopLateMs: 180 }))).toBe("origin.ttfb_timeout | gw.starved");
  });

  it("is the gateway when the judge saw it stand still for most of the limit", () => {
    const record = failedRecord([
      { cause: "gw.loop_stall", signs: { end: "timeout", detail: "first byte", limitMs: 1_000, stallMs: 900 } },
    ]);
    expect(verdictOn(record)).toMatchObject({ kind: "decided", cause: "gw.loop_stall", party: "gateway" });
  });
});

describe("a connection that was forgotten or an origin that is slow", () => {
  const QUIET: FailedAttempt = {
    cause: "net.half_open",
    reused: true,
    connectionIdleMs: 400_000,
    signs: { end: "timeout", detail: "first byte", limitMs: 15_000 },
  };

  it("is undecided until the request is tried on a new connection", () => {
    expect(findingsOf(failedRecord([QUIET]))).toBe("net.half_open | origin.ttfb_timeout");
    expect(findingsOf(failedRecord([QUIET, OK]))).toBe("net.half_open");
    const slowAsWell: FailedAttempt = { ...OK, startedUs: 0, firstByteUs: 14_000_000 };
    expect(findingsOf(failedRecord([QUIET, slowAsWell]))).toContain(" | ");
  });
});

describe("an old address or a dead origin; a stranger or a changed origin", () => {
  const STALE: FailedAttempt = { cause: "dns.stale_ip", connectedUs: -1, signs: { leftAnswer: true } };

  it("is the old address unless the new ones fail alike", () => {
    expect(findingsOf(failedRecord([STALE]))).toBe("dns.stale_ip");
    const fresh: FailedAttempt = { cause: "origin.refused", address: "10.9.9.9:80" };
    expect(findingsOf(failedRecord([fresh, STALE]))).toBe("origin.down | dns.stale_ip");
  });

  it("is another tenant when the name's addresses changed just before, and undecided otherwise", () => {
    const record = failedRecord([], {
      outcome: "failed",
      cause: "dns.wrong_tenant",
      party: "dns",
      evidence: "no word",
    });
    expect(findingsOf(record, { answerChangedAt: record.startedAt - 60_000 })).toBe("dns.wrong_tenant");
    expect(findingsOf(record, { answerChangedAt: record.startedAt - 3_600_000 })).toContain(" | ");
    expect(findingsOf(record, { answerChangedAt: record.startedAt + 1_000 })).toContain(" | ");
    expect(findingsOf(record)).toBe("dns.wrong_tenant | change.bad_deploy");
  });

  it("may be another tenant's answer when a 5xx comes from an address that the name has left", () => {
    const record = failedRecord([{ cause: "origin.app_5xx", status: 500, signs: { end: "answer", leftAnswer: true } }]);
    expect(findingsOf(record)).toBe("origin.app_5xx | dns.wrong_tenant");
  });
});

describe("a body without a length that ended by an error", () => {
  const unframed = (requestSent: boolean): ExchangeRecord =>
    failedRecord([
      {
        cause: "origin.truncated_unframed",
        status: 200,
        receivedBytes: 900,
        signs: { end: "error", detail: "ECONNRESET", framing: "close", requestSent },
      },
    ]);

  it("is cut, unless the origin may have reset because it had not read the request", () => {
    expect(findingsOf(unframed(true))).toBe("origin.truncated_unframed");
    expect(findingsOf(unframed(false))).toBe("origin.truncated_unframed | origin.early_reply");
  });
});

describe("an inner gateway's 5xx or the application's own", () => {
  const answer = (status: number, ...marks: readonly GatewayMark[]): ExchangeRecord =>
    failedRecord([
      {
        cause: marks.length > 0 && status > 501 ? "origin.nested_gw_5xx" : "origin.app_5xx",
        status,
        signs: { end: "answer", marks: [...marks] },
      },
    ]);
  const VIA: GatewayMark = { text: "Via: 1.1 inner", says: "between" };

  it("is the application's without any mark", () => {
    expect(findingsOf(answer(503))).toBe("origin.app_5xx");
  });

  it("is the gateway's when it says that it made it, and not when it says that it passed it on", () => {
    expect(findingsOf(answer(502, { text: "Server: awselb/2.0", says: "made" }, VIA))).toBe("origin.nested_gw_5xx");
    expect(findingsOf(answer(502, { text: "Content-Type: application/json", says: "passed" }, VIA))).toBe(
      "origin.app_5xx",
    );
  });

  it("is undecided when a gateway is between and says no more, but for a status that gateways do not use", () => {
    expect(findingsOf(answer(502, VIA))).toBe("origin.nested_gw_5xx | origin.app_5xx");
    expect(findingsOf(answer(500, VIA))).toBe("origin.app_5xx");
  });
});

describe("a client that leaves or an origin that is slow", () => {
  const left = (waitedMs: number): ExchangeRecord =>
    failedRecord([{ cause: null, startedUs: 0, endedUs: waitedMs * 1000 }], {
      outcome: "aborted",
      cause: "client.abort_wait",
      party: "client",
      evidence: "the client closed the connection (FIN) before the response",
      doneUs: waitedMs * 1000,
      own: { lastStallMs: 0, stallAgoMs: -1, loopLateMs: 0, descriptorsLeft: -1 },
    });

  it("is the client when it left before even a usual answer", () => {
    expect(findingsOf(left(80), { usualFirstByteMs: 50 })).toBe("client.abort_wait");
  });

  it("is the origin when others of the route waited as long there, and undecided when nobody else did", () => {
    expect(findingsOf(left(4_000), { usualFirstByteMs: 50 })).toBe("origin.slow | client.abort_wait");
    const slowAnswer: FailedAttempt = { ...OK, startedUs: 0, firstByteUs: 3_500_000, endedUs: 3_500_100 };
    const slow = other([slowAnswer]);
    expect(findingsOf(left(4_000), { usualFirstByteMs: 50, others: [slow] })).toBe("origin.slow");
    const quick = [1, 2].map(() => other([{ ...OK, startedUs: 0, firstByteUs: 30_000 }]));
    expect(findingsOf(left(4_000), { usualFirstByteMs: 50, others: [slow, ...quick] })).toContain(" | ");
    const before = other([slowAnswer], { startedAt: storyRecord().startedAt - 20_000 });
    expect(findingsOf(left(4_000), { usualFirstByteMs: 50, others: [before] })).toContain(" | ");
    const elsewhere = other([slowAnswer], { route: "reports" });
    expect(findingsOf(left(4_000), { usualFirstByteMs: 50, others: [elsewhere] })).toContain(" | ");
  });

  it("is the client at once, and undecided after a second, when nothing is known of the origin's usual time", () => {
    expect(findingsOf(left(300))).toBe("client.abort_wait");
    expect(findingsOf(left(3_000))).toBe("client.abort_wait | origin.slow");
  });

  it("says when many left after the same time", () => {
    const others = [1, 2, 3].map(() => ({ ...left(3_000), id: `other-${(ids += 1)}` }));
    expect(said(left(3_000), { usualFirstByteMs: 1_500, others })).toContain(
      "3 other clients left after the same time",
    );
  });

  it("is not pinned on anybody when this process was late itself, or no origin had been asked", () => {
    const late = { lastStallMs: 0, stallAgoMs: -1, loopLateMs: 300, descriptorsLeft: -1 };
    expect(findingsOf({ ...left(3_000), own: late })).toBe("client.abort_wait | gw.starved");
    expect(findingsOf({ ...left(3_000), attempts: [] })).toBe("origin.overload | client.abort_wait");
  });
});

it("a rescued exchange gets the verdict on the attempt that failed", () => {
  const record = failedRecord([{ cause: "origin.refused", connectedUs: -1 }, OK]);
  expect(findingsOf(record)).toBe("origin.refused");
});

it("what was decided on the way speaks for the causes that a decision leads to", () => {
  const record = failedRecord([{ cause: "gw.pool_wait", connectedUs: -1, sentUs: -1 }], {
    decisions: [
      { step: "pick", code: "pick.probation", reason: "tries it again" },
      { step: "attempt", code: "attempt.waited-for-connection", reason: "all 2 connections were in use" },
    ],
  });
  expect(verdictOn(record)?.because[1]).toEqual({
    text: "all 2 connections were in use",
    cites: [
      {
        kind: "exchange",
        id: record.id,
        at: record.startedAt,
        fields: { "decisions[1].code": "attempt.waited-for-connection" },
      },
    ],
  });
});

it("whatever a record holds, a verdict names at least two suspects or one, and cites what is there", () => {
  fc.assert(
    fc.property(arbitraryRecord(), fc.array(arbitraryRecord(), { maxLength: 4 }), (record, others) => {
      const verdict = verdictOn(record, { ...NOTHING_AROUND, others, usualFirstByteMs: 20 });
      if (verdict === null) return;
      if (verdict.kind === "decided") expect(verdict.party).not.toBe("");
      else {
        expect(new Set(verdict.between).size).toBe(verdict.between.length);
        const parties = new Set(verdict.between.map(partyOf));
        expect(verdict.party).toBe(parties.size === 1 ? [...parties][0] : null);
        expect(verdict.tellApart).toMatch(/\.$/);
      }
      for (const evidence of verdict.because) {
        expect(citationText(evidence, record.id)).not.toMatch(/undefined|NaN/);
        for (const citation of evidence.cites) {
          if (citation.kind !== "exchange") continue;
          const cited = [record, ...others].filter(({ id }) => id === citation.id);
          expect(Object.keys(citation.fields).length).toBeGreaterThan(0);
          for (const [path, value] of Object.entries(citation.fields)) {
            expect(cited.some((each) => looked(each, path) === value)).toBe(true);
          }
        }
      }
    }),
    { numRuns: 400 },
  );
});

/** What stands at `attempts[0].signs.end`, as a citation says it. */
function looked(record: ExchangeRecord, path: string): string | number {
  let value: unknown = record;
  for (const step of path.replaceAll("]", "").split(/[.[]/)) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
  }
  if (typeof value === "number" || typeof value === "string") return value;
  return value === null ? "none" : JSON.stringify(value);
}

describe("a certificate that is out of date or a clock that is wrong", () => {
  const expired = (name: string): FailedAttempt => ({
    cause: "tls.cert_time",
    evidence: `CERT_HAS_EXPIRED: certificate of ${name} by Test Root, 2026-01-01 to 2026-04-01, after 3 ms`,
    origin: `https://${name}`,
    securedUs: -1,
  });
  const record = failedRecord([expired("a.example")]);

  it("is the certificate when nothing else is known, or others were found in their time", () => {
    expect(findingsOf(record)).toBe("tls.cert_time");
    const tls = { version: "TLSv1.3", cipher: "", serverName: "", alpn: "", resumed: false };
    const good = other([{ ...OK, tls, securedUs: 500 }]);
    expect(findingsOf(record, { others: [good] })).toBe("tls.cert_time");
    expect(said(record, { others: [good] })).toContain("by the same clock");
  });

  it("is the certificate when several hosts show that one", () => {
    const others = ["b", "c", "d"].map((host) =>
      other([{ ...expired("a.example"), origin: `https://${host}.example` }]),
    );
    expect(findingsOf(record, { others })).toBe("tls.cert_time");
  });

  it("is undecided with one other certificate, and the clock with two", () => {
    const others = [other([expired("b.example")])];
    expect(findingsOf(record, { others })).toBe("tls.cert_time | gw.clock_wrong");
    expect(findingsOf(record, { others: [...others, other([expired("c.example")])] })).toBe("gw.clock_wrong");
  });
});

describe("silence in a handshake", () => {
  it("may be a path that loses large packets when resumed handshakes, which are small, end well", () => {
    const record = failedRecord([{ cause: "tls.handshake_timeout" }]);
    expect(findingsOf(record)).toBe("tls.handshake_timeout");
    const tls = { version: "TLSv1.3", cipher: "", serverName: "", alpn: "", resumed: true };
    expect(findingsOf(record, { others: [other([{ ...OK, tls, securedUs: 500 }])] })).toBe(
      "tls.handshake_timeout | net.path",
    );
  });
});
