/**
 * Nodes of a fleet as objects: a session with a real database, and above it a shelf and a certifier, with an authority
 * that says what a test wants. What one "has on disk" is kept in memory.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { AcmeAccount, AcmeMaterial, Issued, IssueOrder } from "../../src/contract/acme.ts";
import type { SharedRow } from "../../src/contract/fleet.ts";
import { createCertifier } from "../../src/control/acme/certifier.ts";
import type { Certifier, ShelfContent, ShelfStates } from "../../src/control/acme/certifier.ts";
import { createFleetShelf } from "../../src/control/acme/fleet-shelf.ts";
import type { OwnShelf } from "../../src/control/acme/fleet-shelf.ts";
import { systemChance } from "../../src/net/chance.ts";
import { systemClock, systemSchedule } from "../../src/net/clock.ts";
import { FleetSession } from "../../src/store/fleet/fleet-session.ts";
import type { FleetAccess } from "../../src/store/fleet/fleet-session.ts";
import type { FleetTimes } from "../../src/store/fleet/fleet-times.ts";
import type { Postgres } from "./postgres.ts";
import { until } from "./until.ts";

export const FLEET_KEY = randomBytes(32).toString("base64");
export const DAY = 86_400_000;

/** Nothing in a test depends on how long they are, but that a lease outlasts a machine that is busy. */
const TIMES: FleetTimes = {
  leaseMs: 120_000,
  pollMs: 200,
  timeoutMs: 60_000,
  retryMs: { base: 20, max: 100 },
  spreadMs: 60_000,
};

export interface SessionOptions {
  readonly port?: number;
  readonly key?: string;
  readonly times?: Partial<FleetTimes>;
  readonly place?: Partial<FleetAccess["place"]>;
  readonly ca?: string;
}

export interface Follower {
  readonly session: FleetSession;
  readonly told: string[];
  /** All that was heard. */
  readonly rows: SharedRow[];
}

export interface Kept extends ShelfContent {
  readonly accounts: readonly AcmeAccount[];
}

export interface FleetNode {
  readonly session: FleetSession;
  readonly certifier: Certifier;
  readonly told: string[];
  /** What it answers and shows now. */
  readonly shown: AcmeMaterial;
  /** `NAME`, for each order that it made. */
  readonly orders: string[];
  /** Keys of the accounts that orders were made with. */
  readonly accounts: string[];
  readonly kept: Kept;
  answer: (order: IssueOrder) => Promise<Issued> | Issued;
  certificateOf(name: string): string | null;
  /** As if its machine had lost its power: it gives nothing back and writes nothing more. */
  die(): void;
}

const NOTHING: Kept = { names: [], authorities: [], certificates: [], accounts: [] };

export function newSession(
  postgres: Postgres,
  schema: string,
  node: string,
  options: SessionOptions = {},
): Pick<Follower, "session" | "told"> {
  const told: string[] = [];
  const { port = postgres.port, key = FLEET_KEY, ca = "" } = options;
  const { user, password } = postgres;
  const place = { host: "127.0.0.1", port, user, password, database: "postgres", tls: false, ...options.place };
  const session = new FleetSession(
    { schema, node, holder: randomUUID(), times: { ...TIMES, ...options.times } },
    {
      clock: systemClock,
      schedule: systemSchedule,
      chance: systemChance,
      access: () => Promise.resolve({ place, ca, key }),
      tell: (code, detail) => void told.push(`${code}: ${detail}`),
    },
  );
  return { session, told };
}

export function follow(postgres: Postgres, schema: string, node: string, options?: SessionOptions): Follower {
  const rows: SharedRow[] = [];
  const made = newSession(postgres, schema, node, options);
  made.session.start((news) => {
    rows.push(...news);
    return Promise.resolve();
  });
  return { ...made, rows };
}

export function connected({ session }: Pick<Follower, "session">): Promise<true> {
  return until("the database", () => (session.view().state === "connected" ? true : null));
}

export interface NodeOptions extends SessionOptions {
  readonly kept?: Kept;
  readonly names?: readonly string[];
  readonly days?: number;
}

let serial = 0;

/** Issued for so many days from now on. */
export function issued(days = 90): Extract<Issued, { ok: true }> {
  serial += 1;
  const now = Date.now();
  return { ok: true, cert: `cert ${serial}`, key: `key ${serial}`, notBefore: now, notAfter: now + days * DAY };
}

export function startNode(postgres: Postgres, schema: string, name: string, options: NodeOptions = {}): FleetNode {
  const { session, told } = newSession(postgres, schema, name, options);
  const { names = ["a.test"] } = options;
  let kept = options.kept ?? NOTHING;
  let shown: AcmeMaterial = { tokens: [], proofs: [], certificates: [] };
  let isDead = false;
  const keepStates = ({ names: states, authorities }: ShelfStates): Promise<"kept"> => {
    kept = structuredClone({ ...kept, names: states, authorities });
    return Promise.resolve("kept");
  };
  const own: OwnShelf = {
    kept,
    keepCertificate(pair, states) {
      kept = { ...kept, certificates: [...kept.certificates.filter((one) => one.name !== pair.name), pair] };
      return keepStates(states);
    },
    keepStates,
    keepAccount(account) {
      kept = { ...kept, accounts: [account] };
      return Promise.resolve();
    },
  };
  const shelf = createFleetShelf({
    store: session,
    own,
    names,
    wall: () => systemClock.wall(),
    tell: (code, detail) => void told.push(`${code}: ${detail}`),
  });
  const orders: string[] = [];
  const accounts: string[] = [];
  const directory = "https://authority";
  const node: FleetNode = {
    session,
    told,
    orders,
    accounts,
    get shown() {
      return shown;
    },
    get kept() {
      return kept;
    },
    answer: () => issued(options.days),
    certificateOf: (wanted) => shown.certificates.find((pair) => pair.name === wanted)?.cert ?? null,
    die() {
      isDead = true;
      node.certifier.stop();
      void session.stop();
    },
    certifier: createCertifier(
      { names, authorities: [directory], challenges: ["http-01"], perWeekMax: 4 },
      {
        clock: systemClock,
        schedule: systemSchedule,
        chance: systemChance,
        shelf,
        lease: shelf,
        authorityAt: (url) => ({
          url,
          async issue(order) {
            orders.push(order.name);
            const account = shelf.accountOf(directory) ?? { directory, key: `key of ${name}`, url: "1" };
            try {
              if (shelf.accountOf(directory) === null) await shelf.keepAccount(account);
              accounts.push(account.key);
              return await node.answer(order);
            } catch (error) {
              return { ok: false, fault: "authority", detail: String(error), retryAfterMs: -1 };
            }
          },
          renewalInfo: () => Promise.resolve(null),
        }),
        publish(material) {
          if (!isDead) shown = material;
          return Promise.resolve();
        },
        tell: (code, detail) => void told.push(`${code}: ${detail}`),
      },
    ),
  };
  shown = node.certifier.material;
  shelf.start(node.certifier.adopt);
  node.certifier.start();
  return node;
}
