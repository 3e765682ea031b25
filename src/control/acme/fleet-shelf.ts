/**
 * What is kept of certificates where several nodes obtain them together: in the store of the fleet, and in each node's own
 * folder as well, so that a node starts and serves while the store is away.
 *
 * - What the fleet has counts. A node brings what is its own only where the fleet has nothing, or a certificate that ends
 *   earlier: what was obtained while the store could not be reached, before there was a fleet, or before somebody put the
 *   database back.
 * - Everything is written with the lease, and what is written after it was lost is not there.
 * - The answer to an authority is known to all nodes before the authority is told to ask for it.
 */
import type { AcmeAccount, KeyPair, Proof } from "../../contract/acme.ts";
import type { FleetStore, SharedRow, SharedTerm } from "../../contract/fleet.ts";
import type { CertificateShelf, Kept, Lease, SharedContent, ShelfContent, ShelfStates, Term } from "./certifier.ts";
import type { NameState } from "./order-plan.ts";
import { SharedRows, rowOf } from "./shared-rows.ts";

/** In the node's own folder. Rejects when it cannot be written. */
export interface OwnShelf {
  readonly kept: ShelfContent & { readonly accounts: readonly AcmeAccount[] };
  keepCertificate(pair: KeyPair, states: ShelfStates): Promise<unknown>;
  keepStates(states: ShelfStates): Promise<unknown>;
  keepAccount(account: AcmeAccount): Promise<void>;
}

export interface FleetShelfPorts {
  readonly store: FleetStore;
  readonly own: OwnShelf;
  /** Those of which this node keeps and brings certificates. */
  readonly names: readonly string[];
  /** Epoch ms. */
  wall(): number;
  tell(code: string, detail: string): void;
}

export interface FleetShelf extends CertificateShelf, Lease {
  accountOf(directory: string): AcmeAccount | null;
  /** Rejects when the fleet cannot be told. */
  keepAccount(account: AcmeAccount): Promise<void>;
  /** Begins to follow the fleet; `adopt` resolves when it is in effect here. */
  start(adopt: (content: SharedContent) => Promise<void>): void;
  stop(): Promise<void>;
}

export function createFleetShelf({ store, own, names, wall, tell }: FleetShelfPorts): FleetShelf {
  const fleet = new SharedRows();
  /** What the fleet has not heard of. */
  const here = new SharedRows();
  for (const pair of own.kept.certificates) here.certificates.set(pair.name, pair);
  for (const state of own.kept.names) here.names.set(state.name, state);
  for (const state of own.kept.authorities) here.authorities.set(state.url, state);
  for (const account of own.kept.accounts) here.accounts.set(account.directory, account);
  /** As the own folder has it. */
  const written = new Map([
    ...own.kept.certificates.map((pair) => [pair.name, pair.cert] as const),
    ...own.kept.accounts.map((account) => [account.directory, account.url] as const),
  ]);
  let term: SharedTerm | null = null;

  const content = (): SharedContent => ({
    names: [...new Map([...fleet.names, ...here.names]).values()],
    authorities: [...new Map([...here.authorities, ...fleet.authorities]).values()],
    certificates: [...new Map([...fleet.certificates, ...here.certificates]).values()],
    proofs: [...fleet.proofs.values()],
  });

  /** What the fleet has as well, or better, is not this node's own any more. */
  function learn(rows: readonly SharedRow[]): void {
    for (const row of rows) fleet.learn(row);
    for (const name of new Set([...here.certificates.keys(), ...here.names.keys()])) {
      if (endOf(fleet, name) < endOf(here, name)) continue;
      // A name that has no certificate anywhere: what its failures say counts until the fleet says otherwise.
      if (!fleet.names.has(name) && !here.certificates.has(name)) continue;
      here.certificates.delete(name);
      here.names.delete(name);
    }
    for (const directory of fleet.accounts.keys()) here.accounts.delete(directory);
    for (const url of fleet.authorities.keys()) here.authorities.delete(url);
  }

  /** Before all is heard again. What is gone there, and was good, is brought again. */
  function forget(): void {
    for (const [name, pair] of fleet.certificates) if (!here.certificates.has(name)) here.certificates.set(name, pair);
    for (const [name, state] of fleet.names) if (!here.names.has(name)) here.names.set(name, state);
    for (const [directory, account] of fleet.accounts) here.accounts.set(directory, account);
    for (const [url, state] of fleet.authorities) here.authorities.set(url, state);
    fleet.clear();
  }

  function owed(): SharedRow[] {
    const rows: SharedRow[] = [];
    for (const name of names) {
      const pair = here.certificates.get(name);
      const state = here.names.get(name);
      if (pair === undefined || state === undefined || endOf(here, name) <= wall()) continue;
      rows.push(rowOf("certificate", name, pair), rowOf("name", name, joined(state, fleet.names.get(name))));
    }
    for (const [directory, account] of here.accounts) rows.push(rowOf("account", directory, account));
    return rows;
  }

  /** What differs from what the fleet has. */
  function changed({ names: states, authorities }: ShelfStates): SharedRow[] {
    const isOther = (row: SharedRow): boolean => {
      const had = row.kind === "name" ? fleet.names.get(row.id) : fleet.authorities.get(row.id);
      return had === undefined || row.body !== JSON.stringify(had);
    };
    return [
      ...states.map((state) => rowOf("name", state.name, state)),
      ...authorities.map((state) => rowOf("authority", state.url, state)),
    ].filter(isOther);
  }

  /** False: the lease is lost. */
  async function write(rows: readonly SharedRow[]): Promise<boolean> {
    if (rows.length === 0) return true;
    if (term === null || !(await term.write(rows))) return false;
    learn(rows);
    return true;
  }

  /** Into the own folder, for a start without the fleet. */
  async function copyDown(): Promise<void> {
    const all = content();
    try {
      for (const pair of all.certificates) {
        if (written.get(pair.name) === pair.cert || !names.includes(pair.name)) continue;
        // oxlint-disable-next-line no-await-in-loop -- Files, one after the other.
        await own.keepCertificate(pair, all);
        written.set(pair.name, pair.cert);
      }
      await own.keepStates(all);
      for (const account of fleet.accounts.values()) {
        if (written.get(account.directory) === account.url) continue;
        // oxlint-disable-next-line no-await-in-loop -- As above.
        await own.keepAccount(account);
        written.set(account.directory, account.url);
      }
    } catch (error) {
      tell("certificate.not-kept", `what the fleet has cannot be written here (${textOf(error)})`);
    }
  }

  async function keepCertificate(pair: KeyPair, states: ShelfStates): Promise<Kept> {
    // Until the fleet has heard of it; where it cannot be told now, it is told with the next lease.
    here.certificates.set(pair.name, pair);
    for (const state of states.names) if (state.name === pair.name) here.names.set(pair.name, state);
    const inOwn = own.keepCertificate(pair, states).then(() => written.set(pair.name, pair.cert));
    const isKept = write([rowOf("certificate", pair.name, pair), ...changed(states)]);
    // Each is tried, whatever comes of the other.
    await Promise.allSettled([inOwn, isKept]);
    learn([]);
    await inOwn;
    return (await isKept) ? "kept" : "lost";
  }

  async function take(): Promise<Term | null> {
    let taken: SharedTerm | null;
    try {
      taken = await store.take();
    } catch {
      // Whoever asks for how it is with the store is told why.
      return null;
    }
    if (taken === null) return null;
    term = taken;
    const giveBack = async (): Promise<void> => {
      term = null;
      await taken.giveBack();
    };
    try {
      // Who had the lease before may have ended in the middle of an order.
      const left = [...fleet.proofs.keys()].map((name) => rowOf("proof", name, null));
      if (await write([...owed(), ...left])) return { present, giveBack };
    } catch {
      // As above.
    }
    await giveBack();
    return null;
  }

  async function present(proof: Proof | null): Promise<void> {
    const rows =
      proof === null
        ? [...fleet.proofs.keys()].map((id) => rowOf("proof", id, null))
        : [rowOf("proof", proof.kind === "http-01" ? proof.token : proof.name, proof)];
    if (!(await write(rows))) throw new Error("another node has the lease by now");
    if (proof !== null) await term?.spread();
  }

  return {
    kept: content(),
    keepCertificate,
    async keepStates(states) {
      const isKept = await write(changed(states));
      if (isKept) await own.keepStates(states);
      return isKept ? "kept" : "lost";
    },
    accountOf: (directory) => fleet.accounts.get(directory) ?? here.accounts.get(directory) ?? null,
    async keepAccount(account) {
      here.accounts.set(account.directory, account);
      await own.keepAccount(account);
      if (!(await write([rowOf("account", account.directory, account)])))
        throw new Error("another node has the lease by now");
    },
    take,
    content,
    isOwing: () => store.view().state === "connected" && owed().length > 0,
    unavailable() {
      const { state, detail } = store.view();
      // The first connection is a matter of moments.
      if (state === "connected" || state === "connecting") return "";
      return `the database of the fleet is ${state}${detail === "" ? "" : ` (${detail})`}`;
    },
    start(adopt) {
      store.start(async (rows, isWhole) => {
        if (isWhole) forget();
        learn(rows);
        await adopt(content());
        await copyDown();
      });
    },
    stop: () => store.stop(),
  };
}

/** -1: there is none. */
function endOf(rows: SharedRows, name: string): number {
  return rows.certificates.has(name) ? (rows.names.get(name)?.held?.notAfter ?? 0) : -1;
}

/** What both have obtained counts for the limits of authorities. */
function joined(state: NameState, other: NameState | undefined): NameState {
  const obtained = new Set([...state.obtained, ...(other?.obtained ?? [])]);
  return { ...state, obtained: [...obtained].toSorted((one, another) => one - another) };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
