/**
 * Certificates that are obtained by themselves, in the one process of a node that has the admin API: what is kept of
 * them, the authorities they come from, and who decides. Other settings begin anew with what is kept.
 */
import { join } from "node:path";
import type { AcmeAuthoritySettings, AcmeSettings, Settings } from "../config/settings.ts";
import type { AcmeDesk, AcmeMaterial } from "../contract/acme.ts";
import { NO_MATERIAL } from "../contract/acme.ts";
import { ONLY_HOLDER, createCertifier } from "../control/acme/certifier.ts";
import type { Authority, Certifier, CertificateShelf, ShelfStates } from "../control/acme/certifier.ts";
import type { Account } from "../net/acme-authority.ts";
import { systemChance } from "../net/chance.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { readLasting } from "../net/lasting-file.ts";
import { uncover } from "../net/sinks/hidden-text.ts";
import { keepAccount, keepPair, keepStates, readShelf } from "../store/certificate-shelf.ts";
import type { ShelfFiles } from "../store/certificate-shelf.ts";
import type { Events } from "./events.ts";
import { VERSION } from "./version.ts";

export interface AcmeOffice extends AcmeDesk {
  /** What was obtained before. */
  readonly material: AcmeMaterial;
  /** Begins to order; `publish` resolves when all who serve have it. */
  start(publish: (material: AcmeMaterial) => Promise<void>): void;
  /** Other settings hold from now on. */
  follow(settings: Settings): Promise<void>;
  stop(): void;
}

const PEM_BYTES_MAX = 1024 * 1024;

/** `state`: null where nothing can be kept, and then nothing is ordered. */
export async function openAcme(settings: Settings, state: string | null, tell: Events["tell"]): Promise<AcmeOffice> {
  let publish = (_material: AcmeMaterial): Promise<void> => Promise.resolve();
  let isStarted = false;
  let certifier = await open(settings);
  let seen = JSON.stringify([settings.acme, namesOf(settings)]);

  async function open({ acme, ...rest }: Settings): Promise<Certifier | null> {
    const names = namesOf(rest);
    if (acme === null || names.length === 0) return null;
    if (state === null) {
      tell("certificate.not-kept", "no state directory is known, so no certificates are obtained");
      return null;
    }
    const directory = join(state, "acme");
    try {
      return await certifierFor(acme, names, directory, await readShelf(directory));
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      tell("certificate.not-kept", `no certificates are obtained, because ${directory} cannot be used (${detail})`);
      return null;
    }
  }

  async function certifierFor(
    acme: AcmeSettings,
    names: readonly string[],
    directory: string,
    files: ShelfFiles,
  ): Promise<Certifier> {
    for (const path of files.broken) tell("certificate.not-kept", `${path} cannot be read and counts as missing`);
    const authorities = new Map<string, Authority>();
    for (const one of acme.authorities) {
      const account = files.accounts.find((kept) => kept.directory === one.directory) ?? null;
      // oxlint-disable-next-line no-await-in-loop -- A handful of small files, at the start.
      authorities.set(one.directory, await authorityOf(one, acme.email, account, directory));
    }
    return createCertifier(
      {
        names,
        authorities: acme.authorities.map((one) => one.directory),
        challenges: acme.challenges,
        perWeekMax: acme.certificatesPerWeek,
      },
      {
        clock: systemClock,
        schedule: systemSchedule,
        chance: systemChance,
        shelf: shelfOf(directory, files),
        lease: ONLY_HOLDER,
        authorityAt: (url) => authorities.get(url) ?? NOBODY,
        publish: (material) => publish(material),
        tell,
      },
    );
  }

  return {
    get material() {
      return certifier?.material ?? NO_MATERIAL;
    },
    list: () => certifier?.list() ?? [],
    renew: (name) => (certifier === null ? "no certificates are obtained by this gateway" : certifier.renew(name)),
    start(publishTo) {
      publish = publishTo;
      isStarted = true;
      certifier?.start();
    },
    async follow(next) {
      const now = JSON.stringify([next.acme, namesOf(next)]);
      if (now === seen) return;
      seen = now;
      certifier?.stop();
      certifier = await open(next);
      await publish(certifier?.material ?? NO_MATERIAL);
      if (isStarted) certifier?.start();
    },
    stop() {
      isStarted = false;
      certifier?.stop();
    },
  };
}

function namesOf({ listeners }: Pick<Settings, "listeners">): string[] {
  return [...new Set(listeners.flatMap(({ tls }) => tls?.acmeNames ?? []))];
}

async function authorityOf(
  { directory, externalAccount, ca }: AcmeAuthoritySettings,
  email: string,
  account: Account | null,
  shelf: string,
): Promise<Authority> {
  const key = externalAccount === null ? null : await uncover(externalAccount.key);
  if (key !== null && !key.ok) throw new Error(key.detail);
  // What makes requests and proofs is a third of all that would be loaded at the start, and most gateways order nothing.
  const { AcmeAuthority } = await import("../net/acme-authority.ts");
  return new AcmeAuthority({
    directory,
    email,
    externalAccount: externalAccount === null || key === null ? null : { kid: externalAccount.kid, hmacKey: key.text },
    ca: ca === "" ? "" : await pemOf(ca),
    account,
    keepAccount: (made) => keepAccount(shelf, made),
    schedule: systemSchedule,
    wall: () => systemClock.wall(),
    userAgent: `goodgate/${VERSION}`,
  });
}

async function pemOf(file: string): Promise<string> {
  const read = await readLasting(file, PEM_BYTES_MAX);
  if (!read.ok) throw new Error(`the file ${file} cannot be read (${read.code})`);
  return read.bytes.toString("utf8");
}

/** Of an authority that issued a certificate once and is not named any more. */
const NOBODY: Authority = {
  url: "",
  issue: () => Promise.resolve({ ok: false, fault: "authority", detail: "it is not named any more", retryAfterMs: -1 }),
  renewalInfo: () => Promise.resolve(null),
};

function shelfOf(directory: string, files: ShelfFiles): CertificateShelf {
  const { names = [], authorities = [] } = (files.states ?? {}) as Partial<ShelfStates>;
  return {
    kept: { names, authorities, certificates: files.certificates },
    keepCertificate: (pair) => keepPair(directory, pair),
    keepStates: (states) => keepStates(directory, states),
  };
}
