/** What a gateway needs of the world. All of it is handed in, so that a simulator can put another one in its place. */
import type { ListenerSettings } from "../config/settings.ts";
import type { Challenges } from "../contract/acme.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { News } from "../contract/shared-knowledge.ts";
import type { CertificateView, OwnUse, ProcessView } from "../contract/view.ts";
import type { CacheShelf } from "../kernel/cache-shelf.ts";
import type { Chance, Clock } from "../kernel/clock.ts";
import type { Ledger } from "../kernel/ledger.ts";
import type { Resolver } from "../kernel/resolver.ts";
import type { Dial, Listen, SecureContexts } from "../kernel/socket.ts";
import type { FactPorts } from "./fact-book.ts";
import type { SharedRates } from "./shared-rates.ts";
import type { Siblings } from "./siblings.ts";

export interface GatewayPorts {
  readonly clock: Clock;
  readonly chance: Chance;
  /** 32 hex digits, never twice. */
  readonly newId: () => string;
  readonly dial: Dial;
  readonly listen: Listen;
  /** Answers to authorities that ask whether a name is ours. Absent: nothing is to be proven. */
  readonly challenges?: Challenges;
  /** What the listeners with TLS show. Needed when there are any. */
  readonly secureContexts?: (listener: ListenerSettings) => SecureContexts;
  readonly resolver: Resolver;
  /** Null: there is no state directory, and keys are not honoured. */
  readonly ledger: Ledger | null;
  /** Where stored responses outlive the process. Null: nowhere. */
  readonly cacheShelf: CacheShelf | null;
  /** Calls `run` every `ms` until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
  /** Calls `run` when all sockets that are ready now have been read. Default: at the end of the running call. */
  readonly soon?: (run: () => void) => void;
  readonly processView: () => ProcessView;
  /** What is in use of memory and descriptors, and of how much; 0: not known. Asked a few times a second. */
  readonly ownUse: () => OwnUse;
  /** Gets every record; must be done with it when it returns. Null: no access log. */
  readonly log: ((record: ExchangeRecord) => void) | null;
  readonly accessLogDropped: () => number;
  /** Whom facts are told, for conclusions. Absent: nobody, and nothing is counted for it. */
  readonly facts?: FactPorts;
  /** The other workers of this node. Absent: there are none. */
  readonly siblings?: Siblings;
  /** What a process before this one knew of the origins. Absent: nothing. */
  readonly known?: readonly News[];
  readonly rates?: SharedRates;
  /** Hears of each record that is kept, where another process keeps copies. */
  readonly kept?: (record: ExchangeRecord) => void;
  /** 32 hex digits of chance: whom clients are counted as. Absent: made up here; alike in all workers of a node. */
  readonly hashSeed?: string;
  /** What the files of the routes' fallbacks hold, by path. Needed when there are any. */
  readonly fallbackFiles?: ReadonlyMap<string, Buffer>;
  /** What the listeners show. Absent: nothing. */
  readonly certificates?: () => readonly CertificateView[];
  readonly version: string;
  /** Hears of a defect of ours that was contained: one exchange failed with gw.internal, the rest goes on. */
  readonly onFault: (error: unknown) => void;
}
