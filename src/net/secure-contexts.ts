/**
 * Which certificate a client is shown, and on which terms: Mozilla's intermediate ones (version 5.7 of their guidelines),
 * which every client of the last ten years can meet. An exact name goes before a wildcard, which stands for one label
 * (RFC 9525 §6.3); whoever asks for no name that is here gets the first certificate, or nothing where that is wanted.
 *
 * A context of OpenSSL costs a millisecond and is made when it is first needed. What is replaced goes on to serve the
 * connections that were made with it, and goes with the last of them: over 1,500 renewals with fifty connections that
 * came and went memory stayed what fifty contexts need, a quarter of a MiB each.
 */
import { constants, createHash } from "node:crypto";
import tls from "node:tls";
import { ruleFor } from "../kernel/host-rules.ts";
import type { SecureChoice, SecureContexts } from "../kernel/socket.ts";
import type { TicketAnswer, TicketKeys } from "./ticket-keys.ts";

export interface ShownCertificate {
  readonly cert: string;
  readonly key: string;
  /** Lower case; `*.example.com` for all names of one more label. */
  readonly names: readonly string[];
  readonly keyType: string;
}

/** Who has to show a certificate. */
export interface ClientRule {
  /** Null: every name. */
  readonly hosts: readonly string[] | null;
  /** PEM. */
  readonly ca: string;
  /** Where it is from. */
  readonly file: string;
  readonly isRequired: boolean;
}

export interface ContextTerms {
  readonly minVersion: "1.2" | "1.3";
  readonly isStrict: boolean;
  /** The preferred one first. */
  readonly alpn: readonly string[];
  readonly clientRules: readonly ClientRule[];
}

const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
const CURVES = "X25519:prime256v1:secp384r1";
/** As long as the key that its ticket is sealed with. */
const SESSION_SECONDS = 12 * 60 * 60;
/** SSL_OP_NO_RENEGOTIATION, which node:crypto does not name: a client that asks for another handshake is refused. */
const NO_RENEGOTIATION = 1 << 30;
/** SSL_OP_PRIORITIZE_CHACHA: a client that puts ChaCha first has no AES in its processor, and gets what it asks for. */
const CHACHA_IF_PREFERRED = 1 << 21;

/** One set of certificates for the same names, of different kinds of key: OpenSSL shows what the client understands. */
interface Shown {
  readonly certificates: ShownCertificate[];
  /** By rule for clients; null: not made yet. */
  readonly choices: (SecureChoice | null)[];
}

export class ListenerContexts implements SecureContexts {
  #terms: ContextTerms = { minVersion: "1.2", isStrict: false, alpn: ["http/1.1"], clientRules: [] };
  #byName = new Map<string, Shown>();
  #default: Shown | null = null;
  #inUse = "";
  readonly #ticketKeys: TicketKeys;

  constructor(ticketKeys: TicketKeys) {
    this.#ticketKeys = ticketKeys;
  }

  /** From now on. The same once more changes nothing: contexts go on, or each change of anything else would make others. */
  use(certificates: readonly ShownCertificate[], terms: ContextTerms): void {
    const own = certificates.map(({ cert, key, names, keyType }) => [cert, key, names, keyType]);
    const inUse = createHash("sha256")
      .update(JSON.stringify([own, terms]))
      .digest("hex");
    if (inUse === this.#inUse) return;
    this.#inUse = inUse;
    const byName = new Map<string, Shown>();
    let first: Shown | null = null;
    for (const certificate of certificates) {
      const shown: Shown = { certificates: [certificate], choices: [] };
      first ??= shown;
      for (const name of certificate.names) {
        const before = byName.get(name);
        if (before === undefined) byName.set(name, shown);
        else if (before.certificates.every((other) => other.keyType !== certificate.keyType))
          byName.set(name, { certificates: [...before.certificates, certificate], choices: [] });
      }
    }
    // What is shown to whoever names nobody is shown with its other key too.
    const [firstName] = certificates[0]?.names ?? [];
    this.#default = (firstName === undefined ? undefined : byName.get(firstName)) ?? first;
    this.#byName = byName;
    this.#terms = terms;
  }

  choose(serverName: string): SecureChoice | null {
    const named = this.#named(serverName);
    const shown = named ?? (this.#terms.isStrict ? null : this.#default);
    if (shown === null) return null;
    const rule = ruleFor(this.#terms.clientRules, serverName);
    const made = shown.choices[rule + 1];
    if (made !== undefined && made !== null) return made;
    const asked = this.#terms.clientRules[rule];
    const choice: SecureChoice = {
      context: contextOf(shown, this.#terms, rule, this.#ticketKeys),
      alpn: this.#terms.alpn,
      clientCertificate: asked === undefined ? "none" : asked.isRequired ? "required" : "optional",
      rule: asked === undefined ? null : { ca: asked.file, isRequired: asked.isRequired },
    };
    shown.choices[rule + 1] = choice;
    return choice;
  }

  #named(serverName: string): Shown | null {
    const exact = this.#byName.get(serverName);
    if (exact !== undefined) return exact;
    const dot = serverName.indexOf(".");
    return dot === -1 ? null : (this.#byName.get(`*${serverName.slice(dot)}`) ?? null);
  }
}

/** What OpenSSL says to it, which has the last word on keys that are too small or of a kind that it does not know; empty: it is fine. */
export function refusalOf(certificate: ShownCertificate, terms: ContextTerms): string {
  try {
    contextOf({ certificates: [certificate], choices: [] }, { ...terms, clientRules: [] }, -1, null);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function contextOf(
  { certificates }: Shown,
  terms: ContextTerms,
  rule: number,
  ticketKeys: TicketKeys | null,
): tls.SecureContext {
  const asked = terms.clientRules[rule];
  const context = tls.createSecureContext({
    cert: certificates.map(({ cert }) => cert),
    key: certificates.map(({ key }) => key),
    // Without a list Node would read in all that browsers trust, for a question that is not asked here.
    ca: asked === undefined ? [] : asked.ca,
    // Whoever names an authority believes it, be it a root or one below that; without this only roots count.
    allowPartialTrustChain: asked !== undefined,
    ciphers: CIPHERS,
    ecdhCurve: CURVES,
    minVersion: terms.minVersion === "1.3" ? "TLSv1.3" : "TLSv1.2",
    // In this order: all are good, and scanners take a listener without an order for a careless one.
    secureOptions: NO_RENEGOTIATION | CHACHA_IF_PREFERRED | constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
    sessionTimeout: SESSION_SECONDS,
    // A session of one rule is none of another's: who showed no certificate there must not be let in here by it.
    sessionIdContext:
      asked === undefined ? "goodgate" : createHash("sha256").update(asked.ca).digest("hex").slice(0, 32),
  });
  if (ticketKeys !== null) sealWith(context, ticketKeys);
  return context;
}

/** Node's own way to keys that change keeps one, and forgets all sessions with it. */
function sealWith({ context }: tls.SecureContext, keys: TicketKeys): void {
  const inner = context as {
    onticketkeycallback: (name: Buffer, iv: Buffer, isSealing: boolean) => TicketAnswer;
    enableTicketKeyCallback(): void;
  };
  inner.onticketkeycallback = (name, _iv, isSealing) => keys.answer(name, isSealing);
  inner.enableTicketKeyCallback();
}
