/**
 * The configuration as the program uses it: every default filled in, every duration in ms, every size in
 * bytes, every name resolved. Plain, frozen data; `normalise.ts` makes it from a checked file.
 */
import type { OriginTls } from "../kernel/socket.ts";

export interface Settings {
  readonly listeners: readonly ListenerSettings[];
  /** Null: no certificate is obtained by itself. */
  readonly acme: AcmeSettings | null;
  /** Null: this gateway has nothing in common with others. */
  readonly fleet: FleetSettings | null;
  /** Null: no admin listener. */
  readonly admin: AdminSettings | null;
  readonly services: readonly ServiceSettings[];
  readonly dns: DnsSettings;
  readonly limits: LimitSettings;
  /** Clients in these ranges are never held back by automation. CIDR text. Default none; the machine itself always is. */
  readonly trusted: readonly string[];
  readonly waiting: WaitingSettings;
  readonly records: RecordSettings;
  readonly accessLog: AccessLogSettings | null;
  readonly cache: CacheSettings;
  readonly state: StateSettings;
  readonly idempotency: IdempotencySettings;
  /** What this gateway is called where several are told apart. Empty: the machine's name. */
  readonly node: string;
  /** Null: no control plane. */
  readonly control: ControlSettings | null;
  /** Null: nobody is told. */
  readonly alerts: AlertSettings | null;
  /** Null: no collector is told anything. */
  readonly otlp: OtlpSettings | null;
  /** Null: there is none. */
  readonly statusPage: StatusPageSettings | null;
  /** Processes that serve, beside one that supervises them; 1: a single process does both. 0: one for each core. Default 1. */
  readonly workers: number;
  /** How long a drain may take before what is left is cut. Default 30 s. */
  readonly drainMs: number;
}

/** The process beside the data plane that turns facts into incidents. */
export interface ControlSettings {
  /** All that it keeps on disk. Default 256 MiB; 0: nothing. */
  readonly diskBytes: number;
  /** The part of it for facts as they were told, compressed. Default 64 MiB. */
  readonly factsBytes: number;
}

/** What everybody may see. */
export interface StatusPageSettings {
  /** Null: it is not served here. */
  readonly bind: Bind | null;
  /** Empty: it is not written. */
  readonly directory: string;
  /** Default `Status`. */
  readonly title: string;
  /** Empty: not known. */
  readonly url: string;
  readonly services: readonly { readonly name: string; readonly title: string }[];
}

/** Who is told of incidents. */
export interface AlertSettings {
  readonly sinks: readonly SinkSettings[];
  /** In the order in which they are asked. Default: one, with everything but notices to every sink. */
  readonly routes: readonly AlertRouteSettings[];
}

/** Where something is that must stay unknown; `text`: written out, as it need not. */
export interface HiddenText {
  readonly from: "text" | "file" | "env";
  readonly name: string;
}

export type SinkSettings = { readonly name: string } & (
  | { readonly kind: "webhook"; readonly url: HiddenText; readonly secret: HiddenText | null }
  | { readonly kind: "slack"; readonly url: HiddenText }
  | { readonly kind: "pagerduty"; readonly url: HiddenText; readonly key: HiddenText }
  | { readonly kind: "alertmanager"; readonly url: HiddenText }
  | {
      readonly kind: "email";
      readonly host: string;
      readonly port: number;
      /** From the first byte; otherwise as soon as the server offers it. */
      readonly tls: boolean;
      readonly from: string;
      readonly to: readonly string[];
      /** Empty: nobody signs in. */
      readonly user: string;
      readonly password: HiddenText | null;
      /** PEM file of the authorities that are believed. Empty: those of the system. */
      readonly ca: string;
    }
);

export interface AlertRouteSettings {
  readonly name: string;
  /** Name → values of which one must match. */
  readonly match: Readonly<Record<string, readonly string[]>>;
  readonly to: readonly string[];
  /** Default 10 s. */
  readonly waitMs: number;
  /** Default 4 h; 0: told once. */
  readonly repeatMs: number;
  readonly quiet: QuietSettings | null;
  readonly escalate: readonly { readonly afterMs: number; readonly to: readonly string[] }[];
  /** Routes behind it are asked too. */
  readonly goesOn: boolean;
}

export interface QuietSettings {
  /** IANA name. */
  readonly zone: string;
  /** Minutes after midnight. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** 0 is Sunday; empty: every day. */
  readonly days: readonly number[];
}

/** An OpenTelemetry collector. */
export interface OtlpSettings {
  /** Scheme, host and port. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly traces: boolean;
  /** Exchanges, in all workers together. Default 1000. */
  readonly tracesPerSecondMax: number;
  readonly metrics: boolean;
  /** Between two reports of metrics. Default 15 s. */
  readonly intervalMs: number;
  /** Default false. */
  readonly queries: boolean;
}

export interface Bind {
  /** An IP address, or `unix:/path` of a Unix socket, whose port is 0. */
  readonly host: string;
  /** 0–65535; 0 lets the system choose (tests, samples). */
  readonly port: number;
}

export interface ListenerSettings {
  /** `0.0.0.0:8080` as written; the listener's name in records and metrics. */
  readonly name: string;
  readonly bind: Bind;
  /** Peers in these ranges may say who the client is (X-Forwarded-*, Forwarded, X-Request-Id). CIDR text. Default none. */
  readonly trustedProxies: readonly string[];
  /** Null: whoever is between can read along. */
  readonly tls: ListenerTlsSettings | null;
  /** What browsers are told by Strict-Transport-Security. Empty, the default: nothing. */
  readonly hsts: string;
  /** Where requests without TLS are sent. 0, the default: they stay. */
  readonly redirectPort: number;
  /** From the connection to the end of its TLS handshake. Default 10 s. */
  readonly handshakeMs: number;
  readonly heads: HeadLimits;
  /** First byte to complete head. Default 10 s. */
  readonly headMs: number;
  /** Over how long a client has to keep up the two that follow. Default 30 s. */
  readonly bodyGapMs: number;
  /** Bytes of a request body that have to come in each `bodyGapMs`; at least 1. Default 240 B/s. */
  readonly sentBytesMin: number;
  /** Bytes of a waiting response that the client has to take in each `bodyGapMs`; at least 1. Default 240 B/s. */
  readonly takenBytesMin: number;
  /** Between exchanges. Default 75 s. */
  readonly idleMs: number;
  /** How long a half-closed client (FIN after its request) is still answered before it counts as gone. Default 5 s. */
  readonly halfClosedMs: number;
  /** Null: connections begin with a request. Default. */
  readonly proxyProtocol: ProxyProtocolSettings | null;
  /** Of the file, where `bind` is a Unix socket. */
  readonly socketFile: SocketFileSettings;
  /** Null: clients speak HTTP/1.1 here. */
  readonly http2: Http2Settings | null;
}

/** Connections of trusted proxies begin with a header that says whose they are. */
export interface ProxyProtocolSettings {
  /** Who is not trusted is taken for a client, and is turned away otherwise, by default. */
  readonly othersAreClients: boolean;
  /** Default 3 s. */
  readonly timeoutMs: number;
  /** Of one header. Default 4 KiB. */
  readonly bytesMax: number;
  /** Connections at once whose header has not come. Default 1000. */
  readonly waitingMax: number;
}

export interface SocketFileSettings {
  /** Permissions. Default 0660. */
  readonly mode: number;
  /** Names or numbers; empty, the default: those of the process. */
  readonly user: string;
  readonly group: string;
}

export interface ListenerTlsSettings {
  /** Files. The first is for names that none is for. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  /** Default 1.2. */
  readonly minVersion: "1.2" | "1.3";
  /** A client that asks for a name which no certificate is for is refused. Default false. */
  readonly strictSni: boolean;
  /** The first that names a host holds for it, else the first for all. Default: none, and nobody is asked. */
  readonly clientCertificates: readonly ClientCertificateSettings[];
  /** Certificates for these are obtained by themselves. Default: none. */
  readonly acmeNames: readonly string[];
}

/** How certificates are obtained by themselves. */
export interface AcmeSettings {
  /** Empty: none is told. */
  readonly email: string;
  /** The preferred one first. */
  readonly authorities: readonly AcmeAuthoritySettings[];
  /** The preferred one first. */
  readonly challenges: readonly ("http-01" | "tls-alpn-01")[];
  /** Of one name. Default 4. */
  readonly certificatesPerWeek: number;
}

/** What several gateways have together. */
export interface FleetSettings {
  /** A URL, or where it is. */
  readonly database: HiddenText;
  /** Where what private keys are encrypted with is. */
  readonly key: HiddenText;
  /** A file; empty: whom the system trusts. */
  readonly ca: string;
  /** Default `goodgate`. */
  readonly schema: string;
}

export interface AcmeAuthoritySettings {
  /** URL. */
  readonly directory: string;
  readonly externalAccount: { readonly kid: string; readonly key: HiddenText } | null;
  /** A file; empty: whom the system trusts. */
  readonly ca: string;
}

/** Who has to show a certificate. */
export interface ClientCertificateSettings {
  /** A file with those who may have issued it. */
  readonly ca: string;
  /** Default true. */
  readonly isRequired: boolean;
  /** Null: all. */
  readonly hosts: readonly string[] | null;
  /** Origins are told its issuers too. Default false. */
  readonly chain: boolean;
}

/** What one HTTP/2 connection of a client may do. */
export interface Http2Settings {
  /** Requests at the same time. Default 100. */
  readonly streamsMax: number;
  /** What a client may send ahead of one request's content; four times as much for all of them. Default 256 KiB. */
  readonly windowBytes: number;
  /** Requests of a connection that are reset. Default 1000. */
  readonly resetsPerMinute: number;
  /** Frames that ask for nothing, such as PING. Default 6000. */
  readonly idleFramesPerMinute: number;
}

export interface HeadLimits {
  /** Whole head: start line and fields. Default 32 KiB. */
  readonly headBytes: number;
  /** Default 100. */
  readonly fields: number;
  /** Start line alone. Default 16 KiB. */
  readonly lineBytes: number;
  /** One chunk's extensions. Default 1 KiB. */
  readonly chunkExtensionBytes: number;
  /** All trailer fields. Default 8 KiB. */
  readonly trailerBytes: number;
}

export interface AdminSettings {
  readonly bind: Bind;
  /** Needed off loopback. Null: none asked for. */
  readonly token: string | null;
  /** Of the file, where `bind` is a Unix socket. */
  readonly socketFile: SocketFileSettings;
}

export interface ServiceSettings {
  readonly name: string;
  /** Lower case; `*` is every host, `*.example.com` every host under it. Default [`*`]. */
  readonly hosts: readonly string[];
  /** In order of preference. At least one. */
  readonly pools: readonly PoolSettings[];
  /** Most specific first (see route-table.ts); a catch-all route `default` always exists at the end. */
  readonly routes: readonly RouteSettings[];
  readonly health: HealthSettings | null;
  readonly ejection: EjectionSettings;
  readonly retry: RetrySettings;
  readonly failover: FailoverSettings;
  /** A route that fails at one origin alone is kept from it, by the thresholds of `ejection`. Default true. */
  readonly breaker: boolean;
  /** Null: no request is ever sent to two origins at once. */
  readonly hedge: HedgeSettings | null;
  /** Requests that break one origin after the other are kept away from the rest. Default true. */
  readonly poison: boolean;
  /** Null: nothing is limited and nothing waits for room. */
  readonly overload: OverloadSettings | null;
  readonly connections: ConnectionSettings;
  /** Origins are told by a field when the service is strained. Default true. */
  readonly reducedMode: boolean;
  /** What its clients are promised. Null: nothing is. */
  readonly objective: ObjectiveSettings | null;
  /** Origins' response heads. */
  readonly heads: HeadLimits;
}

export interface ObjectiveSettings {
  /** Part of the exchanges that go well. Default 0.999. */
  readonly availability: number;
  /** Within how long `latencyRatio` of them are done. 0: nothing is promised, the default. */
  readonly latencyMs: number;
  /** Default 0.99. */
  readonly latencyRatio: number;
}

export interface FailoverSettings {
  /** The part of its capacity with which the first pool carries all that is needed. Default 0.7. */
  readonly threshold: number;
  /** How long capacity that came back must have been steady before it is counted on. Default 30 s. */
  readonly backAfterMs: number;
  /** At least this long between two changes of the pool that comes first, unless the new one fails. Default 5 min. */
  readonly holdMs: number;
}

export interface PoolSettings {
  readonly name: string;
  /** Who runs it: pools of one provider may fail together. Default: the pool's name, `shop.pool-1` where it has none. */
  readonly provider: string;
  /** Part of the safe requests that it gets while it is not first. Default 0. */
  readonly standbyShare: number;
  readonly origins: readonly OriginSettings[];
}

/** Of one HTTP/2 connection to an origin. */
export interface Http2Limits {
  /** Requests at the same time, 1–1000. Default 100. */
  readonly streamsMax: number;
  /** What is let in of one response that its client has not taken, in bytes, 64 KiB–16 MiB. Default 256 KiB. */
  readonly windowBytes: number;
}

export interface OriginSettings {
  /** As configured, canonical: `http://a1.example.net:3000`. */
  readonly url: string;
  /** Host name or IP literal without brackets, lower case; or `unix:/path` of a Unix socket, whose port is 0. */
  readonly host: string;
  readonly port: number;
  /** Prefix put before every request path; empty or `/base` without a trailing slash. */
  readonly basePath: string;
  /** Connections begin with a header of this version that says whose they are. Default 0: they do not. */
  readonly proxyProtocol: 0 | 1 | 2;
  /** Whether it is asked over HTTP/2. `alpn`: it chooses in the handshake of TLS. Default `never`. */
  readonly http2: "never" | "prior" | "alpn";
  /** Null: it is not asked over HTTP/2. */
  readonly http2Limits: Http2Limits | null;
  /** Relative share, 1–1000. Default 100. */
  readonly weight: number;
  /** Null: `http://`. */
  readonly tls: OriginTls | null;
}

export interface RouteSettings {
  readonly name: string;
  readonly match: RouteMatch;
  /** Pools of the service that this route uses, in order; all of them by default. */
  readonly pools: readonly string[];
  readonly timeouts: TimeoutSettings;
  /** True: requests of this route may be repeated whatever their method. Default: by method (RFC 9110 §9.2.2). */
  readonly idempotent: boolean;
  /** The probe ladder may send what failed here once more, where it is harmless. Default true. */
  readonly probe: boolean;
  /** The whole time until a response begins, all attempts together. A client may allow less. 0: none, the default. */
  readonly deadlineMs: number;
  /** Instead of the gateway's own failure page. Null: none. */
  readonly fallback: FallbackSettings | null;
  /** Browsers that are turned away for lack of room get a page that waits. Default true. */
  readonly waitingPage: boolean;
  /** All have to hold. Default: none. */
  readonly rateLimits: readonly RateLimitSettings[];
  readonly idempotencyKey: IdempotencyKeySettings;
  /** What the origin sees as Host: the client's (`preserve`, default) or its own (`origin`). */
  readonly hostHeader: "preserve" | "origin";
  /** How a response that breaks in its body is continued. Null: it is cut. */
  readonly resume: ResumeSettings | null;
  readonly cache: RouteCacheSettings;
  /** What is shed last, normally, first. Default `normal`. */
  readonly class: RouteClass;
  /** Exchanges at once that wait for an origin's answer. 0: none set; then a share of what the gateway can take. */
  readonly concurrency: number;
}

export interface ResumeSettings {
  /** Silence in a body after which another origin is asked for the rest besides. Default 900 ms. 0: only a break counts. */
  readonly stallMs: number;
  /** Continuations of one body. Default 50. */
  readonly timesMax: number;
}

/** What the gateway answers for a route when no origin can. */
export interface FallbackSettings {
  readonly status: number;
  readonly contentType: string;
  /** Null: the content is in `file`. */
  readonly body: string | null;
  readonly file: string | null;
  readonly onFailure: boolean;
  readonly onOverload: boolean;
}

/** Tickets of visitors who were told to wait. */
export interface WaitingSettings {
  /** What they are signed with. Null: the process makes one up, and no other process takes its tickets. */
  readonly secret: string | null;
  /** How long one is good. Default 10 min. */
  readonly expiresMs: number;
}

export interface RateLimitSettings {
  /** In RateLimit fields and records; no two limits of a route are called the same. */
  readonly name: string;
  /** So many requests … */
  readonly count: number;
  /** … in so much time. */
  readonly periodMs: number;
  /** So many at once after a pause. Default: `count`. */
  readonly burst: number;
  readonly per: "client" | "route" | "header";
  /** Lower-case field name; empty unless `per` is `header`. */
  readonly header: string;
  /** Notes what it would refuse and refuses nothing. */
  readonly shadow: boolean;
}

export interface RouteCacheSettings {
  /**
   * `last good` (default): a copy is kept of what origins mark as storable, and answers when no origin can.
   * `full`: stored responses answer as RFC 9111 allows. `off`: neither.
   */
  readonly mode: "off" | "last good" | "full";
  /** Past its freshness, when no origin answers. Default 1 day. */
  readonly staleIfDisconnectedMs: number;
  /** Past its freshness, when an origin answers 500, 502, 503 or 504. Default 0: as the response says. */
  readonly staleIfStatusMs: number;
  /** Past its freshness, while a new response is fetched. Default 0: as the response says. */
  readonly staleWhileRevalidateMs: number;
  /** For 404, 410 and 5xx without a lifetime of their own. Default 0: they are not stored. */
  readonly negativeMs: number;
  /** Responses with Set-Cookie are stored. Default false. */
  readonly setCookie: boolean;
  /** Request directives are obeyed. Default false. */
  readonly reload: boolean;
}

export type RouteClass = "critical" | "normal" | "background";

export interface RouteMatch {
  /** Exact `/a/b`, prefix `/a/*` (matches `/a` too), template `/users/{id}/posts`; `/*` is everything. */
  readonly path: string;
  /** Upper case; empty: any. */
  readonly methods: readonly string[];
  /** Lower-case field name → exact value, or `*` for present. All must hold. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface TimeoutSettings {
  /** TCP connect. Default 2 s. */
  readonly connectMs: number;
  /** From TCP being connected to the end of the TLS handshake. Default 4 s. */
  readonly handshakeMs: number;
  /** Request sent to first response byte. Default 15 s. 0: none. */
  readonly firstByteMs: number;
  /** Between bytes of a response, and between bytes the origin takes of a request. Default 30 s. 0: none. */
  readonly gapMs: number;
}

export interface HealthSettings {
  /** Request path for an HTTP check; null: a TCP connect is the check (the default when no path is given). */
  readonly path: string | null;
  /** The service whose state gRPC's health checking protocol is asked for; empty: the server's. Null: it is not asked. */
  readonly grpc: string | null;
  /** Host field of the check; null: the origin's own. */
  readonly host: string | null;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that take an origin down. Default 3. */
  readonly down: number;
  /** Successes in a row that bring it up. Default 2. */
  readonly up: number;
  /** Statuses that count as healthy, inclusive range. Default 200–399. */
  readonly statusMin: number;
  readonly statusMax: number;
  /** What an answer to the check has to carry so that the address counts as the origin that is wanted; null: anything. */
  readonly expect: ExpectSettings | null;
}

/** `header`: lower case; null: the text is looked for in the body. */
export interface ExpectSettings {
  readonly header: string | null;
  readonly text: string;
}

export interface EjectionSettings {
  readonly consecutiveFailures: number;
  readonly successRatioMin: number;
  readonly requestsMin: number;
  readonly windowMs: number;
  readonly returnAfterMs: number;
  readonly returnAfterMaxMs: number;
  readonly rampMs: number;
  /** Share of a pool that may be out at once; never the last origin. Default 0.5. */
  readonly ejectedRatioMax: number;
  /** Null: an origin is not ejected for being slower than its peers. */
  readonly slow: SlowSettings | null;
}

export interface SlowSettings {
  /** A request is slow when it takes longer than this multiple of the peers' median. Default 4. */
  readonly factor: number;
  /** And longer than the median by this much. Default 100 ms. */
  readonly extraMs: number;
  /** How much larger than its peers' share of slow requests an origin's is that has to be found soon. Default 0.2. */
  readonly shareMin: number;
  /** Requests of its peers in the window that a comparison needs. Default 20. */
  readonly peersMin: number;
}

export interface RetrySettings {
  /** Attempts per exchange, the first included. 1: no retry. Default 3. */
  readonly attemptsMax: number;
  readonly budgetRatio: number;
  readonly budgetPerSecond: number;
  /** Request body kept for a repeat, per exchange. Default 64 KiB. */
  readonly replayBytes: number;
  /** The pause before origins that could not be reached are tried once more is random, up to this. Default 100 ms. */
  readonly backoffBaseMs: number;
  /** It doubles with each pass up to this. Default 1 s; 0: they are not tried once more. */
  readonly backoffMaxMs: number;
}

export interface OverloadSettings {
  /** Requests that wait for their first byte at one address of an origin. 0: learned (the default). */
  readonly concurrency: number;
  /** How long a request waits for room: usually (default 500 ms), while the queue stands (20 ms), and critical ones (1 s). */
  readonly calmMs: number;
  readonly stressedMs: number;
  readonly criticalMs: number;
  /** Requests that wait for room at once. Default 10 000. */
  readonly waitingMax: number;
}

export interface HedgeSettings {
  /** An answer is late after what 95 % of them took lately, and never before this. Default 20 ms. */
  readonly afterMinMs: number;
  /** Answers in the last half minute that are needed to know. Default 50. */
  readonly samplesMin: number;
}

export interface ConnectionSettings {
  /** Open connections per origin address. Default 1024. */
  readonly perOriginMax: number;
  /** Idle ones kept per origin address. Default 256. */
  readonly idlePerOriginMax: number;
  /** Upper bound of the learned idle time. Default 60 s. */
  readonly idleMaxMs: number;
}

export interface DnsSettings {
  /** `ip` or `ip:port`; empty: the system's. */
  readonly resolvers: readonly string[];
  readonly timeoutMs: number;
  /** Bounds on how long an answer counts as fresh, whatever its TTL says. Default 1 s and 5 min. */
  readonly ttlMinMs: number;
  readonly ttlMaxMs: number;
  /** How old the last good answer may become while newer questions fail or say that there is nothing. Default 1 d. */
  readonly keepMs: number;
}

export interface CacheSettings {
  /** All stored responses in memory. Default 64 MiB; 0: no cache. */
  readonly memoryBytes: number;
  /** All stored responses on disk. Default 0: none. */
  readonly diskBytes: number;
  /** One stored response. Default 8 MiB. */
  readonly objectBytes: number;
  /** Variants of one URL. Default 16. */
  readonly variantsMax: number;
  /** For the same response being fetched for another request. Default 5 s. */
  readonly waitMs: number;
  /** Waiting for one response at once. Default 1000. */
  readonly waitersMax: number;
}

export interface LimitSettings {
  /** Client connections at once. Default 10 000, and never more than the descriptors allow. */
  readonly connectionsMax: number;
  /** Of one client, unless it is a trusted proxy or protected. Null, the default: a quarter of `connectionsMax`, at least 100. */
  readonly connectionsPerClientMax: number | null;
  /** TLS handshakes of clients at once. Default: a quarter of the connections, and 100 at least. */
  readonly handshakesMax: number;
  /** Null: switched off. */
  readonly flood: FloodSettings | null;
  /** Clients are told apart by so many leading bits of their address. Default 32 of IPv4 and 64 of IPv6. */
  readonly clientBits: { readonly ipv4: number; readonly ipv6: number };
  /** Clients or field values that each rate limit remembers. Default 65 536. */
  readonly rateLimitKeysMax: number;
  /** All replay buffers together. Default 64 MiB. */
  readonly replayBytesTotal: number;
  /** Resident memory to stay below. 0: what the machine or the container has. */
  readonly memoryBytes: number;
  /** Lateness of the event loop at which work is turned away. Default 500 ms. 0: never for that. */
  readonly loopDelayMs: number;
  /** The part of the process's descriptors that may be in use before clients are turned away. Default 0.95. */
  readonly descriptorRatio: number;
}

/** When one client is held back because it asks for far more than all others. */
export interface FloodSettings {
  /** While the gateway or a service turns requests away: so many times the mean of the others … Default 10. */
  readonly stressedTimes: number;
  /** … and so many requests a second. Default 50. */
  readonly stressedPerSecond: number;
  /** Otherwise. Defaults 100 and 1000. */
  readonly calmTimes: number;
  readonly calmPerSecond: number;
  /** Clients that are watched at once. Default 8192. */
  readonly clientsMax: number;
  /** Notes what it would do and does nothing. */
  readonly shadow: boolean;
}

export interface RecordSettings {
  /** How many failed, rescued, refused and aborted ones are kept. Default 2000. */
  readonly failedMax: number;
  /** How many of the slowest of the last ten minutes. Default 200. */
  readonly slowestMax: number;
  /** How many of the sample of the rest. Default 1000. */
  readonly sampledMax: number;
  /** Share of the rest that is sampled. Default 0.01. */
  readonly sampleRatio: number;
}

export interface AccessLogSettings {
  /** A file path, or `stdout`. */
  readonly path: string;
  /** Lines wait in memory up to this much; beyond it they are dropped and counted. Default 4 MiB. */
  readonly bufferBytes: number;
}

/** Where what must outlive the process is kept. */
export interface StateSettings {
  readonly use: boolean;
  /** Empty: the usual place of this system, which is found at start. */
  readonly directory: string;
}

/** How a route treats Idempotency-Key in requests whose method is not idempotent. */
export interface IdempotencyKeySettings {
  readonly mode: "off" | "honour" | "required";
  /** The origins of the route honour the key themselves, so that sending it again cannot run anything twice. */
  readonly originsHonour: boolean;
  /** Default 24 h. */
  readonly keepMs: number;
  /** `credentials`: each client has keys of its own. `service`: a key is the same key whoever sends it. */
  readonly scope: "credentials" | "service";
}

/** Bounds of the ledger of keys, for the whole gateway. */
export interface IdempotencySettings {
  /** Default 256 MiB. */
  readonly bytesMax: number;
  /** One answer; of a larger one only the fact is kept. Default 1 MiB. */
  readonly answerBytesMax: number;
  /** Answers that are being received, together. Default 64 MiB. */
  readonly receivingBytesMax: number;
  /** How long a request waits for one with the same key. Default 10 s. */
  readonly waitMs: number;
  /** How many wait for one key. Default 16. */
  readonly waitersMax: number;
  /** How long an answer is waited for after its client was told that it took too long. Default 2 min. */
  readonly lateMs: number;
}
