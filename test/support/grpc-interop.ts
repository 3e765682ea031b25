/**
 * A server and a client of gRPC (@grpc/grpc-js) for the interoperability tests of gRPC: an independent implementation at
 * both ends of the gateway.
 */
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const PROTO = fileURLToPath(new URL("protos/interop.proto", import.meta.url));

export interface Payload {
  readonly body: Buffer;
}

export interface SimpleRequest {
  readonly response_size?: number;
  readonly payload?: Payload;
  readonly response_status?: { readonly code: number; readonly message: string } | null;
}

export interface StreamingRequest {
  readonly response_parameters?: readonly { readonly size: number; readonly interval_us?: number }[];
  readonly payload?: Payload;
  readonly response_status?: { readonly code: number; readonly message: string } | null;
}

export interface InteropServer {
  readonly port: number;
  /** What came with each call, newest last. */
  readonly heard: { readonly method: string; readonly metadata: grpc.Metadata; readonly deadline: unknown }[];
  /** Calls that their clients cancelled. */
  cancelled(): number;
  stop(): Promise<void>;
}

function services(): {
  TestService: grpc.ServiceClientConstructor;
  UnimplementedService: grpc.ServiceClientConstructor;
} {
  const loaded = grpc.loadPackageDefinition(loadSync(PROTO, { keepCase: true, defaults: true })) as unknown as {
    grpc: {
      testing: { TestService: grpc.ServiceClientConstructor; UnimplementedService: grpc.ServiceClientConstructor };
    };
  };
  return loaded.grpc.testing;
}

const ECHO_INITIAL = "x-grpc-test-echo-initial";
const ECHO_TRAILING = "x-grpc-test-echo-trailing-bin";

/** `credentials`: of the server; default none. */
export async function startInteropServer(
  credentials: grpc.ServerCredentials = grpc.ServerCredentials.createInsecure(),
  options: grpc.ServerOptions = {},
): Promise<InteropServer> {
  const server = new grpc.Server(options);
  const heard: InteropServer["heard"] = [];
  let cancels = 0;

  function begin(
    method: string,
    call: grpc.ServerUnaryCall<unknown, unknown> | grpc.ServerDuplexStream<unknown, unknown>,
  ): grpc.Metadata {
    heard.push({ method, metadata: call.metadata, deadline: call.getDeadline() });
    call.on("cancelled", () => {
      cancels += 1;
    });
    const initial = new grpc.Metadata();
    for (const value of call.metadata.get(ECHO_INITIAL)) initial.add(ECHO_INITIAL, value);
    if (call.metadata.get(ECHO_INITIAL).length > 0) call.sendMetadata(initial);
    const trailing = new grpc.Metadata();
    for (const value of call.metadata.get(ECHO_TRAILING)) trailing.add(ECHO_TRAILING, value);
    return trailing;
  }

  function unary(call: grpc.ServerUnaryCall<SimpleRequest, unknown>, done: grpc.sendUnaryData<unknown>): void {
    const trailing = begin("UnaryCall", call);
    const { response_size: size = 0, response_status: status } = call.request;
    if (status !== null && status !== undefined && status.code !== 0) {
      done({ code: status.code, details: status.message, metadata: trailing });
      return;
    }
    done(null, { payload: { body: Buffer.alloc(size) } }, trailing);
  }

  /** One after the other, with the pauses that are asked for. */
  async function stream(
    call: grpc.ServerWritableStream<StreamingRequest, unknown> | grpc.ServerDuplexStream<StreamingRequest, unknown>,
    request: StreamingRequest,
  ): Promise<void> {
    for (const { size, interval_us: pause = 0 } of request.response_parameters ?? []) {
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause / 1000));
      call.write({ payload: { body: Buffer.alloc(size) } });
    }
  }

  server.addService(services().TestService.service, {
    EmptyCall: (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
      begin("EmptyCall", call);
      done(null, {});
    },
    UnaryCall: unary,
    CacheableUnaryCall: unary,
    StreamingOutputCall: (call: grpc.ServerWritableStream<StreamingRequest, unknown>) => {
      begin("StreamingOutputCall", call);
      void stream(call, call.request).then(() => call.end());
    },
    StreamingInputCall: (
      call: grpc.ServerReadableStream<{ payload: Payload }, unknown>,
      done: grpc.sendUnaryData<unknown>,
    ) => {
      begin("StreamingInputCall", call as unknown as grpc.ServerUnaryCall<unknown, unknown>);
      let size = 0;
      call.on("data", ({ payload }) => {
        size += payload.body.length;
      });
      call.on("end", () => done(null, { aggregated_payload_size: size }));
    },
    FullDuplexCall: (call: grpc.ServerDuplexStream<StreamingRequest, unknown>) => {
      const trailing = begin("FullDuplexCall", call);
      let last = Promise.resolve();
      call.on("data", (request: StreamingRequest) => {
        const status = request.response_status;
        if (status !== null && status !== undefined && status.code !== 0) {
          call.emit("error", { code: status.code, details: status.message, metadata: trailing });
          return;
        }
        last = last.then(() => stream(call, request));
      });
      call.on("end", () => void last.then(() => call.end(trailing)));
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return {
    port,
    heard,
    cancelled: () => cancels,
    stop: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
  };
}

/** What a test needs of the generated client. */
export interface InteropClient extends grpc.Client {
  EmptyCall(
    request: object,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: grpc.requestCallback<unknown>,
  ): grpc.ClientUnaryCall;
  UnaryCall(
    request: SimpleRequest,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: grpc.requestCallback<{ payload: Payload }>,
  ): grpc.ClientUnaryCall;
  CacheableUnaryCall: InteropClient["UnaryCall"];
  UnimplementedCall: InteropClient["EmptyCall"];
  StreamingInputCall(
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: grpc.requestCallback<{ aggregated_payload_size: number }>,
  ): grpc.ClientWritableStream<{ payload: Payload }>;
  StreamingOutputCall(
    request: StreamingRequest,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
  ): grpc.ClientReadableStream<{ payload: Payload }>;
  FullDuplexCall(
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
  ): grpc.ClientDuplexStream<StreamingRequest, { payload: Payload }>;
}

export function interopClients(
  target: string,
  credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure(),
  options: grpc.ClientOptions = {},
): { readonly test: InteropClient; readonly unimplemented: InteropClient; close(): void } {
  const { TestService, UnimplementedService } = services();
  const test = new TestService(target, credentials, options) as unknown as InteropClient;
  const unimplemented = new UnimplementedService(target, credentials, options) as unknown as InteropClient;
  return {
    test,
    unimplemented,
    close() {
      test.close();
      unimplemented.close();
    },
  };
}

/** The calls that Node's implementation cannot answer compressed, answered so: the first message, and no other. */
export async function startCompressingServer(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const { service } = services().TestService;
  const serialise = (size: number): Buffer =>
    service["UnaryCall"]?.responseSerialize({ payload: { body: Buffer.alloc(size) } }) ?? Buffer.alloc(0);
  const server = http2.createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    stream.resume();
    stream.on("end", () => {
      const sizes = headers[":path"]?.endsWith("/UnaryCall") === true ? [314_159] : [31_415, 92_653];
      stream.respond(
        { ":status": 200, "content-type": "application/grpc+proto", "grpc-encoding": "gzip" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      for (const [index, size] of sizes.entries()) {
        const message = index === 0 ? gzipSync(serialise(size)) : serialise(size);
        const prefix = Buffer.alloc(5);
        prefix[0] = index === 0 ? 1 : 0;
        prefix.writeUInt32BE(message.length, 1);
        stream.write(Buffer.concat([prefix, message]));
      }
      stream.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}
