/** The certificates of all listeners, opened with the gateway and exchanged with its settings. */
import { randomBytes } from "node:crypto";
import type { StartResult } from "../cli/ports.ts";
import type { ListenerSettings, ListenerTlsSettings, Settings } from "../config/settings.ts";
import type { AcmeMaterial, KeyPair } from "../contract/acme.ts";
import type { CertificateView } from "../contract/view.ts";
import type { SecureContexts } from "../kernel/socket.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { ListenerCertificates } from "../net/listener-certificates.ts";
import type { CertificateTerms } from "../net/listener-certificates.ts";
import { TicketKeys } from "../net/ticket-keys.ts";
import type { Events } from "./events.ts";

const SEED_BYTES = 32;

type Failed = Extract<StartResult, { ok: false }>;

export class Certificates {
  readonly #tell: Events["tell"];
  readonly #ticketKeys: TicketKeys;
  #listeners = new Map<string, ListenerCertificates>();
  /** By listener. */
  #acmeNames = new Map<string, ReadonlySet<string>>();
  #material: AcmeMaterial;

  /** `seed`: of whoever shows the same as this process; null: nobody does. */
  constructor(tell: Events["tell"], material: AcmeMaterial, seed: string | null) {
    this.#tell = tell;
    this.#material = material;
    this.#ticketKeys = new TicketKeys(seed ?? randomBytes(SEED_BYTES).toString("hex"), () => systemClock.wall());
  }

  /** Reads what these settings name; nothing changes before `use`. */
  async prepare(settings: Settings): Promise<{ readonly ok: true; readonly use: () => void } | Failed> {
    const next = new Map<string, ListenerCertificates>();
    const uses: (() => void)[] = [];
    for (const { name, tls, http2 } of settings.listeners) {
      if (tls === null) continue;
      const ports = { schedule: systemSchedule, wall: () => systemClock.wall(), tell: this.#tell };
      const listener = this.#listeners.get(name) ?? new ListenerCertificates(name, this.#ticketKeys, ports);
      const prepared = await listener.prepare(termsOf(tls, http2 !== null));
      if (!prepared.ok) {
        const { where, reason, hint } = prepared;
        return { ok: false, what: "certificate", where, code: reason, hint };
      }
      next.set(name, listener);
      uses.push(prepared.use);
    }
    return {
      ok: true,
      use: () => {
        for (const [name, listener] of this.#listeners) if (!next.has(name)) listener.close();
        this.#listeners = next;
        this.#acmeNames = new Map(settings.listeners.map(({ name, tls }) => [name, new Set(tls?.acmeNames)]));
        for (const use of uses) use();
        this.setMaterial(this.#material);
      },
    };
  }

  /** What is obtained by itself, from now on. */
  setMaterial(material: AcmeMaterial): void {
    this.#material = material;
    for (const [listener, certificates] of this.#listeners) {
      const names = this.#acmeNames.get(listener);
      const own = (pair: KeyPair): boolean => names?.has(pair.name) === true;
      certificates.setObtained(material.certificates.filter(own), material.proofs.filter(own));
    }
  }

  /** For http-01, which any listener may be asked. */
  answerTo(token: string): string | null {
    return this.#material.tokens.find((one) => one.token === token)?.answer ?? null;
  }

  contextsOf({ name }: ListenerSettings): SecureContexts {
    const found = this.#listeners.get(name);
    if (found === undefined) throw new Error(`no certificates were read for ${name}`);
    return found.contexts;
  }

  views(): CertificateView[] {
    return [...this.#listeners.values()].flatMap(({ views }) => views);
  }

  close(): void {
    for (const listener of this.#listeners.values()) listener.close();
  }
}

function termsOf(
  { certificates, minVersion, strictSni, clientCertificates }: ListenerTlsSettings,
  speaksHttp2: boolean,
): CertificateTerms {
  return {
    certificates,
    minVersion,
    isStrict: strictSni,
    alpn: speaksHttp2 ? ["h2", "http/1.1"] : ["http/1.1"],
    clientRules: clientCertificates.map(({ ca, hosts, isRequired }) => ({ ca, file: ca, hosts, isRequired })),
  };
}
