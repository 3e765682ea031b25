/**
 * One authority (RFC 8555): account, order, proof, certificate, and what it suggests for renewals (RFC 9773). Which
 * order is made and when is decided in control/acme; here it is only carried out, and every way in which it can fail
 * becomes an answer to one question: is it the authority's doing or the name's?
 */
import type { AcmeAccount, ChallengeKind, Issued, IssueOrder } from "../contract/acme.ts";
import type { Schedule } from "../kernel/clock.ts";
import { accountKey, lifeOf, proofFor, renewalName, requestFor } from "./acme-certificates.ts";
import { AcmeFailure, AcmeRequests, detailOf, isMapping } from "./acme-request.ts";
import type { AcmeReply, AcmeRequestOptions } from "./acme-request.ts";

export interface AuthorityOptions extends AcmeRequestOptions {
  readonly directory: string;
  /** Empty: none is told. */
  readonly email: string;
  /** For authorities that know their customers from elsewhere. Null: none is needed. */
  readonly externalAccount: { readonly kid: string; readonly hmacKey: string } | null;
  readonly schedule: Schedule;
  /** Asked when it is signed in. Null: there is no account yet. */
  account(): AcmeAccount | null;
  /** Rejects when it cannot be kept. */
  keepAccount(account: AcmeAccount): Promise<void>;
}

interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly token: string;
}

const POLL_MS = 1_000;
const POLL_MAX_MS = 10_000;
/** How long an authority may take to look at a proof or to sign. */
const WAIT_MS = 4 * 60_000;
/** Problems that the next authority would have with this name as well (RFC 8555 §6.7). */
const OF_THE_NAME: ReadonlySet<string> = new Set([
  "caa",
  "connection",
  "dns",
  "incorrectResponse",
  "rejectedIdentifier",
  "tls",
  "unauthorized",
  "unsupportedIdentifier",
  "badCSR",
]);

export class AcmeAuthority {
  readonly url: string;
  readonly #options: AuthorityOptions;
  #requests: AcmeRequests | null = null;
  /** What is kept of an account is worth nothing there. */
  #isUnknown = false;

  constructor(options: AuthorityOptions) {
    this.url = options.directory;
    this.#options = options;
  }

  async issue(order: IssueOrder, isAgain = false): Promise<Issued> {
    try {
      return await this.#issue(order);
    } catch (error) {
      // It has forgotten us, as an authority for tests does at each start: it gets to know the same key again.
      if (error instanceof AcmeFailure && error.kind === "accountDoesNotExist" && !isAgain) {
        this.#isUnknown = true;
        this.#requests = null;
        return this.issue(order, true);
      }
      if (!(error instanceof AcmeFailure))
        return failed("authority", error instanceof Error ? error.message : String(error), -1);
      return failed(OF_THE_NAME.has(error.kind) ? "name" : "authority", error.message, error.retryAfterMs);
    }
  }

  async renewalInfo(cert: string): Promise<{ start: number; end: number; againMs: number } | null> {
    try {
      const requests = await this.#signedIn();
      const { renewalInfo } = await requests.directory();
      const name = renewalName(cert);
      if (renewalInfo === "" || name === null) return null;
      const { body, retryAfterMs } = await requests.get(`${renewalInfo}/${name}`);
      const window = isMapping(body) && isMapping(body["suggestedWindow"]) ? body["suggestedWindow"] : {};
      const start = Date.parse(String(window["start"]));
      const end = Date.parse(String(window["end"]));
      if (!(end > start)) return null;
      return { start, end, againMs: retryAfterMs < 0 ? 6 * 3_600_000 : retryAfterMs };
    } catch {
      // A suggestion that cannot be had is none; the certificate's own times hold.
      return null;
    }
  }

  async #issue({ name, challenges, replaces, present }: IssueOrder): Promise<Issued> {
    const requests = await this.#signedIn();
    const directory = await requests.directory();
    const replaced = replaces === null || directory.renewalInfo === "" ? null : renewalName(replaces);
    const asked = { identifiers: [{ type: "dns", value: name }] };
    const made = await this.#newOrder(requests, directory.newOrder, asked, replaced);
    const order = made.location;
    for (const url of textsOf(made.body, "authorizations")) {
      // oxlint-disable-next-line no-await-in-loop -- One name is one authorization.
      const refusal = await this.#prove(requests, url, name, challenges, present);
      if (refusal !== null) return refusal;
    }
    const { csr, key } = await requestFor(name);
    await this.#until(requests, order, (status) => status !== "pending");
    await requests.post(textOf(made.body, "finalize"), { csr });
    const done = await this.#until(requests, order, (status) => status === "valid" || status === "invalid");
    if (statusOf(done.body) === "invalid") return failed("authority", problemOf(done.body), -1);
    const { text: cert } = await requests.post(textOf(done.body, "certificate"), null);
    return { ok: true, cert, key, ...lifeOf(cert) };
  }

  /** An authority that knows nothing of the certificate that is replaced is asked without naming it. */
  async #newOrder(requests: AcmeRequests, url: string, asked: object, replaced: string | null): Promise<AcmeReply> {
    if (replaced === null) return requests.post(url, asked);
    try {
      return await requests.post(url, { ...asked, replaces: replaced });
    } catch (error) {
      if (!(error instanceof AcmeFailure) || error.kind === "rateLimited" || error.kind === "network") throw error;
      return requests.post(url, asked);
    }
  }

  async #prove(
    requests: AcmeRequests,
    url: string,
    name: string,
    challenges: readonly ChallengeKind[],
    present: IssueOrder["present"],
  ): Promise<Issued | null> {
    const { body } = await requests.post(url, null);
    // Proven lately, and the authority remembers.
    if (statusOf(body) === "valid") return null;
    const offered = challengesOf(body);
    const kind = challenges.find((one) => offered.some(({ type }) => type === one));
    const challenge = offered.find(({ type }) => type === kind);
    if (kind === undefined || challenge === undefined) {
      return failed(
        "name",
        `it offers ${offered.map(({ type }) => type).join(", ")}, not ${challenges.join(" or ")}`,
        -1,
      );
    }
    const answer = requests.keyAuthorization(challenge.token);
    if (kind === "http-01") await present({ kind, token: challenge.token, answer });
    else await present({ kind, name, ...(await proofFor(name, answer, this.#options.wall())) });
    await requests.post(challenge.url, {});
    const proven = await this.#until(requests, url, (status) => status !== "pending");
    if (statusOf(proven.body) === "valid") return null;
    const error = challengesOf(proven.body).length === 0 ? "" : challengeProblem(proven.body, kind);
    return failed("name", `${kind}: ${error === "" ? `the proof is ${statusOf(proven.body)}` : error}`, -1);
  }

  async #until(requests: AcmeRequests, url: string, isDone: (status: string) => boolean): Promise<AcmeReply> {
    const until = this.#options.wall() + WAIT_MS;
    for (let pause = POLL_MS; ; pause = Math.min(pause * 2, POLL_MAX_MS)) {
      // oxlint-disable-next-line no-await-in-loop -- It is asked again after a while.
      const reply = await requests.post(url, null);
      if (isDone(statusOf(reply.body))) return reply;
      if (this.#options.wall() > until)
        throw new AcmeFailure("slow", `it took longer than ${WAIT_MS / 60_000} minutes`);
      const ms = reply.retryAfterMs < 0 ? pause : Math.min(Math.max(reply.retryAfterMs, POLL_MS), POLL_MAX_MS);
      // oxlint-disable-next-line no-await-in-loop -- As above.
      await new Promise<void>((resolve) => this.#options.schedule(ms, resolve));
    }
  }

  /** With an account that the authority knows; the first time that makes one. */
  async #signedIn(): Promise<AcmeRequests> {
    if (this.#requests !== null) return this.#requests;
    const { email, externalAccount } = this.#options;
    const account = this.#options.account();
    const key = account?.key ?? (await accountKey());
    const requests = new AcmeRequests(this.url, key, this.#isUnknown ? "" : (account?.url ?? ""), this.#options);
    if (requests.account === "") {
      const { newAccount } = await requests.directory();
      const reply = await requests.post(newAccount, {
        termsOfServiceAgreed: true,
        ...(email === "" ? {} : { contact: [`mailto:${email}`] }),
        ...(externalAccount === null
          ? {}
          : { externalAccountBinding: requests.binding(externalAccount.kid, externalAccount.hmacKey, newAccount) }),
      });
      requests.account = reply.location;
      await this.#options.keepAccount({ directory: this.url, key, url: reply.location });
    }
    this.#requests = requests;
    return requests;
  }
}

function failed(fault: "authority" | "name", detail: string, retryAfterMs: number): Issued {
  return { ok: false, fault, detail, retryAfterMs };
}

function statusOf(body: unknown): string {
  return textOf(body, "status");
}

function textOf(body: unknown, key: string): string {
  const value = isMapping(body) ? body[key] : undefined;
  return typeof value === "string" ? value : "";
}

function textsOf(body: unknown, key: string): string[] {
  const value = isMapping(body) ? body[key] : undefined;
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function challengesOf(body: unknown): Challenge[] {
  const list = isMapping(body) && Array.isArray(body["challenges"]) ? body["challenges"] : [];
  return list.map((one: unknown) => ({
    type: textOf(one, "type"),
    url: textOf(one, "url"),
    token: textOf(one, "token"),
  }));
}

function challengeProblem(body: unknown, kind: string): string {
  const list = isMapping(body) && Array.isArray(body["challenges"]) ? body["challenges"] : [];
  const found = list.find((one: unknown) => textOf(one, "type") === kind);
  return problemOf(found);
}

function problemOf(body: unknown): string {
  const error = isMapping(body) ? body["error"] : undefined;
  return isMapping(error) ? detailOf(error) : "";
}
