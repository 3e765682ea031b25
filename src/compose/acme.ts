/**
 * Certificates that are obtained by themselves, in the one process of a node that has the admin API: what is kept of
 * them, the authorities they come from, and who decides. Other settings begin anew with what is kept.
 */
import { join } from "node:path";
import type { AcmeAuthoritySettings, AcmeSettings, Settings } from "../config/settings.ts";
import type { AcmeAccount, AcmeDesk, AcmeMaterial } from "../contract/acme.ts";
import { NO_MATERIAL } from "../contract/acme.ts";
import type { FleetView } from "../contract/fleet.ts";
import { ONLY_HOLDER, createCertifier } from "../control/acme/certifier.ts";
import type { Authority, Certifier, CertificateShelf, ShelfStates } from "../control/acme/certifier.ts";
import { createFleetShelf } from "../control/acme/fleet-shelf.ts";
import type { OwnShelf } from "../control/acme/fleet-shelf.ts";
import { systemChance } from "../net/chance.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { readPem } from "../net/pem-file.ts";
import { uncover } from "../net/sinks/hidden-text.ts";
import { keepAccount, keepPair, keepStates, readShelf } from "../store/certificate-shelf.ts";
import type { ShelfFiles } from "../store/certificate-shelf.ts";
import type { Events } from "./events.ts";
import { fleetStoreOf } from "./fleet.ts";
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

interface Opened {
  readonly certifier: Certifier;
  fleet(): FleetView | null;
  start(): void;
  stop(): void;
}

/** `state`: null where nothing can be kept, and then nothing is ordered. */
export async function openAcme(settings: Settings, state: string | null, tell: Events["tell"]): Promise<AcmeOffice> {
  let publish = (_material: AcmeMaterial): Promise<void> => Promise.resolve();
  let isStarted = false;
  let opened = await open(settings);
  let seen = relevant(settings);

  async function open({ acme, ...rest }: Settings): Promise<Opened | null> {
    const names = namesOf(rest);
    if (acme === null || names.length === 0) return null;
    if (state === null) {
      tell("certificate.not-kept", "no state directory is known, so no certificates are obtained");
      return null;
    }
    const directory = join(state, "acme");
    try {
      const files = await readShelf(directory);
      for (const path of files.broken) tell("certificate.not-kept", `${path} cannot be read and counts as missing`);
      return await openWith(acme, names, rest, ownShelf(directory, files));
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      tell("certificate.not-kept", `no certificates are obtained, because ${directory} cannot be used (${detail})`);
      return null;
    }
  }

  async function openWith(
    acme: AcmeSettings,
    names: readonly string[],
    { fleet: fleetSettings, node }: Pick<Settings, "fleet" | "node">,
    own: OwnShelf & CertificateShelf,
  ): Promise<Opened> {
    const store = fleetSettings === null ? null : await fleetStoreOf(fleetSettings, node, tell);
    const shared =
      store === null ? null : createFleetShelf({ store, own, names, wall: () => systemClock.wall(), tell });
    const accounts: AccountShelf = shared ?? {
      accountOf: (url) => own.kept.accounts.find((kept) => kept.directory === url) ?? null,
      keepAccount: (account) => own.keepAccount(account),
    };
    const authorities = new Map<string, Authority>();
    for (const one of acme.authorities) {
      // oxlint-disable-next-line no-await-in-loop -- A handful of small files, at the start.
      authorities.set(one.directory, await authorityOf(one, acme.email, accounts));
    }
    const certifier = createCertifier(
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
        shelf: shared ?? own,
        lease: shared ?? ONLY_HOLDER,
        authorityAt: (url) => authorities.get(url) ?? NOBODY,
        publish: (material) => publish(material),
        tell,
      },
    );
    return {
      certifier,
      fleet: () => store?.view() ?? null,
      start() {
        shared?.start(certifier.adopt);
        certifier.start();
      },
      stop() {
        certifier.stop();
        // It says goodbye as far as it can, and nobody waits for that.
        void shared?.stop();
      },
    };
  }

  return {
    get material() {
      return opened?.certifier.material ?? NO_MATERIAL;
    },
    list: () => opened?.certifier.list() ?? [],
    fleet: () => opened?.fleet() ?? null,
    renew: (name) => (opened === null ? "no certificates are obtained by this gateway" : opened.certifier.renew(name)),
    start(publishTo) {
      publish = publishTo;
      isStarted = true;
      opened?.start();
    },
    async follow(next) {
      const now = relevant(next);
      if (now === seen) return;
      seen = now;
      opened?.stop();
      opened = await open(next);
      await publish(opened?.certifier.material ?? NO_MATERIAL);
      if (isStarted) opened?.start();
    },
    stop() {
      isStarted = false;
      opened?.stop();
    },
  };
}

/** What has to be begun anew when it changes. */
function relevant(settings: Settings): string {
  return JSON.stringify([settings.acme, settings.fleet, settings.node, namesOf(settings)]);
}

function namesOf({ listeners }: Pick<Settings, "listeners">): string[] {
  return [...new Set(listeners.flatMap(({ tls }) => tls?.acmeNames ?? []))];
}

async function authorityOf(
  { directory, externalAccount, ca }: AcmeAuthoritySettings,
  email: string,
  accounts: AccountShelf,
): Promise<Authority> {
  const key = externalAccount === null ? null : await uncover(externalAccount.key);
  if (key !== null && !key.ok) throw new Error(key.detail);
  const signers = ca === "" ? null : await readPem(ca);
  if (signers !== null && !signers.ok) throw new Error(signers.detail);
  // What makes requests and proofs is a third of all that would be loaded at the start, and most gateways order nothing.
  const { AcmeAuthority } = await import("../net/acme-authority.ts");
  return new AcmeAuthority({
    directory,
    email,
    externalAccount: externalAccount === null || key === null ? null : { kid: externalAccount.kid, hmacKey: key.text },
    ca: signers?.text ?? "",
    account: () => accounts.accountOf(directory),
    keepAccount: (made) => accounts.keepAccount(made),
    schedule: systemSchedule,
    wall: () => systemClock.wall(),
    userAgent: `goodgate/${VERSION}`,
  });
}

/** Of an authority that issued a certificate once and is not named any more. */
const NOBODY: Authority = {
  url: "",
  issue: () => Promise.resolve({ ok: false, fault: "authority", detail: "it is not named any more", retryAfterMs: -1 }),
  renewalInfo: () => Promise.resolve(null),
};

interface AccountShelf {
  accountOf(directory: string): AcmeAccount | null;
  keepAccount(account: AcmeAccount): Promise<void>;
}

function ownShelf(directory: string, files: ShelfFiles): OwnShelf & CertificateShelf {
  const { names = [], authorities = [] } = (files.states ?? {}) as Partial<ShelfStates>;
  return {
    kept: { names, authorities, certificates: files.certificates, accounts: files.accounts },
    async keepCertificate(pair, states) {
      await keepPair(directory, pair);
      await keepStates(directory, { names: states.names, authorities: states.authorities });
      return "kept";
    },
    async keepStates(states) {
      await keepStates(directory, { names: states.names, authorities: states.authorities });
      return "kept";
    },
    keepAccount: (account) => keepAccount(directory, account),
  };
}
