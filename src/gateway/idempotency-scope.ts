/**
 * When are two requests with the same Idempotency-Key the same one? The id says whose key it is: service, path, the
 * client's credentials, and the key. The fingerprint says what was asked: host, method, target and body.
 *
 * The path and not the route, because a route is the operator's name for a path and may be split or renamed while
 * keys are remembered; then a repeat would be carried out again. The credentials, because the stored answer to one
 * client is nobody else's business; but they can change between two tries, so a route can ask for them to be compared
 * instead (`scope: service`), which refuses what it is not sure of. The host for the same reason is compared and not
 * part of the id: behind two hosts of a service there may be two tenants, or one client that tries the other name.
 *
 * A large body is streamed, so what is asked of the ledger before anything is sent can know its beginning only. Its
 * whole is known when the last byte has come, and is compared before what is stored is given to another request.
 */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import type { IdempotencyKeySettings } from "../config/settings.ts";
import type { MessageHead } from "../http1/head.ts";
import { hostWithoutPort } from "./request-target.ts";

/** Of a longer body this much and its declared length stand for all of it, until all of it has come. */
export const FINGERPRINT_BYTES = 64 * 1024;

export function keyId(head: MessageHead, service: string, key: string, settings: IdempotencyKeySettings): string {
  const path = head.bytes.latin1Slice(head.pathStart, head.pathEnd);
  const parts = [service, path === "" ? "/" : path, key];
  if (settings.scope === "credentials") parts.push(credentialsOf(head));
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Of what was asked; body bytes are added as they come, whatever pieces they come in. */
export class Fingerprint {
  readonly #hash: Hash;
  readonly #declared: string;
  #bytes = 0;
  /** Of the beginning of a long body; empty until it is known that there is more. */
  #beginning = "";

  /** `host`: the one that the request is for, however it says so. */
  constructor(head: MessageHead, host: string, settings: IdempotencyKeySettings) {
    const target = head.bytes.latin1Slice(head.targetStart, head.targetEnd);
    const parts = [hostWithoutPort(host), head.method, target];
    if (settings.scope === "service") parts.push(credentialsOf(head));
    this.#hash = createHash("sha256").update(JSON.stringify(parts));
    this.#declared = head.contentLength === -1 ? "chunked" : String(head.contentLength);
  }

  /** Enough was seen, although more may come. */
  get full(): boolean {
    return this.#bytes > FINGERPRINT_BYTES;
  }

  add(bytes: Buffer, start: number, end: number): void {
    const room = Math.max(0, FINGERPRINT_BYTES - this.#bytes);
    this.#bytes += end - start;
    let from = start;
    if (this.full && this.#beginning === "") {
      from = start + room;
      this.#hash.update(bytes.subarray(start, from));
      this.#beginning = this.#hash.copy().update(`+${this.#declared}`).digest("hex");
    }
    this.#hash.update(bytes.subarray(from, end));
  }

  /** Of all there is, and of a long body of its beginning. */
  digest(): string {
    return this.full ? this.#beginning : this.whole();
  }

  /** Of all there is. */
  whole(): string {
    return this.#hash.copy().digest("hex");
  }
}

/** Where APIs that know no Authorization have their clients put what it is for. */
const CREDENTIALS = ["authorization", "x-api-key", "api-key", "apikey", "x-auth-token", "x-access-token"];

/** A cookie counts only where there is nothing else: pages change cookies all the time. */
function credentialsOf(head: MessageHead): string {
  const text = linesOf(head, CREDENTIALS);
  return text === "" ? linesOf(head, ["cookie"]) : text;
}

function linesOf(head: MessageHead, names: readonly string[]): string {
  let text = "";
  for (const name of names) {
    for (let at = 0; at < head.fieldCount; at += 1) if (head.named(at, name)) text += `${name}: ${head.value(at)}\n`;
  }
  return text;
}
