/**
 * One active check on the wire: a connect, a GET whose status counts, or a call of gRPC (grpc-check.ts). On a connection of its own, because a check
 * on a pooled one would tell how an old connection is and not whether the origin takes new ones.
 */
import type { HealthSettings } from "../config/settings.ts";
import type { MessageHead } from "../http1/head.ts";
import type { MessageEvents } from "../http1/parser.ts";
import { ResponseParser } from "../http1/parser.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { serialiseRequest } from "../http1/serialise.ts";
import type { Address, Dial, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import type { CheckResult } from "../policies/health.ts";
import { GrpcCheck } from "./grpc-check.ts";
import { openingOfCheck } from "./opening.ts";
import type { OriginAddress } from "./origin-address.ts";

/** Calls `done` once, unless the returned function was called before. The time limit is the caller's. */
export function probeOrigin(
  dial: Dial,
  address: OriginAddress,
  health: HealthSettings,
  done: (result: CheckResult) => void,
): () => void {
  const check =
    health.grpc === null ? new Check(address, health, done) : new GrpcCheck(address, health.grpc, health.host, done);
  const opening = openingOfCheck(address.transport);
  // As an address of its own: what is known of another may be a connection of HTTP/2 that is shared.
  const { ip, port, family, transport } = address;
  const own: Address = { ip, port, family, transport };
  check.socket = opening === null ? dial(own, check) : dial(own, check, opening);
  return () => check.giveUp();
}

/** A sign that is asked for has to be in the first bytes of the body. */
const BODY_LOOKED_AT = 16_384;

class Check implements SocketListener, MessageEvents {
  socket: SocketPort | null = null;
  readonly #address: OriginAddress;
  readonly #health: HealthSettings;
  readonly #parser: ResponseParser;
  #done: ((result: CheckResult) => void) | null;
  /** What the head said, while the body is still to be looked at. */
  #answer: CheckResult | null = null;
  #body = "";

  constructor(address: OriginAddress, health: HealthSettings, done: (result: CheckResult) => void) {
    this.#address = address;
    this.#health = health;
    this.#done = done;
    this.#parser = new ResponseParser(address.headLimits, this);
  }

  giveUp(): void {
    this.#done = null;
    this.socket?.destroy();
  }

  onConnect(): void {
    const { certificate } = this.socket?.carrier ?? {};
    if (certificate !== undefined && certificate !== null) this.#address.showed(certificate);
    const { path, host } = this.#health;
    if (path === null) {
      this.#tell({ ok: true, detail: "connected" });
      return;
    }
    this.#parser.expect("GET");
    const request = serialiseRequest({
      method: "GET",
      target: `${this.#address.origin.basePath}${path}`,
      fields: [
        ["Host", host ?? this.#address.hostField],
        ["User-Agent", "goodgate-check"],
        ["Accept", "*/*"],
        ["Connection", "close"],
      ],
      content: { kind: "none" },
    });
    this.socket?.write(request);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#done !== null) this.#parser.execute(bytes, start, end);
  }

  onHead(head: MessageHead): void {
    if (head.status < 200) return;
    const { statusMin, statusMax, expect } = this.#health;
    const ok = head.status >= statusMin && head.status <= statusMax;
    const result = { ok, detail: `status ${head.status}` };
    if (expect !== null && expect.header === null) {
      this.#answer = result;
      return;
    }
    this.#parser.stop = true;
    if (expect === null || expect.header === null) this.#tell(result);
    else this.#tellIdentity(result, head.get(expect.header) === expect.text);
  }

  /** Only where the sign that is asked for is in the body. */
  onBody(bytes: Buffer, start: number, end: number): void {
    const answer = this.#answer;
    if (answer === null) return;
    this.#body += bytes.latin1Slice(start, Math.min(end, start + BODY_LOOKED_AT - this.#body.length));
    const isThere = this.#body.includes(this.#health.expect?.text ?? "");
    if (!isThere && this.#body.length < BODY_LOOKED_AT) return;
    this.#parser.stop = true;
    this.#tellIdentity(answer, isThere);
  }

  onEnd(): void {
    if (this.#answer !== null) this.#tellIdentity(this.#answer, false);
  }

  #tellIdentity(result: CheckResult, identity: boolean): void {
    const { expect } = this.#health;
    const header = expect?.header ?? null;
    const where = header === null ? "the body" : `the field ${header}`;
    this.#tell(
      identity ? { ...result, identity } : { ok: false, detail: `${where} is not what is expected`, identity },
    );
  }

  onRefusal(id: RefusalId): void {
    this.#tell({ ok: false, detail: `not HTTP/1.1: ${id}` });
  }

  onDrain(): void {
    // One small request.
  }

  onFin(): void {
    this.#tell({ ok: false, detail: "closed without a response" });
  }

  onError(error: SocketError): void {
    const { code, detail = "" } = error;
    this.#tell({ ok: false, detail: WORDS[code] ?? (detail === "" ? code : `${code}: ${detail}`) });
  }

  onFault(error: unknown): void {
    this.#tell({
      ok: false,
      detail: `a defect of the check: ${error instanceof Error ? error.message : String(error)}`,
    });
  }

  onClose(): void {
    this.#tell({ ok: false, detail: "closed without a response" });
  }

  #tell(result: CheckResult): void {
    const done = this.#done;
    if (done === null) return;
    this.#done = null;
    this.socket?.destroy();
    done(result);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "no answer to SYN",
  FIN: "closed in the TLS handshake",
};
