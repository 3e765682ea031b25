/**
 * Obtains certificates and keeps them fresh: asks order-plan.ts what is due, has it done, keeps what came of it, and
 * tells the processes that serve. One order at a time, because there is never a hurry that many at once would help.
 *
 * Within a node it runs in one place: in the process that has the admin API beside it. Several nodes that answer for the
 * same names share what is known of them and a lease (fleet-shelf.ts): whoever has something to do takes the lease, looks
 * again at what the others did meanwhile, does what is still to be done and gives it back. What a holder writes who has
 * lost it is not written. Where there is one node, it has the lease whenever it asks.
 *
 * What fails changes nothing of what is shown: the certificate of before stays in use as long as it lives, and longer.
 */
import { isDeepStrictEqual } from "node:util";
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
import type { AuthorityState, Held, NameState, OrderOptions, Plan } from "./order-plan.ts";

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

/** What outlives the process. Rejects when something cannot be written. */
export interface CertificateShelf {
  readonly kept: ShelfContent;
  /** With what is known when it has been obtained. */
  keepCertificate(pair: KeyPair, states: ShelfStates): Promise<Kept>;
  keepStates(states: ShelfStates): Promise<Kept>;
}

/** `lost`: somebody else has the lease by now, and nothing was written. */
export type Kept = "kept" | "lost";

export interface ShelfStates {
  readonly names: readonly NameState[];
  readonly authorities: readonly AuthorityState[];
}

export interface ShelfContent extends ShelfStates {
  readonly certificates: readonly KeyPair[];
}

/** What all nodes know. */
export interface SharedContent extends ShelfContent {
  /** Of an order that another node has under way. */
  readonly proofs: readonly Proof[];
}

/** Who may order, where several could. */
export interface Lease {
  /** Null: somebody else has it, or nobody can be asked. */
  take(): Promise<Term | null>;
  /** As all know it by now. Null: nobody else writes, and what is here is all there is. */
  content(): SharedContent | null;
  /** There is something to be done for which it has to be taken, besides what follows from what is known. */
  isOwing(): boolean;
  /** Why nobody can be asked; empty: somebody can. */
  unavailable(): string;
}

/** While the lease is ours. */
export interface Term {
  /** Resolves when the other nodes can give the answer. Rejects when they cannot be told. */
  present(proof: Proof | null): Promise<void>;
  giveBack(): Promise<void>;
}

/** Within one node there is nobody else. */
export const ONLY_HOLDER: Lease = {
  take: () => Promise.resolve({ present: () => Promise.resolve(), giveBack: () => Promise.resolve() }),
  content: () => null,
  isOwing: () => false,
  unavailable: () => "",
};

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

export interface Certifier extends Omit<AcmeDesk, "fleet"> {
  /** What is there at once. */
  readonly material: AcmeMaterial;
  start(): void;
  stop(): void;
  /** What other nodes have changed; resolves when it is shown here. */
  adopt(content: SharedContent): Promise<void>;
}

const FAULT_AGAIN_MS = 60_000;
/** While another node has the lease; chance makes it up to twice that. */
const LEASE_AGAIN_MS = 2_000;
const INFO_AGAIN_MS = 6 * 3_600_000;
const INFO_AGAIN_LEAST_MS = 60_000;
const WARN_RATIO = 1 / 6;
const DAY = 86_400_000;
/** A timer can wait no longer; whoever waits for more looks again then. */
const WAIT_MAX = 3_600_000;

export function createCertifier(options: CertifierOptions, ports: CertifierPorts): Certifier {
  const { clock, schedule, chance, shelf, lease } = ports;
  let states = new Map<string, NameState>();
  let pairs = new Map<string, KeyPair>();
  let authorities = new Map<string, AuthorityState>();
  /** By hand, until an order has begun: they outlast what is told of other nodes. */
  const wishes = new Map<string, number>();
  const warned = new Map<string, number>();
  let proof: Proof | null = null;
  let proofsElsewhere: readonly Proof[] = [];
  let ordering = "";
  let isRunning = false;
  let isBusy = false;
  /** A look was due meanwhile. */
  let isMissed = false;
  /** Something was told while the lease was ours: then what is here counts. */
  let hasHeard = false;
  let cancel = (): void => undefined;
  know({ ...shelf.kept, proofs: [] });

  function know(content: SharedContent): void {
    states = new Map(content.names.map((state) => [state.name, { ...newName(state.name), ...state }]));
    pairs = byName(content.certificates);
    authorities = new Map(content.authorities.map((state) => [state.url, state]));
    proofsElsewhere = content.proofs;
  }

  /** What others have written, and what of ours was not. */
  function recall(): void {
    const content = lease.content();
    if (content !== null) know(content);
  }

  const stateOf = (name: string): NameState => {
    const state = states.get(name) ?? newName(name);
    const wish = wishes.get(name);
    // What is known of a certificate that is not there any more is of no use.
    const known = pairs.has(name) ? state : { ...state, held: null };
    return wish === undefined ? known : wantedNow(known, wish);
  };
  const wantedStates = (): NameState[] => options.names.map(stateOf);
  function material(certificates = pairs, elsewhere = proofsElsewhere): AcmeMaterial {
    // What this node has told the others comes back to it.
    const others = elsewhere.filter((one) => !isDeepStrictEqual(one, proof));
    const proofs = proof === null ? others : [...others, proof];
    return {
      tokens: proofs.flatMap((one) => (one.kind === "http-01" ? [{ token: one.token, answer: one.answer }] : [])),
      proofs: proofs.flatMap((one) =>
        one.kind === "tls-alpn-01" ? [{ name: one.name, cert: one.cert, key: one.key }] : [],
      ),
      certificates: options.names.flatMap((name) => certificates.get(name) ?? []),
    };
  }
  const known = (): ShelfStates => ({ names: [...states.values()], authorities: [...authorities.values()] });
  const plan = (): Plan => planOrder(options, wantedStates(), [...authorities.values()], clock.wall());

  async function keep(): Promise<void> {
    try {
      if ((await shelf.keepStates(known())) === "lost") recall();
    } catch (error) {
      ports.tell("certificate.not-kept", `what is known of certificates cannot be written (${textOf(error)})`);
    }
  }

  /** One look: what is due is done, and then the next look is arranged. */
  async function look(): Promise<void> {
    if (!isRunning) return;
    isMissed = isBusy;
    if (isBusy) return;
    isBusy = true;
    let nextMs = FAULT_AGAIN_MS;
    try {
      nextMs = await turn();
    } catch (error) {
      ports.tell("certificate.fault", `a defect of the gateway while it obtained certificates: ${textOf(error)}`);
    }
    isBusy = false;
    if (hasHeard) await adopt(lease.content() ?? { ...shelf.kept, proofs: [] });
    again(isMissed ? 0 : nextMs);
  }

  /** How long it is until there is something to be done. */
  async function turn(): Promise<number> {
    warn();
    const next = plan();
    if (next.kind === "wait" && unasked().length === 0 && !lease.isOwing()) return next.until - clock.wall();
    const term = await lease.take();
    if (term === null) return LEASE_AGAIN_MS * (1 + chance());
    try {
      // Another node may have done meanwhile what was due before.
      recall();
      await askForSuggestions();
      const still = plan();
      if (still.kind === "order" && isRunning) await order(still.name, still.authority, term);
      return 0;
    } finally {
      await term.giveBack();
    }
  }

  function again(ms: number): void {
    cancel();
    if (isRunning) cancel = schedule(Math.max(1, Math.min(ms, WAIT_MAX)), () => void look());
  }

  async function adopt(content: SharedContent): Promise<void> {
    if (isBusy) {
      hasHeard = true;
      // What authorities ask this node for cannot wait until its own turn is over.
      proofsElsewhere = content.proofs;
      await ports.publish(material());
      return;
    }
    hasHeard = false;
    // Before any of it is called good, as below.
    await ports.publish(material(byName(content.certificates), content.proofs));
    // Meanwhile this node may have got the lease, and knows all of it.
    if (isBusy) hasHeard = true;
    else know(lease.content() ?? content);
    isMissed = true;
    again(1);
  }

  async function order(name: string, url: string, term: Term): Promise<void> {
    const before = stateOf(name);
    wishes.delete(name);
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
        await term.present(next);
      },
    });
    ordering = "";
    const hadProof = proof !== null;
    proof = null;
    if (issued.ok) await take(name, url, issued);
    else await note(before, url, issued);
    if (!hadProof) return;
    await ports.publish(material());
    // Where it cannot be taken back, the next who has the lease does it.
    await term.present(null).catch(() => undefined);
  }

  /** It was issued. */
  async function take(name: string, url: string, issued: Extract<Issued, { ok: true }>): Promise<void> {
    const { cert, key, notBefore, notAfter } = issued;
    const held: Held = { notBefore, notAfter, authority: url, roll: chance(), window: null };
    const pair = { name, cert, key };
    authorities.set(url, authorityWorked(authorityState(url)));
    states.set(name, obtained(stateOf(name), held, clock.wall()));
    try {
      if ((await shelf.keepCertificate(pair, known())) === "lost") {
        recall();
        await ports.publish(material());
        const detail = `${name}: a certificate came from ${url} when this node had lost the lease; it is used where there is none that lasts longer`;
        ports.tell("certificate.fenced", detail);
        return;
      }
    } catch (error) {
      ports.tell("certificate.not-kept", `the certificate of ${name} is used and cannot be written (${textOf(error)})`);
    }
    // Before it is called good: whoever reads that may connect at once, and has to be shown it.
    await ports.publish(material(new Map(pairs).set(name, pair)));
    pairs.set(name, pair);
    ports.tell("certificate.obtained", `${name}: from ${url}, good until ${dayOf(notAfter)}`);
  }

  /** It was not. */
  async function note(before: NameState, url: string, issued: Extract<Issued, { ok: false }>): Promise<void> {
    const { fault, detail, retryAfterMs } = issued;
    const now = clock.wall();
    const isNames = fault === "name";
    const authority = authorityState(url);
    authorities.set(
      url,
      isNames ? authorityWorked(authority) : authorityFailed(authority, retryAfterMs, chance(), now),
    );
    const failed = { ...before, lastError: `${url}: ${detail}` };
    states.set(before.name, isNames ? nameFailed(before, failed.lastError, retryAfterMs, chance(), now) : failed);
    await keep();
    const rest =
      before.held === null ? "there is none yet" : `the old one is good until ${dayOf(before.held.notAfter)}`;
    ports.tell("certificate.not-obtained", `${before.name}: ${failed.lastError}; ${rest}`);
  }

  function authorityState(url: string): AuthorityState {
    return authorities.get(url) ?? { url, failures: 0, waitUntil: 0 };
  }

  /** Certificates whose issuer was not asked lately when it would renew them. */
  function unasked(): readonly { readonly state: NameState; readonly held: Held; readonly cert: string }[] {
    const now = clock.wall();
    return wantedStates().flatMap((state) => {
      const pair = pairs.get(state.name);
      const { held, askAt } = state;
      return held === null || pair === undefined || now < askAt ? [] : [{ state, held, cert: pair.cert }];
    });
  }

  async function askForSuggestions(): Promise<void> {
    const questions = unasked();
    for (const { state, held, cert } of questions) {
      // oxlint-disable-next-line no-await-in-loop -- One question at a time is plenty.
      const info = await ports.authorityAt(held.authority).renewalInfo(cert);
      const askAt = clock.wall() + (info === null ? INFO_AGAIN_MS : Math.max(INFO_AGAIN_LEAST_MS, info.againMs));
      const window = info === null ? held.window : { start: info.start, end: info.end };
      states.set(state.name, { ...state, askAt, held: { ...held, window } });
    }
    if (questions.length > 0) await keep();
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
      because: due.at <= now && lease.unavailable() !== "" ? `${due.because}; ${lease.unavailable()}` : due.because,
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
    adopt,
    list: () => wantedStates().map(viewOf),
    renew(name) {
      if (!options.names.includes(name)) return `no certificate of ${name} is obtained by this gateway`;
      wishes.set(name, clock.wall());
      const due = dueOf(options, stateOf(name), clock.wall());
      again(1);
      if (due.at > clock.wall()) return `it has to wait: ${due.because}`;
      return lease.unavailable() === "" ? null : `it has to wait: ${lease.unavailable()}`;
    },
  };
}

function byName(list: readonly KeyPair[]): Map<string, KeyPair> {
  return new Map(list.map((pair) => [pair.name, pair]));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
