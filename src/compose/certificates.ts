/** The certificates of the listeners: read, examined, and handed to who shows them. */
import fs from "node:fs/promises";
import { randomBytes } from "node:crypto";
import type { StartResult } from "../cli/ports.ts";
import type { ListenerSettings, ListenerTlsSettings, Settings } from "../config/settings.ts";
import { examineCertificate, validityText } from "../contract/certificate.ts";
import type { SecureContexts } from "../kernel/socket.ts";
import { systemClock } from "../net/clock.ts";
import { ListenerContexts } from "../net/secure-contexts.ts";
import type { ShownCertificate } from "../net/secure-contexts.ts";
import { codeOf } from "./error-text.ts";
import type { Events } from "./events.ts";

/** A certificate with its chain and its key. */
const PEM_BYTES_MAX = 1024 * 1024;
const TICKET_KEY_BYTES = 48;

export interface Certificates {
  contextsOf(this: void, listener: ListenerSettings): SecureContexts;
}

type Failed = Extract<StartResult, { ok: false }>;

/** An expired one is told and shown: whoever can live with it still gets through, and all other names do anyway. */
export async function openCertificates(
  settings: Settings,
  tell: Events["tell"],
): Promise<{ readonly ok: true; readonly certificates: Certificates } | Failed> {
  const contexts = new Map<string, ListenerContexts>();
  const ticketKeys = randomBytes(TICKET_KEY_BYTES);
  for (const { name, tls, http2 } of settings.listeners) {
    if (tls === null) continue;
    const read = await readCertificates(tls, tell);
    if (!read.ok) return read;
    const made = new ListenerContexts(ticketKeys);
    try {
      made.use(read.certificates, {
        minVersion: tls.minVersion,
        isStrict: tls.strictSni,
        alpn: http2 === null ? ["http/1.1"] : ["h2", "http/1.1"],
        clientRules: [],
      });
    } catch (error) {
      return failed(tls.certificates[0]?.cert ?? "", `is not taken by OpenSSL: ${String(error)}`);
    }
    contexts.set(name, made);
  }
  const contextsOf = ({ name }: ListenerSettings): SecureContexts => {
    const found = contexts.get(name);
    if (found === undefined) throw new Error(`no certificates were read for ${name}`);
    return found;
  };
  return { ok: true, certificates: { contextsOf } };
}

async function readCertificates(
  { certificates }: ListenerTlsSettings,
  tell: Events["tell"],
): Promise<{ readonly ok: true; readonly certificates: ShownCertificate[] } | Failed> {
  const shown: ShownCertificate[] = [];
  for (const files of certificates) {
    const cert = await readPem(files.cert);
    if (!cert.ok) return cert;
    const key = await readPem(files.key);
    if (!key.ok) return key;
    const now = systemClock.wall();
    const verdict = examineCertificate({ cert: cert.text, key: key.text }, now);
    if (!verdict.ok) return failed(files[verdict.file], verdict.reason, verdict.hint);
    const { names, keyType } = verdict.facts;
    if (verdict.expired !== "")
      tell("certificate.expired", `${files.cert} (${names.join(", ")}) ${validityText(verdict.facts, now)}`);
    shown.push({ cert: cert.text, key: key.text, names, keyType });
  }
  return { ok: true, certificates: shown };
}

async function readPem(path: string): Promise<{ readonly ok: true; readonly text: string } | Failed> {
  try {
    const { size } = await fs.stat(path);
    if (size > PEM_BYTES_MAX) return failed(path, "is larger than 1 MiB");
    return { ok: true, text: await fs.readFile(path, "latin1") };
  } catch (error) {
    return failed(path, `cannot be read (${codeOf(error)})`);
  }
}

function failed(where: string, code: string, hint = ""): Failed {
  return { ok: false, what: "certificate", where, code, hint };
}
