import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AttemptRecord, ClientTls, ExchangeRecord } from "../contract/record.ts";
import { arbitraryRecord, sampleAttempt, sampleRecord } from "../../test/support/sample-record.ts";
import { accessLine } from "../../test/support/access-line.ts";

function parsed(record: ExchangeRecord): Record<string, unknown> {
  return JSON.parse(accessLine(record)) as Record<string, unknown>;
}

test("the line of an ordinary exchange, whole", () => {
  expect(accessLine(sampleRecord())).toBe(
    `{"time":"2026-09-21T14:13:20.123Z","id":"${"a".repeat(32)}","traceId":"${"b".repeat(32)}","listener":"0.0.0.0:8080",` +
      `"clientAddress":"203.0.113.7","peerPort":51234,"connectionUses":3,"method":"GET","host":"shop.example.com",` +
      `"target":"/things/42?x=1","protocol":"HTTP/1.1","userAgent":"curl/8.0","service":"shop","route":"default","pool":"aws",` +
      `"origin":"http://a1.example.net:3000","status":200,"originStatus":200,"outcome":"served","requestBytes":0,"responseBytes":512,` +
      `"headUs":12,"routedUs":20,"requestEndUs":12,"replyUs":900,"doneUs":950,` +
      `"attempts":[{"address":"10.0.0.1:3000","reused":true,"idleMs":2,"startedUs":30,"firstByteUs":850,"endedUs":940,"status":200}]}\n`,
  );
});

test("a rescue shows both attempts, what was seen of the first, and why another was made", () => {
  const line = parsed({
    ...sampleRecord(),
    outcome: "rescued",
    attempts: [
      {
        ...sampleAttempt(),
        origin: "http://a2.example.net:3000",
        address: "10.0.0.2:3000",
        reused: false,
        connectionIdleMs: 0,
        connectedUs: -1,
        firstByteUs: -1,
        status: 0,
        cause: "origin.refused",
        evidence: 'connect: "ECONNREFUSED" after 0.2 ms',
        sentBytes: 0,
        receivedBytes: 0,
      },
      sampleAttempt(),
    ],
    decisions: [{ step: "rescue", code: "retry.made", reason: "nothing reached the origin" }],
  });
  expect(line["attempts"]).toEqual([
    {
      address: "10.0.0.2:3000",
      origin: "http://a2.example.net:3000",
      reused: false,
      startedUs: 30,
      endedUs: 940,
      sentBytes: 0,
      receivedBytes: 0,
      cause: "origin.refused",
      evidence: 'connect: "ECONNREFUSED" after 0.2 ms',
    },
    { address: "10.0.0.1:3000", reused: true, idleMs: 2, startedUs: 30, firstByteUs: 850, endedUs: 940, status: 200 },
  ]);
  expect(line["decisions"]).toEqual([{ step: "rescue", code: "retry.made", reason: "nothing reached the origin" }]);
});

test("times are right on both sides of a second, a day, the epoch, and with a broken clock", () => {
  for (const [startedAt, time] of [
    [1_790_000_000_000, "2026-09-21T14:13:20.000Z"],
    [1_790_000_000_007, "2026-09-21T14:13:20.007Z"],
    [1_790_000_000_999, "2026-09-21T14:13:20.999Z"],
    [1_790_000_001_000, "2026-09-21T14:13:21.000Z"],
    [1_790_000_000_042.9, "2026-09-21T14:13:20.042Z"],
    [0, "1970-01-01T00:00:00.000Z"],
    [-5, "1970-01-01T00:00:00.995Z"],
    [8.64e15 + 1, "1970-01-01T00:00:00.001Z"],
  ] as const) {
    expect(parsed({ ...sampleRecord(), startedAt })["time"]).toBe(time);
  }
});

test("whatever a record holds, its line is one line, parses, and says what the record says", () => {
  fc.assert(
    fc.property(arbitraryRecord(), (record) => {
      const text = accessLine(record);
      expect(text.indexOf("\n")).toBe(text.length - 1);
      expect(JSON.parse(text)).toEqual(expected(record));
    }),
    { numRuns: 300 },
  );
});

test("what is remembered of lines before never stands in another's place", () => {
  const base = { ...sampleRecord(), traceId: sampleRecord().id };
  // Of the same length and with the same end, so that each is looked for where the others are.
  const others: Partial<ExchangeRecord>[] = [
    {},
    { service: "shup" },
    { route: "defau1t" },
    { pool: "gcp" },
    { origin: "http://b1.example.net:3000" },
    { status: base.status + 64 },
    { originStatus: 503 },
    { outcome: "failed" },
    { traceId: "c".repeat(32) },
    { id: "", traceId: "" },
  ];
  for (const first of others) {
    for (const second of others) {
      // Each comes often enough to be learned in the place of the other.
      for (const each of [first, second, first]) {
        const record = { ...base, ...each };
        for (let count = 0; count < 20; count += 1) expect(JSON.parse(accessLine(record))).toEqual(expected(record));
      }
    }
  }
});

test("a number that is none does not break the line", () => {
  const line = parsed({ ...sampleRecord(), responseBytes: Number.NaN, doneUs: Infinity, status: -0, headUs: 1.6 });
  expect(line).toMatchObject({ responseBytes: -1, doneUs: -1, status: 0, headUs: 2 });
});

/** The documented content of a line, written down once more, in the plainest way. */
function expected(record: ExchangeRecord): unknown {
  // How the process was is told by the API only.
  const { startedAt, outcome, step, peerAddress, tunnel, attempts, decisions, tls, own: _own, ...rest } = record;
  const line: Record<string, unknown> = { ...rest, outcome, time: new Date(startedAt).toISOString() };
  if (peerAddress !== record.clientAddress) line["peerAddress"] = peerAddress;
  if (outcome !== "served") line["step"] = step;
  if (tls !== null) line["tls"] = expectedTls(tls);
  if (tunnel) line["tunnel"] = true;
  if (attempts.length > 0) line["attempts"] = attempts.map((attempt) => expectedAttempt(attempt, record));
  if (decisions.length > 0) line["decisions"] = decisions.map((decision) => withoutEmpty({ ...decision }));
  for (const name of ["headUs", "routedUs", "requestEndUs", "replyUs", "grpcStatus"])
    if (Number(line[name]) < 0) delete line[name];
  for (const name of ["connectionUses", "originStatus", "queuedUs"]) if (line[name] === 0) delete line[name];
  return withoutEmpty(line);
}

function expectedTls({ version, resumed, ...texts }: ClientTls): unknown {
  return { version, ...withoutEmpty(texts), ...(resumed ? { resumed } : {}) };
}

function expectedAttempt(attempt: AttemptRecord, record: ExchangeRecord): unknown {
  const { address, reused, startedUs, firstByteUs, endedUs, connectedUs, securedUs, status, cause } = attempt;
  const others = withoutEmpty({
    pool: attempt.pool === record.pool ? "" : attempt.pool,
    origin: attempt.origin === record.origin ? "" : attempt.origin,
    reused,
    idleMs: reused && attempt.connectionIdleMs !== 0 ? attempt.connectionIdleMs : null,
    startedUs,
    connectedUs: !reused && connectedUs >= 0 ? connectedUs : null,
    securedUs: !reused && securedUs >= 0 ? securedUs : null,
    firstByteUs: firstByteUs >= 0 ? firstByteUs : null,
    endedUs: endedUs >= 0 ? endedUs : null,
    status: status === 0 ? null : status,
    ...(cause === null
      ? {}
      : { sentBytes: attempt.sentBytes, receivedBytes: attempt.receivedBytes, cause, evidence: attempt.evidence }),
  });
  return { address, ...others };
}

function withoutEmpty(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== "" && each !== null));
}

test("the guide names every field of a line, and no other", () => {
  const guide = readFileSync(path.join(import.meta.dirname, "../../docs/guide/access-log.md"), "utf8");
  const [exchangeTable = "", attemptTable = ""] = guide.split("An entry of `attempts`:");
  const full: ExchangeRecord = {
    ...sampleRecord(),
    outcome: "failed",
    parentSpanId: "00f067aa0ba902b7",
    tls: {
      version: "TLSv1.3",
      cipher: "TLS_AES_128_GCM_SHA256",
      serverName: "shop.example.com",
      alpn: "http/1.1",
      resumed: true,
      clientSubject: "CN=sensor-7",
    },
    peerAddress: "192.0.2.9",
    proxiedBy: "10.0.0.5:40312",
    cause: "origin.refused",
    party: "origin",
    reason: "request.bare-lf",
    evidence: "seen",
    tunnel: true,
    grpcStatus: 14,
    cache: "hit",
    attempts: [
      {
        ...sampleAttempt(),
        reused: false,
        pool: "other",
        origin: "http://other",
        securedUs: 420,
        cause: "origin.refused",
        evidence: "seen",
      },
      sampleAttempt(),
    ],
    decisions: [{ step: "rescue", code: "retry.made", reason: "because" }],
  };
  const line = parsed(full);
  expect(fieldsOf(exchangeTable)).toEqual(new Set(Object.keys(line)));
  const attempts = line["attempts"] as Record<string, unknown>[];
  expect(fieldsOf(attemptTable)).toEqual(new Set(attempts.flatMap((attempt) => Object.keys(attempt))));
});

/** The names in the first column of the tables. */
function fieldsOf(markdown: string): Set<string> {
  const cells = markdown.split("\n").flatMap((row) => /^\| (`[^|]*) \|/.exec(row)?.[1] ?? []);
  return new Set(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? "")));
}
