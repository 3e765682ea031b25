/**
 * Signed requests to an authority (RFC 8555 §6): JWS with ES256, nonces, and its problems as values. Node's own HTTPS and
 * cryptography do all of it in a page; what makes it worth owning is what a library keeps to itself: the type of a
 * problem and how long the authority asks to be left alone decide what happens next.
 */
import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import http from "node:http";
import https from "node:https";

export interface AcmeReply {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
  readonly location: string;
  /** -1: nothing was said. */
  readonly retryAfterMs: number;
}

/** What went wrong with a request. */
export class AcmeFailure extends Error {
  /** `rateLimited`, `malformed`; `network`: no answer came; `protocol`: one that is none. */
  readonly kind: string;
  readonly status: number;
  readonly retryAfterMs: number;

  constructor(kind: string, detail: string, status = 0, retryAfterMs = -1) {
    super(detail);
    this.kind = kind;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface AcmeRequestOptions {
  /** PEM of who signed the authority's own certificate; empty: whom the system trusts. */
  readonly ca: string;
  readonly wall: () => number;
  /** What is said of ourselves (RFC 8555 §6.1). */
  readonly userAgent: string;
}

export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** Empty: it makes no suggestions (RFC 9773). */
  readonly renewalInfo: string;
}

const TOTAL_MS = 30_000;
const BYTES_MAX = 1024 * 1024;
/** Of one request. Asking again is cheap; giving up costs the pause after a failure of the authority. */
const NONCE_TRIES = 10;
const PROBLEM = "urn:ietf:params:acme:error:";

export class AcmeRequests {
  readonly #options: AcmeRequestOptions;
  readonly #url: string;
  readonly #key: KeyObject;
  readonly #jwk: Readonly<Record<string, string>>;
  #directory: Directory | null = null;
  #nonce = "";
  /** What the authority calls the account; empty: it does not know the key yet. */
  account: string;

  constructor(directory: string, keyPem: string, account: string, options: AcmeRequestOptions) {
    this.#url = directory;
    this.#options = options;
    this.#key = createPrivateKey(keyPem);
    this.account = account;
    const { crv = "", kty = "", x = "", y = "" } = createPublicKey(this.#key).export({ format: "jwk" });
    // In this order: the thumbprint is made of exactly this text (RFC 7638 §3).
    this.#jwk = { crv, kty, x, y };
  }

  /** What proves that whoever answers holds this account's key (RFC 8555 §8.1). */
  keyAuthorization(token: string): string {
    const thumbprint = createHash("sha256").update(JSON.stringify(this.#jwk)).digest("base64url");
    return `${token}.${thumbprint}`;
  }

  async directory(): Promise<Directory> {
    if (this.#directory !== null) return this.#directory;
    const reply = await this.#send("GET", this.#url, null);
    const entries = isMapping(reply.body) ? reply.body : {};
    const entry = (name: string): string => (typeof entries[name] === "string" ? entries[name] : "");
    const directory: Directory = {
      newNonce: entry("newNonce"),
      newAccount: entry("newAccount"),
      newOrder: entry("newOrder"),
      renewalInfo: entry("renewalInfo"),
    };
    if (reply.status !== 200 || directory.newNonce === "" || directory.newOrder === "")
      throw new AcmeFailure("protocol", `${this.#url} is no ACME directory (status ${reply.status})`, reply.status);
    this.#directory = directory;
    return directory;
  }

  /** Who asks for it by somebody else's leave signs that too (RFC 8555 §7.3.4). */
  binding(kid: string, hmacKey: string, url: string): unknown {
    const protectedPart = encode({ alg: "HS256", kid, url });
    const payload = encode(this.#jwk);
    const signature = createHmac("sha256", Buffer.from(hmacKey, "base64url"))
      .update(`${protectedPart}.${payload}`)
      .digest("base64url");
    return { protected: protectedPart, payload, signature };
  }

  /** `payload`: null asks for what is there (POST-as-GET). Throws an `AcmeFailure` unless it went well. */
  async post(url: string, payload: unknown): Promise<AcmeReply> {
    for (let tries = 1; ; tries += 1) {
      const nonce = this.#nonce === "" ? await this.#newNonce() : this.#nonce;
      this.#nonce = "";
      const reply = await this.#send("POST", url, this.#signed(url, nonce, payload));
      if (reply.status >= 200 && reply.status < 300) return reply;
      const failure = failureOf(reply);
      // One that is too old, or that another of its servers does not know: the refusal brought a fresh one.
      if (failure.kind !== "badNonce" || tries === NONCE_TRIES) throw failure;
    }
  }

  /** Of what needs no signature. */
  async get(url: string): Promise<AcmeReply> {
    const reply = await this.#send("GET", url, null);
    if (reply.status >= 200 && reply.status < 300) return reply;
    throw failureOf(reply);
  }

  async #newNonce(): Promise<string> {
    const { newNonce } = await this.directory();
    await this.#send("HEAD", newNonce, null);
    if (this.#nonce === "") throw new AcmeFailure("protocol", "the authority gave no nonce");
    return this.#nonce;
  }

  #signed(url: string, nonce: string, payload: unknown): string {
    const who = this.account === "" ? { jwk: this.#jwk } : { kid: this.account };
    const protectedPart = encode({ alg: "ES256", ...who, nonce, url });
    const body = payload === null ? "" : encode(payload);
    const signature = sign("sha256", Buffer.from(`${protectedPart}.${body}`), {
      key: this.#key,
      dsaEncoding: "ieee-p1363",
    }).toString("base64url");
    return JSON.stringify({ protected: protectedPart, payload: body, signature });
  }

  #send(method: string, url: string, body: string | null): Promise<AcmeReply> {
    const { promise, resolve, reject } = Promise.withResolvers<AcmeReply>();
    const headers: Record<string, string> = { "user-agent": this.#options.userAgent, connection: "close" };
    if (body !== null) headers["content-type"] = "application/jose+json";
    const { ca } = this.#options;
    const client = url.startsWith("http:") ? http : https;
    const options = { method, headers, agent: false, ...(ca === "" ? {} : { ca }) };
    const fail = (error: NodeJS.ErrnoException): void =>
      reject(new AcmeFailure("network", `${new URL(url).host}: ${error.code ?? error.message}`));
    const request = client.request(url, options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > BYTES_MAX) request.destroy(new Error("its answer is longer than 1 MiB"));
        else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", () => {
        const { headers: got, statusCode: status = 0 } = response;
        const nonce = got["replay-nonce"];
        if (typeof nonce === "string") this.#nonce = nonce;
        const text = Buffer.concat(chunks).toString();
        const retryAfterMs = retryAfterOf(got["retry-after"], this.#options.wall());
        resolve({ status, text, body: jsonOf(text), location: got.location ?? "", retryAfterMs });
      });
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${TOTAL_MS / 1000} s`)), TOTAL_MS);
    request.on("error", fail);
    request.on("close", () => clearTimeout(timer));
    request.end(body ?? undefined);
    return promise;
  }
}

function failureOf({ status, body, retryAfterMs, text }: AcmeReply): AcmeFailure {
  if (!isMapping(body) || typeof body["type"] !== "string") {
    return new AcmeFailure("protocol", `status ${status}: ${text.slice(0, 200)}`, status, retryAfterMs);
  }
  const kind = body["type"].startsWith(PROBLEM) ? body["type"].slice(PROBLEM.length) : body["type"];
  return new AcmeFailure(kind, `${kind}: ${detailOf(body)}`, status, retryAfterMs);
}

/** The problem's own words, and those of its parts. */
export function detailOf(problem: Readonly<Record<string, unknown>>): string {
  const own = typeof problem["detail"] === "string" ? problem["detail"] : "";
  const parts = Array.isArray(problem["subproblems"]) ? problem["subproblems"].filter(isMapping).map(detailOf) : [];
  return [own, ...parts].join("; ").slice(0, 500);
}

/** Seconds, or a date (RFC 9110 §10.2.3). */
function retryAfterOf(value: string | undefined, wall: number): number {
  if (value === undefined) return -1;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? -1 : Math.max(0, at - wall);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
