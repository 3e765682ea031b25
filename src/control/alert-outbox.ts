/**
 * Messages on their way to sinks: a queue for each, in order and bounded, one message at a time, tried again with
 * growing and random pauses. One sink never waits for another, and nothing waits for any of them.
 *
 * A message that something is over takes the place of those about the same incident that still wait: it says all that
 * they would say, and who was never told of the trouble is told of both at once.
 */
import type { AlertMessage, AlertSink, SendResult } from "../contract/alerts.ts";
import type { AlertsView } from "../contract/control-port.ts";
import type { Chance, Clock, Schedule } from "../kernel/clock.ts";
import { backoffMs } from "../policies/backoff.ts";

export interface OutboxParts {
  readonly sinks: readonly AlertSink[];
  /** Sinks that failed when the process ended, by name, and why: their end is told too. */
  readonly failing: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly chance: Chance;
  readonly onOutcome: (sink: string, message: AlertMessage, outcome: "delivered" | "failed", detail: string) => void;
  /** A sink began to fail, or works again. */
  readonly onState: (sink: AlertSink, isFailing: boolean, because: string) => void;
}

type SinkState = AlertsView["sinks"][number]["state"];

interface Line {
  readonly sink: AlertSink;
  readonly waiting: AlertMessage[];
  isBusy: boolean;
  /** Of the first that waits. */
  tries: number;
  state: SinkState;
  because: string;
  lastAt: number | null;
  cancel: () => void;
}

const WAITING_MAX = 200;
/** Two tries that fail may be anything; the third is told elsewhere. */
const FAILING_AFTER = 3;
const BACKOFF = { backoffBaseMs: 2_000, backoffMaxMs: 300_000 };
/** What nobody could be told for so long is history. */
const GIVE_UP_MS = 24 * 3_600_000;
const LAST_WORDS_MS = 1_000;

export class AlertOutbox {
  readonly #parts: OutboxParts;
  readonly #lines: ReadonlyMap<string, Line>;
  readonly #sending = new Set<Promise<void>>();
  #isClosed = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#lines = new Map(
      parts.sinks.map((sink) => [
        sink.name,
        {
          sink,
          waiting: [],
          isBusy: false,
          tries: 0,
          state: parts.failing.has(sink.name) ? ("failing" as const) : ("unused" as const),
          because: parts.failing.get(sink.name) ?? "nothing was sent since the start",
          lastAt: null,
          cancel: () => undefined,
        },
      ]),
    );
  }

  put(to: string, message: AlertMessage): void {
    const line = this.#lines.get(to);
    if (line === undefined) {
      this.#parts.onOutcome(to, message, "failed", "there is no such sink any more");
      return;
    }
    if (message.what === "recovered") this.#replace(line, message);
    if (line.waiting.length >= WAITING_MAX) {
      // The first may be under way.
      const [lost] = line.waiting.splice(line.isBusy ? 1 : 0, 1);
      if (lost !== undefined) this.#parts.onOutcome(to, lost, "failed", `${WAITING_MAX} messages wait for this sink`);
    }
    line.waiting.push(message);
    this.#next(line);
  }

  views(): AlertsView["sinks"] {
    return [...this.#lines.values()].map(({ sink, state, because, lastAt, waiting }) => {
      const isFirst = state === "unused" && waiting.length > 0;
      return {
        name: sink.name,
        kind: sink.kind,
        state: isFirst ? "waiting" : state,
        because: waiting.length === 0 ? because : `${because}; ${waiting.length} waiting`,
        lastAt,
      };
    });
  }

  /** Names of sinks that are not known to fail, but this one. */
  others(than: string): readonly string[] {
    return [...this.#lines.values()]
      .filter(({ sink, state }) => sink.name !== than && state !== "failing")
      .map(({ sink }) => sink.name);
  }

  /** What waits is kept by whoever put it here; what is under way gets a moment. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const line of this.#lines.values()) line.cancel();
    if (this.#sending.size === 0) return;
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#parts.schedule(LAST_WORDS_MS, resolve);
    });
    await Promise.race([Promise.all(this.#sending), late]);
    cancel();
  }

  #replace(line: Line, { thread }: AlertMessage): void {
    for (let index = line.waiting.length - 1; index >= (line.isBusy ? 1 : 0); index -= 1) {
      const waiting = line.waiting[index];
      if (waiting?.thread !== thread) continue;
      line.waiting.splice(index, 1);
      if (index === 0) line.tries = 0;
      this.#parts.onOutcome(
        line.sink.name,
        waiting,
        "failed",
        "it was over before it could be delivered; its end is told",
      );
    }
  }

  #next(line: Line): void {
    const [message] = line.waiting;
    // While it pauses after a failure the timer comes back here.
    if (message === undefined || line.isBusy || line.tries > 0 || this.#isClosed) return;
    this.#send(line, message);
  }

  #send(line: Line, message: AlertMessage): void {
    line.isBusy = true;
    const sending = this.#carry(line, message);
    this.#sending.add(sending);
    void sending.finally(() => this.#sending.delete(sending));
  }

  async #carry(line: Line, message: AlertMessage): Promise<void> {
    let result: SendResult;
    try {
      result = await line.sink.send(message);
    } catch {
      result = { ok: false, isWorthRepeating: true, detail: "a fault in the sink", retryAfterMs: 0 };
    }
    line.isBusy = false;
    this.#settle(line, message, result);
  }

  #settle(line: Line, message: AlertMessage, result: SendResult): void {
    const { clock, chance, schedule, onOutcome } = this.#parts;
    const { name } = line.sink;
    if (result.ok) {
      line.waiting.shift();
      line.tries = 0;
      line.lastAt = clock.wall();
      onOutcome(name, message, "delivered", result.detail);
      this.#become(line, "ok", result.detail);
      this.#next(line);
      return;
    }
    line.tries += 1;
    const isOver = !result.isWorthRepeating || clock.wall() - message.at >= GIVE_UP_MS;
    if (isOver || line.tries >= FAILING_AFTER) this.#become(line, "failing", result.detail);
    else line.because = result.detail;
    if (isOver) {
      line.waiting.shift();
      line.tries = 0;
      onOutcome(name, message, "failed", result.detail);
      this.#next(line);
      return;
    }
    if (this.#isClosed) return;
    const pauseMs = BACKOFF.backoffBaseMs / 2 + backoffMs(BACKOFF, line.tries, chance());
    line.cancel = schedule(Math.max(pauseMs, result.retryAfterMs), () => {
      const [first] = line.waiting;
      if (first !== undefined && !line.isBusy) this.#send(line, first);
    });
  }

  #become(line: Line, state: "ok" | "failing", because: string): void {
    const wasFailing = line.state === "failing";
    line.state = state;
    line.because = because;
    if (wasFailing !== (state === "failing")) this.#parts.onState(line.sink, state === "failing", because);
  }
}
