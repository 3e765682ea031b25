/**
 * What every part of one running gateway shares. Made once by gateway.ts; passed, never imported as state. What is not
 * `readonly` follows the configuration (reconfigure.ts).
 */
import type { Challenges } from "../contract/acme.ts";
import type { DnsSettings, LimitSettings, ListenerSettings } from "../config/settings.ts";
import type { Step } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Chance, Clock } from "../kernel/clock.ts";
import type { HashKey } from "../kernel/keyed-hash.ts";
import type { Dial, SecureContexts } from "../kernel/socket.ts";
import type { Resolver } from "../kernel/resolver.ts";
import type { TimerWheel } from "../kernel/timer-wheel.ts";
import type { ResponseCache } from "./cache/response-cache.ts";
import type { FactBook } from "./fact-book.ts";
import type { FloodGuard } from "./flood-guard.ts";
import type { AddressMemory } from "./address-memory.ts";
import type { Pressure } from "../policies/own-pressure.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { HandshakeRecords } from "./client-handshake.ts";
import type { Gather } from "./gather.ts";
import type { Generation } from "./generation.ts";
import type { Identity } from "./identify.ts";
import type { KeyBook } from "./key-book.ts";
import type { RecordBook } from "./record-book.ts";
import type { ReplayBudget } from "./replay-buffer.ts";
import type { SharedRates } from "./shared-rates.ts";
import type { Siblings } from "./siblings.ts";
import type { Telemetry } from "./telemetry.ts";
import type { WaitingRoom } from "./waiting.ts";

export interface Outliving {
  fail(cause: CauseId, evidence: string, step: Step, status: number): void;
}

export interface Core {
  readonly clock: Clock;
  readonly chance: Chance;
  /** 32 hex digits, never twice. */
  readonly newId: () => string;
  readonly dial: Dial;
  readonly resolver: Resolver;
  readonly wheel: TimerWheel;
  /** Calls `run` every `ms` until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
  /** Calls `run` when all sockets that are ready now have been read. */
  readonly soon: (run: () => void) => void;
  readonly gather: Gather;
  readonly identity: Identity;
  /** The same for requests that came over HTTP/2. */
  readonly identityForHttp2: Identity;
  readonly book: RecordBook;
  /** Null: nobody draws conclusions. */
  readonly facts: FactBook | null;
  readonly telemetry: Telemetry;
  readonly handshakeRecords: HandshakeRecords;
  /** Connections whose TLS handshake is under way, the oldest first. */
  readonly handshaking: Set<ClientConnection>;
  /** Of listeners with TLS. */
  /** Null: nothing is to be proven to anybody. */
  readonly challenges: Challenges | null;
  readonly secureContexts: (listener: ListenerSettings) => SecureContexts;
  readonly replayBudget: ReplayBudget;
  readonly cache: ResponseCache;
  limits: LimitSettings;
  /** Tells the operator of a defect of ours that one exchange has paid for. */
  readonly onFault: (error: unknown) => void;
  dns: DnsSettings;
  /** Of addresses that left the answers of their names. */
  readonly memory: AddressMemory;
  /** What exchanges that begin now go by. */
  generation: Generation;
  /** How much of what the gateway can take a route may have that says nothing of it (room.ts). */
  routeShare: number;
  /** How near this gateway is to limits of its own. */
  readonly pressure: Pressure;
  /** Chance of this process, so that nobody can choose whom he is counted with. */
  readonly hashKey: HashKey;
  /** Whom a client is counted as (client-key.ts), by its address. */
  readonly clientKey: (address: string) => number;
  /** Automation never holds this client back. */
  isProtected: (address: string) => boolean;
  /** Null: switched off. */
  flood: FloodGuard | null;
  /** Client connections by client, of those that are counted. */
  readonly connectionsOf: Map<number, number>;
  connectionsPerClientMax: number;
  /** What the files of fallbacks hold, by path. */
  fallbackFiles: ReadonlyMap<string, Buffer>;
  waiting: WaitingRoom;
  /** When a request was last turned away for lack of room, monotonic ms. */
  shedAt: number;
  /** The other workers of this node. Null: there are none. */
  readonly siblings: Siblings | null;
  /** Rate limits that are kept together with them. Null: they are this gateway's alone. */
  readonly rates: SharedRates | null;
  /** Null: nothing is kept, so nothing is promised. */
  readonly keys: KeyBook | null;
  /** After SIGTERM. What that means for a client's connection its listener says. */
  draining: boolean;
  connections: number;
  exchangesActive: number;
  /** Exchanges that go on though their client has left. */
  readonly outliving: Set<Outliving>;
}
