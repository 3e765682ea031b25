/** Records for tests: one of an ordinary exchange, and arbitrary ones with every kind of text and number in them. */
import fc from "fast-check";
import { CAUSES } from "../../src/kernel/causes.ts";
import type { CauseId, Party } from "../../src/kernel/causes.ts";
import type {
  AttemptRecord,
  AttemptTls,
  CacheWord,
  ClientTls,
  Decision,
  ExchangeRecord,
  FailureSigns,
  Outcome,
  OwnState,
  Step,
} from "../../src/contract/record.ts";

const STEPS: readonly Step[] = [
  "receive",
  "identify",
  "route",
  "admit",
  "look up",
  "pick",
  "attempt",
  "judge",
  "relay",
  "rescue",
  "reply",
  "record",
];
const OUTCOMES: readonly Outcome[] = ["served", "rescued", "failed", "refused", "aborted"];
const CACHE_WORDS: readonly CacheWord[] = [
  "",
  "hit",
  "stale",
  "revalidated",
  "collapsed",
  "miss",
  "pass",
  "last-good",
  "refresh",
];
const PARTIES: readonly Party[] = [
  "client",
  "gateway",
  "network",
  "dns",
  "origin",
  "configuration",
  "overload",
  "provider",
  "change",
];

export function sampleRecord(): ExchangeRecord {
  return {
    id: "a".repeat(32),
    traceId: "b".repeat(32),
    parentSpanId: "",
    startedAt: 1_790_000_000_123,
    listener: "0.0.0.0:8080",
    clientAddress: "203.0.113.7",
    peerAddress: "203.0.113.7",
    peerPort: 51_234,
    proxiedBy: "",
    connectionUses: 3,
    method: "GET",
    host: "shop.example.com",
    target: "/things/42?x=1",
    protocol: "HTTP/1.1",
    tls: null,
    userAgent: "curl/8.0",
    service: "shop",
    route: "default",
    pool: "aws",
    origin: "http://a1.example.net:3000",
    status: 200,
    originStatus: 200,
    outcome: "served",
    cause: null,
    party: null,
    reason: "",
    step: "record",
    evidence: "",
    own: null,
    requestBytes: 0,
    responseBytes: 512,
    headUs: 12,
    routedUs: 20,
    queuedUs: 0,
    requestEndUs: 12,
    replyUs: 900,
    doneUs: 950,
    cache: "",
    tunnel: false,
    grpcStatus: -1,
    attempts: [sampleAttempt()],
    decisions: [],
  };
}

export function sampleAttempt(): AttemptRecord {
  return {
    number: 1,
    pool: "aws",
    origin: "http://a1.example.net:3000",
    address: "10.0.0.1:3000",
    protocol: "HTTP/1.1",
    reused: true,
    connectionUses: 5,
    connectionAgeMs: 500,
    connectionIdleMs: 2,
    startedUs: 30,
    connectedUs: 30,
    securedUs: -1,
    sentUs: 40,
    firstByteUs: 850,
    headUs: 860,
    endedUs: 940,
    tls: null,
    sentBytes: 300,
    receivedBytes: 700,
    status: 200,
    cause: null,
    evidence: "",
    signs: null,
  };
}

/** Text as it may come from a wire: quotes, control characters, other scripts, lone surrogates; often empty or plain. */
function anyText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constant(""),
    fc.stringMatching(/^[ -~]{0,30}$/),
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.constantFrom('"', "\\", "\n", "\u2028", "\ud800", "\u007f", "é", "日本", "\u0000"),
  );
}

const us = (): fc.Arbitrary<number> => fc.oneof(fc.constant(-1), fc.nat(), fc.maxSafeNat());
const count = (): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.nat(), fc.maxSafeNat());
const cause = (): fc.Arbitrary<CauseId | null> =>
  fc.option(fc.constantFrom(...Object.values(CAUSES).map((each) => each.id)));

function arbitraryAttempt(): fc.Arbitrary<AttemptRecord> {
  return fc.record({
    number: count(),
    pool: anyText(),
    origin: anyText(),
    address: anyText(),
    protocol: fc.constantFrom("", "HTTP/1.1", "HTTP/2"),
    reused: fc.boolean(),
    connectionUses: count(),
    connectionAgeMs: count(),
    connectionIdleMs: count(),
    startedUs: us(),
    connectedUs: us(),
    securedUs: us(),
    sentUs: us(),
    firstByteUs: us(),
    headUs: us(),
    endedUs: us(),
    tls: fc.option(arbitraryAttemptTls()),
    sentBytes: count(),
    receivedBytes: count(),
    status: fc.integer({ min: 0, max: 999 }),
    cause: cause(),
    evidence: anyText(),
    signs: fc.option(arbitrarySigns()),
  });
}

function arbitraryAttemptTls(): fc.Arbitrary<AttemptTls> {
  return fc.record({
    version: anyText(),
    cipher: anyText(),
    serverName: anyText(),
    alpn: anyText(),
    resumed: fc.boolean(),
  });
}

function arbitraryOwn(): fc.Arbitrary<OwnState> {
  return fc.record({ lastStallMs: count(), stallAgoMs: us(), loopLateMs: count(), descriptorsLeft: us() });
}

function arbitrarySigns(): fc.Arbitrary<FailureSigns> {
  return fc.record({
    end: fc.constantFrom("FIN", "error", "timeout", "refusal", "upgrade", "unusable", "answer"),
    detail: anyText(),
    limitMs: count(),
    framing: fc.constantFrom("none", "length", "chunked", "close"),
    requestSent: fc.boolean(),
    stallMs: count(),
    keepAliveMs: us(),
    answeredAgoMs: us(),
    connectedAgoMs: us(),
    inFlight: count(),
    leftAnswer: fc.boolean(),
    marks: fc.array(fc.record({ text: anyText(), says: fc.constantFrom("made", "passed", "between") }), {
      maxLength: 2,
    }),
    asked: fc.option(fc.record({ headBytes: count(), accept: anyText(), acceptEncoding: anyText(), range: anyText() })),
    own: arbitraryOwn(),
  });
}

function arbitraryDecision(): fc.Arbitrary<Decision> {
  return fc.record({ step: fc.constantFrom(...STEPS), code: anyText(), reason: anyText() });
}

function arbitraryTls(): fc.Arbitrary<ClientTls> {
  return fc.record({
    version: anyText(),
    cipher: anyText(),
    serverName: anyText(),
    alpn: anyText(),
    resumed: fc.boolean(),
    clientSubject: anyText(),
  });
}

export function arbitraryRecord(): fc.Arbitrary<ExchangeRecord> {
  return fc.record({
    id: anyText(),
    traceId: anyText(),
    parentSpanId: anyText(),
    startedAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    listener: anyText(),
    clientAddress: anyText(),
    peerAddress: anyText(),
    peerPort: fc.integer({ min: 0, max: 65_535 }),
    proxiedBy: anyText(),
    connectionUses: count(),
    method: anyText(),
    host: anyText(),
    target: anyText(),
    protocol: anyText(),
    tls: fc.option(arbitraryTls()),
    userAgent: anyText(),
    service: anyText(),
    route: anyText(),
    pool: anyText(),
    origin: anyText(),
    status: fc.integer({ min: 0, max: 999 }),
    originStatus: fc.integer({ min: 0, max: 999 }),
    outcome: fc.constantFrom(...OUTCOMES),
    cause: cause(),
    party: fc.option(fc.constantFrom(...PARTIES)),
    reason: anyText(),
    step: fc.constantFrom(...STEPS),
    evidence: anyText(),
    own: fc.option(arbitraryOwn()),
    requestBytes: count(),
    responseBytes: count(),
    headUs: us(),
    routedUs: us(),
    queuedUs: fc.nat({ max: 1_000_000 }),
    requestEndUs: us(),
    replyUs: us(),
    doneUs: us(),
    cache: fc.constantFrom(...CACHE_WORDS),
    tunnel: fc.boolean(),
    grpcStatus: fc.constantFrom(-1, -1, 0, 14),
    attempts: fc.array(arbitraryAttempt(), { maxLength: 3 }),
    decisions: fc.array(arbitraryDecision(), { maxLength: 3 }),
  });
}
