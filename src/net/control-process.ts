/**
 * The control process, as the gateway has it beside itself: forked after the listeners are up, heard or not heard,
 * killed when it hangs, started again when it ended, each time later. Nothing here is waited for by an exchange, and
 * everything is bounded: facts under way (fact-hand-over.ts), questions that wait, and how often it is started.
 *
 * It is heard when it says anything, and it has something to say each second: it acknowledges the facts. So no
 * heartbeat of its own is needed, and one that answers pings but takes no facts counts as hung, as it should.
 */
import type { Answers, ControlPort, ControlState, News, NotAnswered, Question } from "../contract/control-port.ts";
import { ASK_MS, PROBE_ASK_MS } from "../contract/control-port.ts";
import { isOpenedAlike } from "../contract/control-messages.ts";
import type { ControlSetup, FromControl, ToControl } from "../contract/control-messages.ts";
import type { Fact } from "../contract/facts.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { Chance, Clock, Schedule } from "../kernel/clock.ts";
import { FactHandOver } from "./fact-hand-over.ts";

/** One life of the process. */
export interface ControlChannel {
  /** What cannot be sent any more is dropped: its end is told too. */
  send(message: ToControl): void;
  /** For sure, also when it is stopped. */
  kill(): void;
  /** Of the process; 0: not known. */
  residentBytes(): number;
}

export interface ChannelListener {
  onMessage(message: FromControl): void;
  /** `why`: `exit code 1`, `SIGKILL`. Once, and the last that is heard. */
  onEnd(why: string): void;
}

export interface ControlProcessOptions {
  readonly start: (listener: ChannelListener) => ControlChannel;
  /** To begin with. */
  readonly setup: Omit<ControlSetup, "restore">;
  /** Of this life of the gateway, unlike any other. */
  readonly session: string;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly chance: Chance;
  /** For the gateway's event stream. */
  readonly tell: (code: string, detail: string) => void;
}

export interface ControlProcess extends ControlPort {
  /** Other settings are in effect. Where it was opened with what has changed, it ends and is started with that. */
  configure(settings: ControlSetup["settings"], node: string): void;
  tellFact(fact: Fact): void;
  /** For a collector of traces. Dropped and counted while the process does not keep up. */
  tellTraces(records: readonly ExchangeRecord[], leftOut: number): void;
  /** Hands over what is left and ends the process; by force when it takes longer than `ms`. */
  close(ms: number): Promise<void>;
}

const LOOK_MS = 1_000;
/** A batch is not acknowledged for so long. */
const HUNG_MS = 5_000;
/** Hung for so long, it is not coming back. */
const KILL_HUNG_MS = 15_000;
/** Reading back what is kept takes a while. */
const READY_MS = 30_000;
const BACK_MS = 500;
const BACK_MAX_MS = 60_000;
/** Told to end for another, it may take so long to write down what is to be kept. */
const REPLACED_MS = 10_000;
/** After so long it counts as well: the next end is a first one again. */
const WELL_MS = 60_000;
/** Ends in a row after which it starts without what it remembers. */
const FRESH_AFTER = 3;
const ASKED_MAX = 64;

interface Asked {
  readonly done: (answer: Answers[Question["ask"]] | NotAnswered) => void;
  readonly cancel: () => void;
}

export function startControlProcess(options: ControlProcessOptions): ControlProcess {
  return new Supervised(options);
}

class Supervised implements ControlProcess {
  readonly #options: ControlProcessOptions;
  #setup: ControlProcessOptions["setup"];
  readonly #handOver: FactHandOver;
  readonly #listeners = new Set<(news: News) => void>();
  readonly #asked = new Map<number, Asked>();
  #channel: ControlChannel | null = null;
  #state: ControlState["state"] = "starting";
  #because = "it is being started";
  #heardAt: number | null = null;
  /** Monotonic. */
  #heard = 0;
  #startedAt = 0;
  #lookedAt = 0;
  #restarts = 0;
  #tracesLeftOut = 0;
  /** Those of them that no process has heard of. */
  #tracesUntold = 0;
  /** Ends in a row. */
  #ends = 0;
  #numbers = 0;
  #isClosing = false;
  /** It was told to end, for one with other settings. */
  #isReplaced = false;
  /** Something was told of it that is not so any more when it runs. */
  #wasTold = false;
  #onEnded: () => void = () => undefined;
  #cancelLook: () => void = () => undefined;
  #cancelStart: () => void = () => undefined;

  constructor(options: ControlProcessOptions) {
    this.#options = options;
    this.#setup = options.setup;
    this.#handOver = new FactHandOver(options.session, (batch) => this.#channel?.send({ kind: "facts", batch }));
    this.#start();
    this.#lookedAt = options.clock.monotonic();
    this.#lookLater();
  }

  // ------------------------------------------------------------------ what others call

  tellFact(fact: Fact): void {
    this.#handOver.tell(fact);
  }

  tellTraces(records: readonly ExchangeRecord[], leftOut: number): void {
    this.#tracesLeftOut += leftOut;
    if (this.#state === "running" && this.#handOver.keepsUp) {
      const process = this.#tracesUntold;
      this.#tracesUntold = 0;
      this.#channel?.send({ kind: "traces", records, leftOut: { bound: leftOut, process } });
      return;
    }
    this.#tracesLeftOut += records.length;
    this.#tracesUntold += records.length + leftOut;
  }

  state(): ControlState {
    return {
      state: this.#state,
      heardAt: this.#heardAt,
      because: this.#because,
      factsLost: this.#handOver.lost,
      factsWaiting: this.#handOver.notTaken,
      residentBytes: this.#channel?.residentBytes() ?? 0,
      tracesLeftOut: this.#tracesLeftOut,
      restarts: this.#restarts,
    };
  }

  subscribe(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#channel?.send({ kind: "watched", on: true });
    return () => {
      const isLast = this.#listeners.delete(listener) && this.#listeners.size === 0;
      if (isLast) this.#channel?.send({ kind: "watched", on: false });
    };
  }

  ask<Q extends Question>(question: Q, done: (answer: Answers[Q["ask"]] | NotAnswered) => void): void {
    const refusal = this.#whyNot();
    if (refusal !== null || this.#channel === null) {
      done(refusal ?? notAnswered("dead", this.#because));
      return;
    }
    this.#numbers += 1;
    const number = this.#numbers;
    const isSlow = question.ask === "probe" || question.ask === "test alert";
    const waitMs = isSlow ? PROBE_ASK_MS : ASK_MS;
    const cancel = this.#options.schedule(waitMs, () => {
      const because = `the control process did not answer within ${waitMs / 1000} s; ${this.#heardInWords()}`;
      this.#answer(number, notAnswered("hung", because));
    });
    // The channel says which question an answer belongs to, and the types cannot follow it there.
    this.#asked.set(number, { done: (answer) => done(answer as Answers[Q["ask"]] | NotAnswered), cancel });
    this.#channel.send({ kind: "ask", number, question });
  }

  configure(settings: ControlSetup["settings"], node: string): void {
    const isAlike = node === this.#setup.node && isOpenedAlike(settings, this.#setup.settings);
    this.#setup = { ...this.#setup, settings, node };
    const channel = this.#channel;
    if (channel === null || this.#isClosing) return;
    if (isAlike) {
      channel.send({ kind: "configure", settings });
      return;
    }
    if (this.#isReplaced) return;
    this.#isReplaced = true;
    this.#state = "starting";
    this.#because = "it is started again with other settings";
    this.#handOver.flush();
    channel.send({ kind: "end" });
    this.#cancelStart = this.#options.schedule(REPLACED_MS, () => channel.kill());
  }

  close(ms: number): Promise<void> {
    this.#isClosing = true;
    this.#cancelLook();
    this.#cancelStart();
    const channel = this.#channel;
    if (channel === null) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.schedule(ms, () => channel.kill());
      this.#onEnded = () => {
        cancel();
        resolve();
      };
      this.#handOver.flush();
      channel.send({ kind: "end" });
    });
  }

  // ------------------------------------------------------------------ one life

  #start(): void {
    const { clock, start } = this.#options;
    this.#startedAt = clock.monotonic();
    this.#heard = this.#startedAt;
    const channel = start({
      onMessage: (message) => this.#channel === channel && this.#hear(message),
      onEnd: (why) => this.#channel === channel && this.#ended(why),
    });
    this.#channel = channel;
    channel.send({ kind: "begin", setup: { ...this.#setup, restore: this.#ends < FRESH_AFTER } });
    if (this.#listeners.size > 0) channel.send({ kind: "watched", on: true });
  }

  #hear(message: FromControl): void {
    const { clock, tell } = this.#options;
    this.#heard = clock.monotonic();
    this.#heardAt = clock.wall();
    switch (message.kind) {
      case "ready":
        this.#become(
          "running",
          this.#restarts === 0 ? "it runs" : `it runs again, started ${this.#restarts + 1} times`,
        );
        this.#handOver.open();
        return;
      case "took":
        this.#handOver.acknowledge(message.number);
        if (this.#state === "hung") this.#become("running", "it takes facts again");
        return;
      case "answer":
        this.#answer(message.number, message.answer);
        return;
      case "news":
        this.#spread(message.news);
        return;
      case "told":
        tell(message.code, message.detail);
    }
  }

  #ended(why: string): void {
    const { clock, chance, schedule } = this.#options;
    this.#channel = null;
    this.#handOver.shut();
    for (const number of this.#asked.keys()) this.#answer(number, notAnswered("dead", `it ended (${why})`));
    if (this.#isClosing) {
      this.#onEnded();
      return;
    }
    if (this.#isReplaced) {
      this.#isReplaced = false;
      this.#cancelStart();
      this.#start();
      return;
    }
    this.#ends = clock.monotonic() - this.#startedAt >= WELL_MS ? 1 : this.#ends + 1;
    const bound = Math.min(BACK_MAX_MS, BACK_MS * 2 ** Math.min(this.#ends - 1, 20));
    // Half of it at random: gateways that were started together must not restart together.
    const waitMs = bound / 2 + (chance() * bound) / 2;
    this.#become("dead", `it ended (${why}); it is started again in ${Math.ceil(waitMs / 1000)} s`);
    this.#cancelStart = schedule(waitMs, () => {
      this.#restarts += 1;
      this.#state = "starting";
      this.#because = "it is being started again";
      this.#start();
    });
  }

  #lookLater(): void {
    this.#cancelLook = this.#options.schedule(LOOK_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const now = this.#options.clock.monotonic();
    // This process stood still: what it has not heard may be waiting to be read.
    if (now - this.#lookedAt > 2 * LOOK_MS) this.#heard = now;
    this.#lookedAt = now;
    const channel = this.#channel;
    if (channel === null) return;
    const quietMs = now - this.#heard;
    if (this.#state === "starting") {
      if (quietMs >= READY_MS) channel.kill();
      return;
    }
    // A restart that was long ago is no sign of anything.
    if (this.#ends > 0 && now - this.#startedAt >= WELL_MS) this.#ends = 0;
    if (this.#handOver.underWay === 0 || quietMs < HUNG_MS) return;
    if (this.#state === "running") this.#become("hung", `it has taken no facts for ${Math.round(quietMs / 1000)} s`);
    else if (quietMs >= HUNG_MS + KILL_HUNG_MS) channel.kill();
  }

  // ------------------------------------------------------------------ telling

  #become(state: ControlState["state"], because: string): void {
    this.#state = state;
    this.#because = because;
    // That it came up is what everybody expects of a start.
    if (this.#restarts > 0 || state !== "running" || this.#wasTold) {
      this.#wasTold = true;
      this.#options.tell(`control.${state}`, `control process: ${because}`);
    }
    this.#spread({ kind: "control", state: this.state() });
  }

  #spread(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }

  #answer(number: number, answer: Answers[Question["ask"]] | NotAnswered): void {
    const asked = this.#asked.get(number);
    if (asked === undefined) return;
    this.#asked.delete(number);
    asked.cancel();
    asked.done(answer);
  }

  #whyNot(): NotAnswered | null {
    if (this.#state === "hung") return notAnswered("hung", `${this.#because}; ${this.#heardInWords()}`);
    if (this.#state !== "running") return notAnswered("dead", `${this.#because}; ${this.#heardInWords()}`);
    if (this.#asked.size >= ASKED_MAX) return notAnswered("failed", `${ASKED_MAX} questions wait for it already`);
    return null;
  }

  #heardInWords(): string {
    if (this.#heardAt === null) return "nothing was heard of it yet";
    return `it was last heard at ${new Date(this.#heardAt).toISOString()}`;
  }
}

function notAnswered(unanswered: NotAnswered["unanswered"], because: string): NotAnswered {
  return { unanswered, because };
}
