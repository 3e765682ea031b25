/**
 * The certificates of one listener, from their files to what clients are shown; and again whenever a file changes. What
 * is new is examined first: with the wrong key, a broken chain or dates that do not hold it is refused, told, and the
 * old goes on. Connections that exist keep what they were made with.
 *
 * A renewal replaces two files, and not at once: what does not fit together is looked at again before anything is said.
 */
import tls from "node:tls";
import type { KeyPair } from "../contract/acme.ts";
import { authorityFault, examineCertificate, validityText } from "../contract/certificate.ts";
import type { CertificateFacts } from "../contract/certificate.ts";
import type { CertificateView } from "../contract/view.ts";
import type { Schedule } from "../kernel/clock.ts";
import type { SecureChoice, SecureContexts } from "../kernel/socket.ts";
import { readLasting } from "./lasting-file.ts";
import { PEM_BYTES_MAX } from "./pem-file.ts";
import { ListenerContexts, refusalOf } from "./secure-contexts.ts";
import type { ClientRule, ContextTerms, ShownCertificate } from "./secure-contexts.ts";
import type { TicketKeys } from "./ticket-keys.ts";
import { watchFile } from "./watched-file.ts";
import type { WatchedFile } from "./watched-file.ts";

/** RFC 8737 §4. */
const PROOF_PROTOCOL = "acme-tls/1";
const SETTLE_MS = 250;
/** As long as two looks at a file are apart, and a little more. */
const LOOK_AGAIN_MS = 6_000;
/** Anybody else on the machine. */
const READABLE_BY_OTHERS = 0o004;

export interface CertificateTerms extends Omit<ContextTerms, "clientRules"> {
  readonly certificates: readonly CertificateFiles[];
  /** `ca` is a file here. */
  readonly clientRules: readonly ClientRule[];
}

interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Why a file cannot be used: `where` is the file, `reason` the rest of a sentence that begins with it. */
export interface FileFault {
  readonly ok: false;
  readonly where: string;
  readonly reason: string;
  readonly hint: string;
}

interface Pair extends ShownCertificate {
  readonly ok: true;
  readonly files: CertificateFiles;
  readonly facts: CertificateFacts;
  readonly isReadable: boolean;
}

interface Proof {
  readonly name: string;
  readonly choice: SecureChoice;
}

interface Rule extends ClientRule {
  readonly ok: true;
}

export interface CertificatePorts {
  readonly schedule: Schedule;
  /** Epoch ms. */
  readonly wall: () => number;
  readonly tell: (code: string, detail: string) => void;
}

export class ListenerCertificates {
  readonly contexts: SecureContexts = { choose: (name, alpn) => this.#choose(name, alpn) };
  readonly #contexts: ListenerContexts;
  readonly #name: string;
  readonly #ports: CertificatePorts;
  #terms: CertificateTerms | null = null;
  #pairs: readonly Pair[] = [];
  /** Those that no file is for. */
  #obtained: readonly Pair[] = [];
  #proofs: readonly Proof[] = [];
  #rules: readonly Rule[] = [];
  #watched: readonly WatchedFile[] = [];
  #cancel: () => void = () => undefined;
  /** What was refused and told, so that it is told once. */
  #told = new Set<string>();
  #closed = false;

  constructor(name: string, ticketKeys: TicketKeys, ports: CertificatePorts) {
    this.#name = name;
    this.#ports = ports;
    this.#contexts = new ListenerContexts(ticketKeys);
  }

  /**
   * Reads what is to be shown from now on; nothing changes before the returned function is called. Here a certificate
   * whose dates do not hold is told and taken: without it the listener would have none for those names, and a gateway
   * that was restarted would serve nobody because of one of them.
   */
  async prepare(terms: CertificateTerms): Promise<{ readonly ok: true; readonly use: () => void } | FileFault> {
    const pairs: Pair[] = [];
    const rules: Rule[] = [];
    for (const one of await Promise.all(terms.certificates.map((files) => readPair(files, terms)))) {
      if (!one.ok) return one;
      pairs.push(one);
    }
    for (const one of await Promise.all(terms.clientRules.map(readRule))) {
      if (!one.ok) return one;
      rules.push(one);
    }
    return {
      ok: true,
      use: () => {
        this.#show(pairs, rules, terms);
        this.#watch(terms);
        for (const pair of pairs) this.#warn(pair);
      },
    };
  }

  /** What was obtained by itself, and what is shown to an authority that asks for a proof (RFC 8737). */
  setObtained(pairs: readonly KeyPair[], proofs: readonly KeyPair[]): void {
    this.#proofs = proofs.map(({ name, cert, key }) => ({ name, choice: proofChoice(cert, key) }));
    const same =
      pairs.length === this.#obtained.length && pairs.every(({ cert }, i) => cert === this.#obtained[i]?.cert);
    if (same) return;
    this.#obtained = pairs.flatMap((pair) => {
      const read = obtainedPair(pair);
      if (read !== null) return [read];
      this.#ports.tell("certificate.refused", `what was obtained for ${pair.name} cannot be used`);
      return [];
    });
    if (this.#terms !== null) this.#show(this.#pairs, this.#rules, this.#terms);
  }

  #choose(name: string, alpn: readonly string[]): SecureChoice | null {
    // Who asks for nothing but a proof is shown nothing but that.
    if (alpn.includes(PROOF_PROTOCOL)) return this.#proofs.find((proof) => proof.name === name)?.choice ?? null;
    return this.#contexts.choose(name);
  }

  get views(): CertificateView[] {
    return [...this.#pairs, ...this.#obtained].map(({ files, facts }) => ({
      listener: this.#name,
      file: files.cert,
      names: facts.names,
      issuer: facts.issuer,
      notBefore: facts.notBefore,
      notAfter: facts.notAfter,
      chainUntil: facts.chainUntil,
      isChainCut: facts.isChainCut,
    }));
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    for (const file of this.#watched) file.close();
  }

  #show(pairs: readonly Pair[], rules: readonly Rule[], terms: CertificateTerms): void {
    this.#terms = terms;
    this.#pairs = pairs;
    this.#rules = rules;
    this.#contexts.use([...pairs, ...this.#obtained], { ...terms, clientRules: rules });
  }

  #warn({ files, facts, isReadable }: Pair): void {
    const validity = validityText(facts, this.#ports.wall());
    if (validity !== "")
      this.#ports.tell("certificate.expired", `${files.cert} (${facts.names.join(", ")}) ${validity}`);
    if (isReadable)
      this.#ports.tell("certificate.key-readable", `${files.key} can be read by everybody on this machine: chmod 600`);
  }

  #watch(terms: CertificateTerms): void {
    for (const file of this.#watched) file.close();
    let isBegin = true;
    const paths = new Set([
      ...terms.certificates.flatMap(({ cert, key }) => [cert, key]),
      ...terms.clientRules.map(({ ca }) => ca),
    ]);
    this.#watched = [...paths].map((path) =>
      watchFile(path, this.#ports.schedule, () => {
        if (!isBegin) this.#lookIn(SETTLE_MS, true);
      }),
    );
    isBegin = false;
  }

  #lookIn(ms: number, mayLookAgain: boolean): void {
    this.#cancel();
    this.#cancel = this.#ports.schedule(ms, () => void this.#look(mayLookAgain));
  }

  /** Each certificate for itself: one that is wrong does not keep a hundred others from being renewed. */
  async #look(mayLookAgain: boolean): Promise<void> {
    const terms = this.#terms;
    if (terms === null) return;
    const pairs = await Promise.all(terms.certificates.map((files) => readPair(files, terms)));
    const rules = await Promise.all(terms.clientRules.map(readRule));
    // Meanwhile it may have been given other terms, or have been closed.
    if (this.#closed || this.#terms !== terms) return;
    const faults: FileFault[] = [];
    const fresh: Pair[] = [];
    const shown = this.#pairs.map((before, index) => {
      const read = pairs[index];
      if (read === undefined) return before;
      const fault = read.ok ? this.#outdated(read, before) : read;
      if (fault !== null) faults.push(fault);
      if (fault !== null || !read.ok || isSame(read, before)) return before;
      fresh.push(read);
      return read;
    });
    let isOtherRule = false;
    const asked = this.#rules.map((before, index) => {
      const read = rules[index];
      if (read?.ok === false) faults.push(read);
      if (read?.ok !== true || read.ca === before.ca) return before;
      isOtherRule = true;
      return read;
    });
    if (fresh.length > 0 || isOtherRule) {
      this.#show(shown, asked, terms);
      this.#ports.tell("certificate.reloaded", `${this.#name} shows ${shownText(fresh)}`);
      for (const pair of fresh) this.#warn(pair);
    }
    if (faults.length > 0 && mayLookAgain) this.#lookIn(LOOK_AGAIN_MS, false);
    else this.#refuse(faults);
  }

  #refuse(faults: readonly FileFault[]): void {
    const texts = faults.map(({ where, reason }) => `${where} ${reason}; ${this.#name} goes on with what it had`);
    for (const text of texts) if (!this.#told.has(text)) this.#ports.tell("certificate.refused", text);
    this.#told = new Set(texts);
  }

  #outdated({ files, facts }: Pair, before: Pair): FileFault | null {
    if (facts.fingerprint === before.facts.fingerprint) return null;
    const reason = validityText(facts, this.#ports.wall());
    return reason === "" ? null : { ok: false, where: files.cert, reason, hint: "" };
  }
}

/** Null: it cannot be read, or its key is another's. */
function obtainedPair({ name, cert, key }: KeyPair): Pair | null {
  const verdict = examineCertificate({ cert, key });
  if (!verdict.ok) return null;
  const { facts } = verdict;
  const files = { cert: `acme ${name}`, key: "" };
  return { ok: true, cert, key, names: facts.names, keyType: facts.keyType, files, facts, isReadable: false };
}

function proofChoice(cert: string, key: string): SecureChoice {
  return {
    context: tls.createSecureContext({ cert, key, minVersion: "TLSv1.2" }),
    alpn: [PROOF_PROTOCOL],
    clientCertificate: "none",
    rule: null,
  };
}

function isSame(one: Pair, other: Pair): boolean {
  return one.cert === other.cert && one.key === other.key;
}

async function readPair(files: CertificateFiles, terms: ContextTerms): Promise<Pair | FileFault> {
  const cert = await readPem(files.cert);
  if (!cert.ok) return cert;
  const key = await readPem(files.key);
  if (!key.ok) return key;
  const verdict = examineCertificate({ cert: cert.text, key: key.text });
  if (!verdict.ok) return { ok: false, where: files[verdict.file], reason: verdict.reason, hint: verdict.hint };
  const { facts } = verdict;
  const isReadable = (key.mode & READABLE_BY_OTHERS) !== 0;
  const shown = { cert: cert.text, key: key.text, names: facts.names, keyType: facts.keyType };
  const refusal = refusalOf(shown, terms);
  if (refusal !== "") return { ok: false, where: files.cert, reason: `is not taken by OpenSSL (${refusal})`, hint: "" };
  return { ok: true, ...shown, files, facts, isReadable };
}

async function readRule(rule: ClientRule): Promise<Rule | FileFault> {
  const pem = await readPem(rule.ca);
  if (!pem.ok) return pem;
  const reason = authorityFault(pem.text);
  return reason === null ? { ok: true, ...rule, ca: pem.text } : { ok: false, where: rule.ca, reason, hint: "" };
}

async function readPem(
  path: string,
): Promise<{ readonly ok: true; readonly text: string; readonly mode: number } | FileFault> {
  const read = await readLasting(path, PEM_BYTES_MAX);
  if (read.ok) return { ok: true, text: read.bytes.latin1Slice(), mode: read.mode };
  const reason = read.code === "EFBIG" ? "is larger than 1 MiB" : `cannot be read (${read.code})`;
  return { ok: false, where: path, reason, hint: "" };
}

function shownText(fresh: readonly Pair[]): string {
  if (fresh.length === 0) return "what it had, and asks clients by other authorities";
  return fresh
    .map(({ facts }) => `${facts.names[0] ?? "no name"} until ${new Date(facts.notAfter).toISOString().slice(0, 10)}`)
    .join(", ");
}
