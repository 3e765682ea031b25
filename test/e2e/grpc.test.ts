/**
 * gRPC through the gateway with an independent implementation at both ends: the cases of gRPC's own interoperability
 * tests (interop-test-descriptions.md), by the names that they have there.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testAuthority } from "../support/certificates.ts";
import { eventBefore } from "../support/event-before.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { interopClients, startCompressingServer, startInteropServer } from "../support/grpc-interop.ts";
import type { InteropClient, InteropServer, Payload, StreamingRequest } from "../support/grpc-interop.ts";
import { until } from "../support/until.ts";

const { status } = grpc;
const NONE = new grpc.Metadata();
const NAMES = ["grpc.test", "compressed.example"] as const;
const LARGE_REQUEST = 271_828;
const LARGE_RESPONSE = 314_159;
const SIZES_UP = [27_182, 8, 1_828, 45_904];
const SIZES_DOWN = [31_415, 9, 2_653, 58_979];

let server: InteropServer;
let gateway: GatewayProcess;
let clients: ReturnType<typeof interopClients>;
let compressor: Awaited<ReturnType<typeof startCompressingServer>>;
/** Sends what it says compressed. */
let compressing: ReturnType<typeof interopClients>;
/** Its server answers compressed. */
let answered: ReturnType<typeof interopClients>;

let folder = "";

async function start(secure: boolean): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), "goodgate-grpc-"));
  const authority = await testAuthority();
  const { cert, key } = await authority.server(NAMES);
  const ca = Buffer.from(authority.root.cert);
  const files = { ca: join(folder, "ca.pem"), cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  writeFileSync(files.ca, ca);
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  const own = [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }];
  server = await startInteropServer(secure ? grpc.ServerCredentials.createSsl(null, own) : undefined);
  compressor = await startCompressingServer();
  const file = inFrontOf([`${secure ? "https" : "http"}://127.0.0.1:${server.port}`], {
    http2: true,
    ...(secure ? { tls: { ca: files.ca, serverName: NAMES[0] } } : {}),
  });
  const compressed = {
    hosts: ["compressed.example"],
    health: false,
    http2: true,
    pools: [{ origins: [`http://127.0.0.1:${compressor.port}`] }],
  };
  const listener = secure ? { tls: { certificates: [{ cert: files.cert, key: files.key }] } } : {};
  // The client says nothing of a call that it cancels as it begins: its end would be waited for in vain.
  gateway = await startGateway({ ...file, listener, drain: "500ms", services: { ...file.services, compressed } });
  const connect = (options: grpc.ClientOptions): ReturnType<typeof interopClients> =>
    interopClients(
      `127.0.0.1:${gateway.port}`,
      secure ? grpc.credentials.createSsl(ca) : grpc.credentials.createInsecure(),
      { "grpc.ssl_target_name_override": NAMES[0], "grpc.default_authority": NAMES[0], ...options },
    );
  clients = connect({});
  compressing = connect({ "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip });
  answered = connect({ "grpc.default_authority": NAMES[1], "grpc.ssl_target_name_override": NAMES[1] });
}

async function stop(): Promise<void> {
  clients?.close();
  compressing?.close();
  answered?.close();
  await gateway?.stop();
  await server?.stop();
  await compressor?.stop();
  rmSync(folder, { recursive: true, force: true });
}

interface Answer<Response> {
  readonly error: grpc.ServiceError | null;
  readonly response: Response | undefined;
  readonly initial: grpc.Metadata | null;
  readonly final: grpc.StatusObject | null;
}

/** A call with one answer, and all that came with it. */
function answerTo<Response>(
  begin: (done: grpc.requestCallback<Response>) => grpc.ClientUnaryCall | grpc.ClientWritableStream<never>,
): Promise<Answer<Response>> {
  return new Promise((resolve) => {
    let initial: grpc.Metadata | null = null;
    let final: grpc.StatusObject | null = null;
    let told: [grpc.ServiceError | null, Response | undefined] | null = null;
    const finish = (): void => {
      if (told !== null && final !== null) resolve({ error: told[0], response: told[1], initial, final });
    };
    const call = begin((error, response) => {
      told = [error, response];
      finish();
    });
    call.on("metadata", (metadata: grpc.Metadata) => {
      initial = metadata;
    });
    call.on("status", (object: grpc.StatusObject) => {
      final = object;
      finish();
    });
  });
}

interface Heard {
  readonly sizes: number[];
  final: grpc.StatusObject | null;
}

/** Reads a stream to its end. */
function readAll(call: grpc.ClientReadableStream<{ payload: Payload }>): Promise<Heard> {
  return new Promise((resolve) => {
    const heard: Heard = { sizes: [], final: null };
    call.on("data", ({ payload }: { payload: Payload }) => heard.sizes.push(payload.body.length));
    call.on("error", () => undefined);
    call.on("status", (final: grpc.StatusObject) => {
      heard.final = final;
      resolve(heard);
    });
  });
}

async function unary(client: InteropClient, method: "UnaryCall" | "CacheableUnaryCall"): Promise<void> {
  const { error, response } = await answerTo<{ payload: Payload }>((done) =>
    client[method]({ response_size: LARGE_RESPONSE, payload: { body: Buffer.alloc(LARGE_REQUEST) } }, NONE, {}, done),
  );
  expect(error).toBeNull();
  expect(response?.payload.body).toHaveLength(LARGE_RESPONSE);
}

async function upload(client: InteropClient): Promise<void> {
  const { response } = await answerTo<{ aggregated_payload_size: number }>((done) => {
    const call = client.StreamingInputCall(NONE, {}, done);
    for (const size of SIZES_UP) call.write({ payload: { body: Buffer.alloc(size) } });
    call.end();
    return call;
  });
  expect(response?.aggregated_payload_size).toBe(74_922);
}

async function download(client: InteropClient): Promise<void> {
  const request = { response_parameters: SIZES_DOWN.map((size) => ({ size })) };
  const { sizes, final } = await readAll(client.StreamingOutputCall(request, NONE, {}));
  expect([sizes, final?.code]).toEqual([SIZES_DOWN, status.OK]);
}

/** Asks and is answered in turn, on one call. */
async function pingPong(client: InteropClient): Promise<void> {
  const call = client.FullDuplexCall(NONE, {});
  const ended = new Promise<grpc.StatusObject>((resolve) => call.on("status", resolve));
  for (const [index, size] of SIZES_DOWN.entries()) {
    const answer = eventBefore<[{ payload: Payload }]>(call, "data", "status");
    call.write({ response_parameters: [{ size }], payload: { body: Buffer.alloc(SIZES_UP[index] ?? 0) } });
    const [{ payload }] = await answer;
    expect(payload.body).toHaveLength(size);
  }
  call.end();
  expect((await ended).code).toBe(status.OK);
}

const BOTH: readonly [string, (message: string) => Promise<grpc.StatusObject | null | undefined>][] = [
  [
    "UnaryCall",
    async (message) =>
      (await answerTo((done) => clients.test.UnaryCall({ response_status: { code: 2, message } }, NONE, {}, done)))
        .final,
  ],
  [
    "FullDuplexCall",
    async (message) => {
      const call = clients.test.FullDuplexCall(NONE, {});
      const heard = readAll(call);
      call.write({ response_status: { code: 2, message } } satisfies StreamingRequest);
      call.end();
      return (await heard).final;
    },
  ],
];

const CASES: Readonly<Record<string, () => Promise<void>>> = {
  async empty_unary() {
    const { error, response } = await answerTo((done) => clients.test.EmptyCall({}, NONE, {}, done));
    expect([error, response]).toEqual([null, {}]);
  },
  // As GET it is no longer part of gRPC; as a POST it must reach the server each time.
  async cacheable_unary() {
    const times = (): number => server.heard.filter(({ method }) => method === "UnaryCall").length;
    const before = times();
    await unary(clients.test, "CacheableUnaryCall");
    await unary(clients.test, "CacheableUnaryCall");
    expect(times()).toBe(before + 2);
  },
  large_unary: () => unary(clients.test, "UnaryCall"),
  async client_compressed_unary() {
    await unary(compressing.test, "UnaryCall");
    await gateway.record("a call that was compressed", ({ target, requestBytes }) => {
      return target.endsWith("/UnaryCall") && requestBytes > 5 && requestBytes < LARGE_REQUEST / 10;
    });
  },
  async server_compressed_unary() {
    await unary(answered.test, "UnaryCall");
    const record = await gateway.record("an answer that was compressed", ({ service }) => service === "compressed");
    expect(record.responseBytes).toBeLessThan(LARGE_RESPONSE / 10);
  },
  client_streaming: () => upload(clients.test),
  client_compressed_streaming: () => upload(compressing.test),
  server_streaming: () => download(clients.test),
  async server_compressed_streaming() {
    const { sizes, final } = await readAll(answered.test.StreamingOutputCall({}, NONE, {}));
    expect([sizes, final?.code]).toEqual([[31_415, 92_653], status.OK]);
  },
  ping_pong: () => pingPong(clients.test),
  async empty_stream() {
    const call = clients.test.FullDuplexCall(NONE, {});
    call.end();
    const { sizes, final } = await readAll(call);
    expect([sizes, final?.code]).toEqual([[], status.OK]);
  },
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    metadata.set("x-grpc-test-echo-initial", "test_initial_metadata_value");
    metadata.set("x-grpc-test-echo-trailing-bin", Buffer.from([0xab, 0xab, 0xab]));
    const { initial, final } = await answerTo((done) =>
      clients.test.UnaryCall({ response_size: 1 }, metadata, {}, done),
    );
    expect(initial?.get("x-grpc-test-echo-initial")).toEqual(["test_initial_metadata_value"]);
    expect(final?.metadata.get("x-grpc-test-echo-trailing-bin")).toEqual([Buffer.from([0xab, 0xab, 0xab])]);
  },
  async status_code_and_message() {
    for (const [, call] of BOTH) {
      expect(await call("test status message")).toMatchObject({ code: status.UNKNOWN, details: "test status message" });
    }
  },
  async special_status_message() {
    const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    for (const [, call] of BOTH) expect(await call(message)).toMatchObject({ code: status.UNKNOWN, details: message });
  },
  async unimplemented_method() {
    const { error } = await answerTo((done) => clients.test.UnimplementedCall({}, NONE, {}, done));
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  },
  async unimplemented_service() {
    const { error } = await answerTo((done) => clients.unimplemented.UnimplementedCall({}, NONE, {}, done));
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  },
  async cancel_after_begin() {
    const { error } = await answerTo((done) => {
      const call = clients.test.StreamingInputCall(NONE, {}, done);
      call.cancel();
      return call;
    });
    expect(error?.code).toBe(status.CANCELLED);
  },
  async cancel_after_first_response() {
    const before = server.cancelled();
    const call = clients.test.FullDuplexCall(NONE, {});
    const heard = readAll(call);
    call.once("data", () => call.cancel());
    call.write({ response_parameters: [{ size: 31_415 }], payload: { body: Buffer.alloc(27_182) } });
    expect((await heard).final?.code).toBe(status.CANCELLED);
    await until("the server to hear of it", async () => (server.cancelled() > before ? true : null));
  },
  async timeout_on_sleeping_server() {
    const before = server.heard.length;
    // What another call left on its way may arrive first; it has no deadline.
    const isHeard = (): boolean => server.heard.slice(before).some(({ deadline }) => deadline !== Infinity);
    // On a busy machine the time may be over before the server has heard of the call.
    for (let patienceMs = 100; !isHeard() && patienceMs < 100_000; patienceMs *= 2) {
      const call = clients.test.FullDuplexCall(NONE, { deadline: Date.now() + patienceMs });
      const heard = readAll(call);
      call.write({
        response_parameters: [{ size: 1, interval_us: 60_000_000 }],
        payload: { body: Buffer.alloc(27_182) },
      });
      expect((await heard).final?.code).toBe(status.DEADLINE_EXCEEDED);
    }
    expect(isHeard()).toBe(true);
  },
};

describe.each([
  ["in the clear", false],
  ["over TLS on both sides", true],
])("gRPC's interoperability tests, %s", (_, secure) => {
  beforeAll(() => start(secure));
  afterAll(stop);

  it("are all there", () => {
    expect(Object.keys(CASES)).toHaveLength(19);
  });

  it.each(Object.entries(CASES))("%s", async (_name, run) => {
    await run();
  });
});
