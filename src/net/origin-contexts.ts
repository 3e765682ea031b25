/**
 * What TLS to origins needs besides a connection: contexts of OpenSSL, made once for all origins with the same files
 * and never for a dial (one takes milliseconds, and its own copy of the trusted certificates), and the sessions that
 * let a handshake be resumed.
 *
 * Files are read again when they have changed, at most every few seconds and never on a dial's way: a certificate that
 * was renewed is used from the next connection on. One that cannot be used is told once, and the old one stays.
 */
import fs from "node:fs";
import tls from "node:tls";
import { authorityFault, examineCertificate } from "../contract/certificate.ts";
import type { OriginTls } from "../kernel/socket.ts";
import { assertLasting } from "./lasting-file.ts";

export interface OriginContexts {
  /** Throws an `OriginTlsFault` when its files cannot be used and never could be. */
  contextOf(settings: OriginTls): tls.SecureContext;
  /** Of an origin at an address, newest; undefined: none that may still be used. */
  session(settings: OriginTls, place: string): KeptSession | undefined;
  keepSession(settings: OriginTls, place: string, session: KeptSession): void;
  forgetSession(settings: OriginTls, place: string): void;
}

export interface KeptSession {
  readonly session: Buffer;
  /** Epoch ms after which the certificate that was verified for it says nothing. */
  readonly expires: number;
}

/** A file of the configuration that does not serve its purpose. */
export class OriginTlsFault extends Error {
  readonly file: string;
  /** What is wrong with it: the rest of a sentence that begins with the file. */
  readonly reason: string;
  readonly hint: string;

  constructor(file: string, reason: string, hint: string) {
    super(`${file} ${reason}`);
    this.file = file;
    this.reason = reason;
    this.hint = hint;
  }
}

export interface OriginContextOptions {
  /** Files changed and cannot be used: the ones before go on. */
  readonly onRefused: (fault: OriginTlsFault) => void;
  /** Sessions that are kept. Default 1024, of some 2 KiB each. */
  readonly sessionsMax?: number;
  readonly wall?: () => number;
  /** Least time between two looks at the files, ms. Default 5 s. */
  readonly lookEveryMs?: number;
}

/** Found by their files. Each holds some MiB of trusted certificates. */
const CONTEXTS_MAX = 64;

interface Held {
  context: tls.SecureContext;
  mark: string;
  lookedAt: number;
  looking: boolean;
}

export function createOriginContexts(options: OriginContextOptions): OriginContexts {
  const { onRefused, sessionsMax = 1024, wall = Date.now, lookEveryMs = 5_000 } = options;
  const bySettings = new WeakMap<OriginTls, Held>();
  const byFiles = new Map<string, Held>();
  /** Oldest use first. */
  const sessions = new Map<string, KeptSession>();

  function heldOf(settings: OriginTls): Held {
    const known = bySettings.get(settings);
    if (known !== undefined) return known;
    const { ca, certificate, key, minVersion } = settings;
    const files = JSON.stringify([ca, certificate, key, minVersion]);
    const held = byFiles.get(files) ?? {
      context: contextFrom(settings),
      mark: marksOf(settings),
      lookedAt: wall(),
      looking: false,
    };
    // Newest use last. Settings that are in effect keep theirs, whoever else needs the same makes it anew.
    byFiles.delete(files);
    byFiles.set(files, held);
    if (byFiles.size > CONTEXTS_MAX) for (const oldest of [...byFiles.keys()].slice(0, 1)) byFiles.delete(oldest);
    bySettings.set(settings, held);
    return held;
  }

  async function look(settings: OriginTls, held: Held): Promise<void> {
    held.looking = true;
    try {
      const marks = await Promise.all(filesOf(settings).map((file) => fs.promises.stat(file).then(markOf, () => "")));
      const mark = marks.join(" ");
      // One that is gone for a moment is being written.
      if (mark !== held.mark && !marks.includes("")) {
        held.mark = mark;
        held.context = contextFrom(settings);
        // They vouch for what was trusted before.
        sessions.clear();
      }
    } catch (error) {
      if (!(error instanceof OriginTlsFault)) throw error;
      onRefused(error);
    } finally {
      held.looking = false;
      held.lookedAt = wall();
    }
  }

  return {
    contextOf(settings) {
      const held = heldOf(settings);
      const hasFiles = settings.ca !== "" || settings.certificate !== "";
      if (hasFiles && !held.looking && wall() - held.lookedAt >= lookEveryMs) void look(settings, held);
      return held.context;
    },
    session(settings, place) {
      const key = sessionKey(settings, place);
      const kept = sessions.get(key);
      if (kept === undefined) return undefined;
      sessions.delete(key);
      if (kept.expires <= wall()) return undefined;
      sessions.set(key, kept);
      return kept;
    },
    keepSession(settings, place, session) {
      const key = sessionKey(settings, place);
      sessions.delete(key);
      sessions.set(key, session);
      if (sessions.size <= sessionsMax) return;
      const [oldest] = sessions.keys();
      if (oldest !== undefined) sessions.delete(oldest);
    },
    forgetSession(settings, place) {
      sessions.delete(sessionKey(settings, place));
    },
  };
}

/** All that was verified is in it: a session never vouches for more than its handshake did. */
function sessionKey(settings: OriginTls, place: string): string {
  const { serverName, verify, ca, certificate, pins, minVersion } = settings;
  return `${place} ${serverName} ${verify} ${minVersion} ${ca} ${certificate} ${pins.join()}`;
}

function filesOf({ ca, certificate, key }: OriginTls): string[] {
  return [ca, certificate, key].filter((file) => file !== "");
}

function marksOf(settings: OriginTls): string {
  return filesOf(settings)
    .map((file) => markOf(fs.statSync(file)))
    .join(" ");
}

/** Replacing a file by renaming keeps neither its number nor its time of change. */
function markOf({ ino, mtimeMs, size }: fs.Stats): string {
  return `${ino}:${mtimeMs}:${size}`;
}

/** Empty: none is configured. */
function read(file: string): string {
  if (file === "") return "";
  try {
    assertLasting(fs.statSync(file));
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    const { code = "UNKNOWN" } = error as NodeJS.ErrnoException;
    throw new OriginTlsFault(file, `cannot be read (${code})`, "Check the path and the rights of this user.");
  }
}

function contextFrom(settings: OriginTls): tls.SecureContext {
  const ca = read(settings.ca);
  const texts = { cert: read(settings.certificate), key: read(settings.key) };
  const authority = settings.ca === "" ? null : authorityFault(ca);
  if (authority !== null) throw new OriginTlsFault(settings.ca, authority, "");
  if (settings.certificate !== "") {
    const verdict = examineCertificate(texts);
    if (!verdict.ok) {
      const file = verdict.file === "cert" ? settings.certificate : settings.key;
      throw new OriginTlsFault(file, verdict.reason, verdict.hint);
    }
  }
  try {
    return tls.createSecureContext({
      ca: settings.ca === "" ? trustedByDefault() : ca,
      // Whoever names an authority believes it, be it a root or one below that; without this only roots count.
      allowPartialTrustChain: settings.ca !== "",
      minVersion: `TLSv${settings.minVersion}`,
      ...(settings.certificate === "" ? {} : texts),
    });
  } catch (error) {
    const { message } = error as Error;
    throw new OriginTlsFault(filesOf(settings).join(", "), `cannot be used: ${message}`, "");
  }
}

let trusted: string[] | null = null;

/** Those of the system, so that an authority that was added to it is trusted as by every other program, and Node's. */
function trustedByDefault(): string[] {
  trusted ??= [...new Set([...tls.getCACertificates("default"), ...tls.getCACertificates("system")])];
  return trusted;
}
