/**
 * What is measured: one row for each kind of traffic, with the wrk arguments that make it. The connection
 * counts are small because one core answers them: more would only measure queues.
 */
export const ROW_NAMES = [
  "small",
  "64k",
  "1m",
  "post",
  "close",
  "idle",
  "tls",
  "tls-full",
  "tls-resumed",
  "h2",
  "grpc",
  "websocket",
] as const;
export type RowName = (typeof ROW_NAMES)[number];

export interface Row {
  readonly title: string;
  readonly path: string;
  readonly connections: number;
  /** A wrk script (Lua), or empty. */
  readonly script: string;
  /** Fields of every request. */
  readonly fields: readonly string[];
  /** Idle connections are held beside the load, by a peer that was started for this row alone. */
  readonly idle: boolean;
  /** Requests at once on each connection, in HTTP/2; 0: HTTP/1.1, one after the other. */
  readonly streams: number;
  /** Content of every request, in HTTP/2. */
  readonly bodyBytes?: number;
  /** Over TLS 1.3, with one certificate (EC P-256) for all peers. */
  readonly tls?: true;
  /** A connection for each request, whose handshake is made in full, or goes on with the session of the one before. */
  readonly handshake?: "full" | "resumed";
  /** Messages on open WebSockets, one after the other on each, instead of requests. */
  readonly messages?: true;
  /** The most that issue 2 allows, as a multiple of HAProxy's CPU; null where it names none. */
  readonly mark: number | null;
}

const POST = `wrk.method = "POST"
wrk.body = string.rep("x", 1024)
wrk.headers["Content-Type"] = "application/octet-stream"
`;

export const ROWS: Readonly<Record<RowName, Row>> = {
  small: {
    title: "GET 500 B, keep-alive",
    path: "/500",
    connections: 32,
    script: "",
    fields: [],
    idle: false,
    streams: 0,
    mark: 1.5,
  },
  "64k": {
    title: "GET 64 KiB",
    path: "/64k",
    connections: 16,
    script: "",
    fields: [],
    idle: false,
    streams: 0,
    mark: 2,
  },
  "1m": { title: "GET 1 MiB", path: "/1m", connections: 8, script: "", fields: [], idle: false, streams: 0, mark: 1.5 },
  post: {
    title: "POST 1 KiB",
    path: "/post",
    connections: 32,
    script: POST,
    fields: [],
    idle: false,
    streams: 0,
    mark: null,
  },
  // The client asks for the close (RFC 9112 §9.6) and every peer closes after its answer. wrk closes as soon as
  // it has the answer, so either side may send the first FIN; both ends' TIME_WAIT is the kernel's, not the peer's.
  close: {
    title: "GET 500 B, new connection each",
    path: "/500",
    connections: 32,
    script: "",
    fields: ["Connection: close"],
    idle: false,
    streams: 0,
    mark: 3.5,
  },
  idle: {
    title: "GET 500 B beside idle connections",
    path: "/500",
    connections: 32,
    script: "",
    fields: [],
    idle: true,
    streams: 0,
    mark: null,
  },
  tls: {
    title: "GET 500 B, keep-alive, TLS 1.3",
    path: "/500",
    connections: 32,
    script: "",
    fields: [],
    idle: false,
    streams: 0,
    tls: true,
    mark: 1.6,
  },
  // Each client asks once, waits for the answer and closes.
  "tls-full": {
    title: "GET 500 B, new TLS 1.3 connection each, full handshake",
    path: "/500",
    connections: 8,
    script: "",
    fields: [],
    idle: false,
    streams: 0,
    tls: true,
    handshake: "full",
    mark: 1.3,
  },
  "tls-resumed": {
    title: "GET 500 B, new TLS 1.3 connection each, session resumed",
    path: "/500",
    connections: 8,
    script: "",
    fields: [],
    idle: false,
    streams: 0,
    tls: true,
    handshake: "resumed",
    mark: 1.3,
  },
  h2: {
    title: "GET 500 B, HTTP/2",
    path: "/500",
    connections: 4,
    script: "",
    fields: [],
    idle: false,
    streams: 16,
    mark: 3,
  },
  // The message is not looked into by anybody; the origin (nginx) answers 100 bytes and grpc-status in its trailers.
  grpc: {
    title: "gRPC unary, 100 B both ways",
    path: "/bench.Echo/Call",
    connections: 4,
    script: "",
    fields: ["content-type: application/grpc", "te: trailers"],
    idle: false,
    streams: 16,
    bodyBytes: 100,
    mark: null,
  },
  websocket: {
    title: "WebSocket echo, 100 B",
    path: "/socket",
    connections: 32,
    script: "",
    fields: [],
    idle: false,
    streams: 0,
    messages: true,
    mark: null,
  },
};
