/**
 * An active check by gRPC's health checking protocol: one call of grpc.health.v1.Health/Check, which answers whether a
 * service is SERVING. Its messages have one field each, so they are written and read here by hand.
 */
import type { MessageHead } from "../http1/head.ts";
import type { MessageEvents } from "../http1/parser.ts";
import { ResponseParser } from "../http1/parser.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { serialiseRequest } from "../http1/serialise.ts";
import type { SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import type { CheckResult } from "../policies/health.ts";
import { GRPC, grpcStatusText } from "../kernel/grpc-status.ts";
import { grpcStatusInHead, grpcStatusInTrailers } from "./judge-grpc.ts";
import type { OriginAddress } from "./origin-address.ts";

/** HealthCheckResponse.ServingStatus. */
const SERVING = 1;
const STATUS_NAMES: readonly string[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
/** Compressed or not, and the length (PROTOCOL-HTTP2 of gRPC). */
const PREFIX_BYTES = 5;
const ANSWER_BYTES_MAX = 4096;
/** Field 1: of bytes, and of a number. */
const FIELD_OF_BYTES = 0x0a;
const FIELD_OF_NUMBER = 0x08;

/** A whole message. `service`: empty: the server as a whole. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const field = name.length === 0 ? [] : [FIELD_OF_BYTES, ...lengthOf(name.length), ...name];
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(field.length, 1);
  return Buffer.concat([prefix, Buffer.from(field)]);
}

/** In groups of seven bits, the lowest first. */
function lengthOf(length: number): number[] {
  return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
}

/** What an uncompressed message says; -1: it cannot be read. A field that is left out has its first value, UNKNOWN. */
export function servingStatus(message: Buffer): number {
  if (message.length < PREFIX_BYTES || message[0] !== 0) return -1;
  const field = message.subarray(PREFIX_BYTES);
  if (field.length !== message.readUInt32BE(1)) return -1;
  if (field.length === 0) return 0;
  const value = field[1] ?? 0x80;
  return field.length === 2 && field[0] === FIELD_OF_NUMBER && value < 0x80 ? value : -1;
}

export class GrpcCheck implements SocketListener, MessageEvents {
  socket: SocketPort | null = null;
  readonly #address: OriginAddress;
  readonly #service: string;
  readonly #host: string | null;
  readonly #parser: ResponseParser;
  #done: ((result: CheckResult) => void) | null;
  #status = -2;
  #answer: Buffer = Buffer.alloc(0);

  constructor(address: OriginAddress, service: string, host: string | null, done: (result: CheckResult) => void) {
    this.#address = address;
    this.#service = service;
    this.#host = host;
    this.#done = done;
    this.#parser = new ResponseParser(address.headLimits, this);
  }

  giveUp(): void {
    this.#done = null;
    this.socket?.destroy();
  }

  onConnect(): void {
    this.#parser.expect("POST");
    const request = serialiseRequest({
      method: "POST",
      target: `${this.#address.origin.basePath}/grpc.health.v1.Health/Check`,
      fields: [
        ["Host", this.#host ?? this.#address.hostField],
        ["User-Agent", "goodgate-check"],
        ["Content-Type", "application/grpc"],
        ["TE", "trailers"],
        ["Connection", "TE, close"],
      ],
      content: { kind: "chunked", chunks: [healthRequest(this.#service)], trailers: [] },
    });
    this.socket?.write(request);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#done !== null) this.#parser.execute(bytes, start, end);
  }

  onHead(head: MessageHead): void {
    if (head.status < 200) return;
    if (head.status === 200) {
      this.#status = grpcStatusInHead(head);
      return;
    }
    this.#parser.stop = true;
    this.#tell(false, `status ${head.status}, which is no answer of gRPC`);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#answer.length + end - start > ANSWER_BYTES_MAX) return;
    this.#answer = Buffer.concat([this.#answer, bytes.subarray(start, end)]);
  }

  onEnd(): void {
    const status = this.#status === -2 ? grpcStatusInTrailers(this.#parser.trailers) : this.#status;
    if (status === GRPC.UNIMPLEMENTED) this.#tell(false, "the origin has no grpc.health.v1.Health (UNIMPLEMENTED)");
    else if (status === GRPC.NOT_FOUND) this.#tell(false, `the origin knows no service ${this.#service} (NOT_FOUND)`);
    else if (status !== GRPC.OK) this.#tell(false, status === -1 ? "no grpc-status" : grpcStatusText(status));
    else {
      const serving = servingStatus(this.#answer);
      this.#tell(serving === SERVING, STATUS_NAMES[serving] ?? "an answer that cannot be read");
    }
  }

  onRefusal(id: RefusalId): void {
    this.#tell(false, `not HTTP: ${id}`);
  }

  onDrain(): void {
    // One small request.
  }

  onFin(): void {
    this.#tell(false, "closed without a response");
  }

  onError({ code, detail }: SocketError): void {
    this.#tell(false, detail === undefined ? code : `${code}: ${detail}`);
  }

  onFault(error: unknown): void {
    this.#tell(false, `a defect of the check: ${error instanceof Error ? error.message : String(error)}`);
  }

  onClose(): void {
    this.#tell(false, "closed without a response");
  }

  #tell(ok: boolean, detail: string): void {
    const done = this.#done;
    if (done === null) return;
    this.#done = null;
    this.socket?.destroy();
    done({ ok, detail });
  }
}
