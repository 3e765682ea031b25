/**
 * Several workers as one gateway, for the API, the CLI, metrics and the dashboard. It answers at once from what each
 * worker showed last; `refresh` asks all of them again and waits for a quarter of a second at most, so that one that
 * stands still delays nobody for longer and is shown as it was. Records are copies that came by themselves; one that is
 * not among them is asked for.
 *
 * What a worker had counted when it ended stays counted. It is looked at once a second, so a crash costs a second of
 * counting at most, and no counter goes back.
 */
import type { ExchangeRecord } from "../contract/record.ts";
import type {
  DrainOrder,
  DrainResult,
  ExchangeFilter,
  GatewayEvent,
  GatewayView,
  MetricsView,
  NodeActions,
  OriginView,
  ProcessView,
  PurgeResult,
  PurgeTarget,
  RestoreOrder,
  StatusView,
  WorkerView,
} from "../contract/view.ts";
import type {
  FromWorker,
  WorkerAnswers,
  WorkerChannel,
  WorkerLife,
  WorkerLook,
  WorkerQuestion,
} from "../contract/worker-messages.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import type { LedgerView } from "../kernel/ledger.ts";
import { KeptShelf } from "./kept-shelf.ts";
import { MergedEvents } from "./merged-events.ts";
import { countedBy, mergeMetrics, NO_PROCESS } from "./merged-metrics.ts";
import { mergeOriginViews, mergeServices } from "./merged-origins.ts";

export interface NodeParts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly version: string;
  readonly startedAt: number;
  /** Of the whole node: how many records are kept. */
  readonly records: { readonly failedMax: number; readonly slowestMax: number; readonly sampledMax: number };
  readonly listeners: () => StatusView["listeners"];
  readonly lives: () => readonly WorkerLife[];
  readonly isDraining: () => boolean;
  /** This process, which serves nothing. */
  readonly own: () => ProcessView;
  readonly ledger: () => LedgerView;
}

/** What a worker that does not answer may cost whoever asks. */
const ANSWER_MS = 250;
/** Looks as old as this are as good as new ones. */
const FRESH_MS = 100;
const LOOK_MS = 1_000;
const EARLY_MAX = 256;

class Member {
  readonly channel: WorkerChannel;
  look: WorkerLook | null = null;
  readonly #schedule: Schedule;
  readonly #waiting = new Map<number, (answer: WorkerAnswers[WorkerQuestion["ask"]] | null) => void>();
  #number = 0;

  constructor(channel: WorkerChannel, schedule: Schedule) {
    this.channel = channel;
    this.#schedule = schedule;
  }

  /** Null: it has not answered in time. */
  ask<Question extends WorkerQuestion>(question: Question): Promise<WorkerAnswers[Question["ask"]] | "silent"> {
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve) => {
      const stop = this.#schedule(ANSWER_MS, () => {
        this.#waiting.delete(number);
        resolve("silent");
      });
      this.#waiting.set(number, (answer) => {
        stop();
        // What comes back for a question is what it asks for (gateway/answer-question.ts).
        resolve(answer as WorkerAnswers[Question["ask"]]);
      });
      this.channel.send({ kind: "ask", number, question });
    });
  }

  answered({ number, answer }: Extract<FromWorker, { kind: "answer" }>): void {
    const done = this.#waiting.get(number);
    this.#waiting.delete(number);
    done?.(answer);
  }
}

export class NodeView implements GatewayView {
  readonly actions: NodeActions;
  readonly #parts: NodeParts;
  readonly #members = new Set<Member>();
  readonly #kept: KeptShelf;
  readonly #events = new MergedEvents();
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  /** Those who want no single exchanges. */
  readonly #others = new Set<(event: GatewayEvent) => void>();
  /** What was told before anybody listened. */
  #early: GatewayEvent[] | null = [];
  /** What workers that have ended had counted; null: none has. */
  #past: MetricsView | null = null;
  readonly #pastExchanges = new Map<number, number>();
  #refreshedAt = -Infinity;
  #refreshing: Promise<void> | null = null;

  constructor(parts: NodeParts) {
    const { failedMax, slowestMax, sampledMax } = parts.records;
    this.#parts = parts;
    this.#kept = new KeptShelf(failedMax, slowestMax + sampledMax);
    this.actions = {
      purgeCache: (target) => this.#purge(target),
      drainOrigin: (order) => this.#first({ ask: "drain origin", order }),
      restoreOrigin: (order) => this.#first({ ask: "restore origin", order }),
    };
    const look = (): void => {
      void this.refresh();
      parts.schedule(LOOK_MS, look);
    };
    parts.schedule(LOOK_MS, look);
  }

  /** A worker's life, before anything is heard of it. */
  follow(channel: WorkerChannel): void {
    const member = new Member(channel, this.#parts.schedule);
    this.#members.add(member);
    if (this.#listeners.size > 0) channel.send({ kind: "watched", on: true });
    channel.onMessage((message) => {
      if (message.kind === "answer") member.answered(message);
      else if (message.kind === "event") this.tell(channel.worker, message.event);
    });
    channel.onEnd(() => this.#ended(member));
  }

  /** Records that a worker keeps, as copies. */
  keep(records: readonly ExchangeRecord[]): void {
    this.#kept.add(records);
  }

  /** An event of a worker; 0: of the node. */
  tell(worker: number, event: GatewayEvent): void {
    const told = worker === 0 ? event : this.#events.merge(worker, event, this.#parts.clock.monotonic());
    if (told === null) return;
    for (const listener of this.#listeners) listener(told);
    if (told.kind === "exchange") return;
    if (this.#early !== null && this.#early.length < EARLY_MAX) this.#early.push(told);
    for (const listener of this.#others) listener(told);
  }

  /** All events but single exchanges, which cost nothing while nobody looks at them. */
  listen(listener: (event: GatewayEvent) => void): void {
    this.#others.add(listener);
    for (const event of this.#early ?? []) listener(event);
    this.#early = null;
  }

  // ------------------------------------------------------------------ what is shown

  refresh(): Promise<void> {
    const now = this.#parts.clock.monotonic();
    if (this.#refreshing !== null) return this.#refreshing;
    if (now - this.#refreshedAt < FRESH_MS) return Promise.resolve();
    this.#refreshing = this.#askAll().finally(() => {
      this.#refreshing = null;
      this.#refreshedAt = this.#parts.clock.monotonic();
    });
    return this.#refreshing;
  }

  status(): StatusView {
    const { version, startedAt, isDraining, listeners } = this.#parts;
    const looks = this.#looks();
    const workers = this.#workers();
    return {
      version,
      startedAt,
      state: isDraining() ? "draining" : "serving",
      listeners: listeners(),
      connections: sum(looks, ({ status }) => status.connections),
      exchangesActive: sum(looks, ({ status }) => status.exchangesActive),
      exchangesTotal: sum(workers, ({ exchanges }) => exchanges),
      services: mergeServices(this.#serving().map(({ status }) => status.services)),
      workers,
    };
  }

  origins(): OriginView[] {
    return mergeOriginViews(this.#serving().map(({ origins }) => origins));
  }

  metrics(): MetricsView {
    const { own, ledger } = this.#parts;
    const looks = this.#looks().map(({ metrics }) => metrics);
    const past = this.#past;
    const merged = mergeMetrics([...(past === null ? [] : [past]), ...looks, { ...EMPTY, process: own() }]);
    return { ...merged, ledger: ledger() };
  }

  exchanges(filter: ExchangeFilter): ExchangeRecord[] {
    return this.#kept.list(filter);
  }

  exchange(id: string): ExchangeRecord | null {
    return this.#kept.find(id);
  }

  async seek(id: string): Promise<ExchangeRecord | null> {
    const found = await Promise.all([...this.#members].map((member) => member.ask({ ask: "exchange", id })));
    return (found.find((record) => record !== null && record !== "silent") as ExchangeRecord | null) ?? null;
  }

  subscribe(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#watch(true);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#watch(false);
    };
  }

  #watch(on: boolean): void {
    for (const { channel } of this.#members) channel.send({ kind: "watched", on });
  }

  async #askAll(): Promise<void> {
    await Promise.all(
      [...this.#members].map(async (member) => {
        const look = await member.ask({ ask: "look" });
        if (look !== "silent" && this.#members.has(member)) member.look = look;
      }),
    );
  }

  #looks(): WorkerLook[] {
    return [...this.#members].flatMap(({ look }) => (look === null ? [] : [look]));
  }

  /** Of those that take requests; of all when none does. */
  #serving(): WorkerLook[] {
    const looks = this.#looks();
    const serving = looks.filter(({ status }) => status.state === "serving");
    return serving.length > 0 ? serving : looks;
  }

  #workers(): WorkerView[] {
    return this.#parts.lives().map(({ worker, pid, state, since, because, restarts }) => {
      const all = [...this.#members].filter(({ channel }) => channel.worker === worker);
      const looks = all.flatMap(({ look }) => (look === null ? [] : [look]));
      const current = all.find(({ channel }) => channel.pid === pid)?.look?.metrics.process;
      return {
        worker,
        pid,
        state,
        since,
        because,
        restarts,
        connections: sum(looks, ({ status }) => status.connections),
        exchanges: (this.#pastExchanges.get(worker) ?? 0) + sum(looks, ({ status }) => status.exchangesTotal),
        cpuSeconds: current?.cpuSeconds ?? 0,
        residentBytes: current?.residentBytes ?? 0,
        loopUtilisation: current?.loopUtilisation ?? 0,
        loopDelayP99Ms: current?.loopDelayP99Ms ?? 0,
      };
    });
  }

  #ended(member: Member): void {
    this.#members.delete(member);
    const { look, channel } = member;
    if (look === null) return;
    const counted = countedBy(look.metrics);
    this.#past = this.#past === null ? counted : mergeMetrics([this.#past, counted]);
    const before = this.#pastExchanges.get(channel.worker) ?? 0;
    this.#pastExchanges.set(channel.worker, before + look.status.exchangesTotal);
  }

  // ------------------------------------------------------------------ what is done

  async #purge(target: PurgeTarget): Promise<PurgeResult | null> {
    const results = await Promise.all([...this.#members].map((member) => member.ask({ ask: "purge", target })));
    const purged = results.flatMap((result) => (result === null || result === "silent" ? [] : [result.purged]));
    return purged.length === 0 ? null : { purged: purged.reduce((all, one) => all + one, 0) };
  }

  /** One of them does it and tells the others. */
  async #first(
    question: { ask: "drain origin"; order: DrainOrder } | { ask: "restore origin"; order: RestoreOrder },
  ): Promise<DrainResult> {
    for (const member of this.#members) {
      if (member.look?.status.state === "draining") continue;
      const result = await member.ask(question);
      if (result !== "silent") return result;
    }
    const detail = "No worker answers now. Try again in a moment.";
    return { done: false, why: "silent", detail };
  }
}

/** Of a process that serves nothing. */
const EMPTY: MetricsView = {
  routes: [],
  origins: [],
  pools: [],
  services: [],
  refusals: {},
  connectionsAccepted: 0,
  handshakes: { full: 0, resumed: 0, failed: 0 },
  handshaking: 0,
  certificates: [],
  connectionsTurnedAway: 0,
  floodRefused: 0,
  floodSpared: 0,
  clientsHeldBack: 0,
  connectionsOpen: 0,
  exchangesActive: 0,
  replayBytes: 0,
  cache: {
    entries: 0,
    bytes: 0,
    bytesMax: 0,
    stored: 0,
    evicted: 0,
    purged: 0,
    invalidated: 0,
    disk: { bytes: 0, bytesMax: 0, entries: 0, damaged: 0, skipped: 0 },
  },
  ledger: { keys: 0, bytes: 0 },
  accessLogDropped: 0,
  process: NO_PROCESS,
};

function sum<Row>(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((all, row) => all + of(row), 0);
}
