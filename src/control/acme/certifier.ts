/**
 * Obtains certificates and keeps them fresh: asks order-plan.ts what is due, has it done, keeps what came of it, and
 * tells the processes that serve. One order at a time, because there is never a hurry that many at once would help.
 *
 * It runs in one place: in the process that has the admin API beside it. Several gateways that answer for the same names
 * need a lease that they share, so that one of them orders; `Lease` is where that goes. Within one node the only holder
 * there can be has it.
 *
 * What fails changes nothing of what is shown: the certificate of before stays in use as long as it lives, and longer.
 */
import type {
  AcmeCertificateView,
  AcmeDesk,
  AcmeMaterial,
  ChallengeKind,
  Issued,
  IssueOrder,
  KeyPair,
  Proof,
} from "../../contract/acme.ts";
import type { Chance, Clock, Schedule } from "../../kernel/clock.ts";
import {
  authorityFailed,
  authorityWorked,
  dueOf,
  nameFailed,
  newName,
  obtained,
  planOrder,
  wantedNow,
} from "./order-plan.ts";
import type { AuthorityState, Held, NameState, OrderOptions } from "./order-plan.ts";

/** One authority, whatever is spoken with it. */
export interface Authority {
  readonly url: string;
  /** Never rejects. `present` resolves when the answer can be asked for. */
  issue(order: IssueOrder): Promise<Issued>;
  /** Null: it makes no suggestions, or cannot be asked now. */
  renewalInfo(cert: string): Promise<RenewalInfo | null>;
}

export interface RenewalInfo {
  readonly start: number;
  readonly end: number;
  /** After which it may be different. */
  readonly againMs: number;
}

/** What outlives the process. */
export interface CertificateShelf {
  readonly kept: ShelfContent;
  /** Rejects when it cannot be written. */
  keepCertificate(pair: KeyPair): Promise<void>;
  keepStates(states: ShelfStates): Promise<void>;
}

export interface ShelfStates {
  readonly names: readonly NameState[];
  readonly authorities: readonly AuthorityState[];
}

export interface ShelfContent extends ShelfStates {
  readonly certificates: readonly KeyPair[];
}

/** Who may order, where several could. */
export interface Lease {
  /** True: it is ours until it is given back or the time is over. */
  take(name: string, ms: number): Promise<boolean>;
  giveBack(name: string): Promise<void>;
}

/** Within one node there is nobody else. */
export const ONLY_HOLDER: Lease = { take: () => Promise.resolve(true), giveBack: () => Promise.resolve() };

export interface CertifierOptions extends OrderOptions {
  readonly names: readonly string[];
  readonly challenges: readonly ChallengeKind[];
}

export interface CertifierPorts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly chance: Chance;
  readonly shelf: CertificateShelf;
  readonly lease: Lease;
  authorityAt(url: string): Authority;
  /** Resolves when all processes that serve have it. */
  publish(material: AcmeMaterial): Promise<void>;
  tell(code: string, detail: string): void;
}

export interface Certifier extends AcmeDesk {
  /** What is there at once. */
  readonly material: AcmeMaterial;
  start(): void;
  stop(): void;
  /** Other names from now on; certificates of names that are gone stay on the shelf. */
  setNames(names: readonly string[]): void;
}

/** Longer than an order may take. */
const LEASE_MS = 10 * 60_000;
const LEASE_AGAIN_MS = 60_000;
const INFO_AGAIN_MS = 6 * 3_600_000;
const WARN_RATIO = 1 / 6;
const DAY = 86_400_000;
/** A timer can wait no longer; whoever waits for more looks again then. */
const WAIT_MAX = 3_600_000;

export function createCertifier(options: CertifierOptions, ports: CertifierPorts): Certifier {
  const { clock, schedule, chance, shelf } = ports;
  let wanted = options.names;
  let states = new Map(shelf.kept.names.map((state) => [state.name, state]));
  const pairs = new Map(shelf.kept.certificates.map((pair) => [pair.name, pair]));
  const authorities = new Map(shelf.kept.authorities.map((state) => [state.url, state]));
  const infoAt = new Map<string, number>();
  const warned = new Map<string, number>();
  let proof: Proof | null = null;
  let ordering = "";
  let isRunning = false;
  let isBusy = false;
  let cancel = (): void => undefined;

  const stateOf = (name: string): NameState => {
    const state = states.get(name) ?? newName(name);
    // What is known of a certificate that is not there any more is of no use.
    return pairs.has(name) ? state : { ...state, held: null };
  };
  const wantedStates = (): NameState[] => wanted.map(stateOf);
  const material = (): AcmeMaterial => ({
    tokens: proof?.kind === "http-01" ? [{ token: proof.token, answer: proof.answer }] : [],
    proofs: proof?.kind === "tls-alpn-01" ? [{ name: proof.name, cert: proof.cert, key: proof.key }] : [],
    certificates: wanted.flatMap((name) => pairs.get(name) ?? []),
  });

  async function keep(): Promise<void> {
    try {
      await shelf.keepStates({ names: [...states.values()], authorities: [...authorities.values()] });
    } catch (error) {
      ports.tell("certificate.not-kept", `what is known of certificates cannot be written (${textOf(error)})`);
    }
  }

  async function set(state: NameState): Promise<void> {
    states.set(state.name, state);
    await keep();
  }

  async function setAuthority(state: AuthorityState): Promise<void> {
    authorities.set(state.url, state);
    await keep();
  }

  /** One look: what is due is done, and then the next look is arranged. */
  async function look(): Promise<void> {
    if (!isRunning || isBusy) return;
    isBusy = true;
    try {
      await askForSuggestions();
      const plan = planOrder(options, wantedStates(), [...authorities.values()], clock.wall());
      warn();
      if (plan.kind === "order") {
        if (await ports.lease.take(plan.name, LEASE_MS)) {
          await order(plan.name, plan.authority);
          await ports.lease.giveBack(plan.name);
          again(0);
        } else again(LEASE_AGAIN_MS);
      } else again(plan.until - clock.wall());
    } catch (error) {
      ports.tell("certificate.fault", `a defect of the gateway while it obtained certificates: ${textOf(error)}`);
      again(LEASE_AGAIN_MS);
    } finally {
      isBusy = false;
    }
  }

  function again(ms: number): void {
    cancel();
    if (isRunning) cancel = schedule(Math.max(1, Math.min(ms, WAIT_MAX)), () => void look());
  }

  async function order(name: string, url: string): Promise<void> {
    const before = stateOf(name);
    const current = pairs.get(name);
    const replaces = before.held?.authority === url && current !== undefined ? current.cert : null;
    ordering = name;
    // After each failure the other way of proving is tried first.
    const { challenges } = options;
    const turned = before.failures % Math.max(1, challenges.length);
    const issued = await ports.authorityAt(url).issue({
      name,
      challenges: [...challenges.slice(turned), ...challenges.slice(0, turned)],
      replaces,
      async present(next) {
        proof = next;
        await ports.publish(material());
      },
    });
    ordering = "";
    const hadProof = proof !== null;
    proof = null;
    const now = clock.wall();
    if (issued.ok) {
      const { cert, key, notBefore, notAfter } = issued;
      const held: Held = { notBefore, notAfter, authority: url, roll: chance(), window: null };
      pairs.set(name, { name, cert, key });
      infoAt.delete(name);
      try {
        await shelf.keepCertificate({ name, cert, key });
      } catch (error) {
        ports.tell(
          "certificate.not-kept",
          `the certificate of ${name} is used and cannot be written (${textOf(error)})`,
        );
      }
      // Before it is called good: whoever reads that may connect at once, and has to be shown it.
      await ports.publish(material());
      await setAuthority(authorityWorked(authorityState(url)));
      await set(obtained(stateOf(name), held, now));
      ports.tell("certificate.obtained", `${name}: from ${url}, good until ${dayOf(notAfter)}`);
      return;
    }
    if (hadProof) await ports.publish(material());
    const { fault, detail, retryAfterMs } = issued;
    if (fault === "authority") await setAuthority(authorityFailed(authorityState(url), retryAfterMs, chance(), now));
    else await setAuthority(authorityWorked(authorityState(url)));
    const failed = { ...before, lastError: `${url}: ${detail}` };
    await set(fault === "authority" ? failed : nameFailed(before, failed.lastError, retryAfterMs, chance(), now));
    const rest =
      before.held === null ? "there is none yet" : `the old one is good until ${dayOf(before.held.notAfter)}`;
    ports.tell("certificate.not-obtained", `${name}: ${failed.lastError}; ${rest}`);
  }

  function authorityState(url: string): AuthorityState {
    return authorities.get(url) ?? { url, failures: 0, waitUntil: 0 };
  }

  /** What issuers suggest for renewals, where it was not asked for lately. */
  async function askForSuggestions(): Promise<void> {
    const now = clock.wall();
    for (const { name, held } of wantedStates()) {
      const pair = pairs.get(name);
      if (held === null || pair === undefined || now < (infoAt.get(name) ?? 0)) continue;
      infoAt.set(name, now + INFO_AGAIN_MS);
      // oxlint-disable-next-line no-await-in-loop -- One question at a time is plenty.
      const info = await ports.authorityAt(held.authority).renewalInfo(pair.cert);
      if (info === null) continue;
      infoAt.set(name, now + Math.max(60_000, info.againMs));
      const { start, end } = info;
      if (held.window?.start === start && held.window.end === end) continue;
      // oxlint-disable-next-line no-await-in-loop -- As above.
      await set({ ...stateOf(name), held: { ...held, window: { start, end } } });
    }
  }

  /** Once a day for each whose time runs out: by then several renewals have failed. */
  function warn(): void {
    const now = clock.wall();
    for (const { name, held, lastError } of wantedStates()) {
      if (held === null || held.notAfter - now > (held.notAfter - held.notBefore) * WARN_RATIO) continue;
      if (now - (warned.get(name) ?? 0) < DAY) continue;
      warned.set(name, now);
      const left = Math.max(0, Math.floor((held.notAfter - now) / DAY));
      const why = lastError === "" ? "" : `; the last try failed: ${lastError}`;
      ports.tell("certificate.ends-soon", `${name}: ${left} days are left${why}`);
    }
  }

  function viewOf(state: NameState): AcmeCertificateView {
    const now = clock.wall();
    const { name, held, lastError } = state;
    const due = dueOf(options, state, now);
    return {
      name,
      state: standing(state, now),
      notBefore: held?.notBefore ?? 0,
      notAfter: held?.notAfter ?? 0,
      authority: held?.authority ?? "",
      nextAt: Math.max(due.at, now),
      because: due.because,
      lastError,
      lately: state.obtained.length,
    };
  }

  function standing({ name, held, lastError }: NameState, now: number): AcmeCertificateView["state"] {
    if (ordering === name) return "ordering";
    if (held === null) return lastError === "" ? "missing" : "failing";
    if (now >= held.notAfter) return "expired";
    return lastError === "" ? "good" : "failing";
  }

  return {
    get material() {
      return material();
    },
    start() {
      isRunning = true;
      again(1);
    },
    stop() {
      isRunning = false;
      cancel();
    },
    setNames(names) {
      wanted = names;
      again(1);
    },
    list: () => wantedStates().map(viewOf),
    renew(name) {
      if (!wanted.includes(name)) return `no certificate of ${name} is obtained by this gateway`;
      states = new Map(states).set(name, wantedNow(stateOf(name), clock.wall()));
      const due = dueOf(options, stateOf(name), clock.wall());
      again(1);
      return due.at > clock.wall() ? `it has to wait: ${due.because}` : null;
    },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
