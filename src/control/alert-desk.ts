/**
 * Alerts in the control process: hears of incidents, lets the routing decide who is told, hands messages to the outbox
 * and remembers what was told. A companion of the control loop, which waits for none of it.
 *
 * After a restart it hears again of every incident whose end it has not seen, so that the end is told to whoever was
 * told of its begin, also when it was over before the process was back.
 */
import type { AlertSettings } from "../config/settings.ts";
import type { AlertMessage, AlertSink, AlertTested } from "../contract/alerts.ts";
import type { Answers, Question } from "../contract/control-port.ts";
import type { Fact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { Chance, Clock, Schedule } from "../kernel/clock.ts";
import { nearest } from "../kernel/nearest.ts";
import { AlertLog } from "./alert-log.ts";
import { alertMessage, sinkMessage, testMessage } from "./alert-message.ts";
import { AlertOutbox } from "./alert-outbox.ts";
import { AlertRouting } from "./alert-routing.ts";
import type { AlertStep, Track } from "./alert-routing.ts";
import type { Companion, LoopHands } from "./control-loop.ts";
import type { Output } from "./engine-port.ts";
import { Silences } from "./silences.ts";

export interface AlertDeskParts {
  readonly settings: AlertSettings | null;
  readonly sinks: readonly AlertSink[];
  readonly hands: LoopHands;
  readonly node: string;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly chance: Chance;
}

interface Failing {
  readonly since: number;
  readonly because: string;
}

const TRACK = "alert-track";
const TRACK_MS = 60 * 86_400_000;
/** Sinks that fail. */
const SINK = "alert-sink";
const SINK_MS = 400 * 86_400_000;
const TICK_MS = 1_000;
/** A person waits for the outcome of a test. */
const TEST_MS = 4_000;
const TOLD_MAX = 50;
/** What somebody was told, as it stands in an incident. */
const TOLD: Readonly<Record<AlertMessage["what"], string>> = {
  open: "that it began",
  update: "what has changed",
  repeat: "that it goes on",
  escalate: "that nobody has reacted",
  taken: "who has taken it",
  recovered: "that it is over",
};

export function createAlertDesk(parts: AlertDeskParts): Companion {
  return new AlertDesk(parts);
}

class AlertDesk implements Companion {
  readonly #parts: AlertDeskParts;
  readonly #routing: AlertRouting;
  readonly #silences: Silences;
  readonly #log: AlertLog;
  readonly #outbox: AlertOutbox;
  readonly #failing: Map<string, Failing>;
  #hasBegun = false;
  #tickedAt = 0;
  #tests = 0;

  constructor(parts: AlertDeskParts) {
    const { settings, sinks, hands, clock, schedule, chance } = parts;
    this.#parts = parts;
    this.#routing = new AlertRouting(settings?.routes ?? [], {
      version: 1,
      tracks: Object.fromEntries(hands.kept(TRACK).map(({ id, body }) => [id, body as readonly Track[]])),
    });
    const keep: LoopHands["keep"] = (document) => hands.keep(document);
    this.#silences = new Silences(hands.kept(Silences.kind), keep);
    this.#log = new AlertLog(hands.kept(AlertLog.kind), keep);
    this.#failing = new Map(
      hands.kept(SINK).flatMap(({ id, body }) => (body === null ? [] : [[id, body as Failing] as const])),
    );
    this.#outbox = new AlertOutbox({
      sinks,
      failing: new Map([...this.#failing].map(([name, { because }]) => [name, because])),
      clock,
      schedule,
      chance,
      onOutcome: (sink, message, outcome, detail) => this.#record(sink, message, outcome, detail),
      onState: (sink, isFailing, because) => this.#sinkTurned(sink, isFailing, because),
    });
  }

  hear(fact: Fact, outputs: readonly Output[], isReplay: boolean): void {
    // What was told in an earlier life was told then; where it stands now is looked up.
    if (isReplay) return;
    this.#begin();
    const now = this.#parts.clock.wall();
    for (const output of outputs) if (output.kind === "incident") this.#hear(output.incident, now);
    if (fact.kind !== "second" || now - this.#tickedAt < TICK_MS) return;
    this.#tickedAt = now;
    this.#carryOut(this.#routing.tick(this.#silences.at(now), now), now);
  }

  answer(question: Question, done: (answer: Answers[Question["ask"]]) => void): true | undefined {
    const now = this.#parts.clock.wall();
    if (question.ask === "alerts") {
      done({ silences: this.#silences.at(now), sinks: this.#outbox.views(), sent: this.#log.newest() });
    } else if (question.ask === "silence") {
      const refused = this.#refusal(question.silence.where["service"]);
      done(refused === "" ? this.#silences.add(question.silence, now) : { refused });
    } else if (question.ask === "unsilence") {
      done({ refused: this.#silences.end(question.id, now) });
    } else if (question.ask === "test alert") {
      void this.#test(question, done);
    } else return undefined;
    return true;
  }

  /** An incident says who was told of it. */
  amend(incident: Incident): Incident {
    const told = this.#log
      .about(incident.id)
      .filter(({ outcome }) => outcome === "delivered")
      .map(({ at, sink, what }) => ({ at, to: sink, text: TOLD[what] }));
    return told.length === 0 ? incident : { ...incident, told: told.slice(-TOLD_MAX) };
  }

  close(): Promise<void> {
    return this.#outbox.close();
  }

  /** A silence of a service that is misspelt holds nothing back, and nobody would see that. */
  #refusal(service: string | undefined): string {
    const known = this.#parts.hands.ask({ ask: "health" }).map((one) => one.service);
    // Before the first topology nobody knows which there are.
    if (service === undefined || known.length === 0 || known.includes(service)) return "";
    const meant = nearest(service, known);
    return `there is no service "${service}"${meant === null ? `, but ${known.join(", ")}` : `; did you mean "${meant}"?`}`;
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    for (const { sink, message } of this.#log.waiting()) this.#outbox.put(sink, message);
    const now = this.#parts.clock.wall();
    const { hands } = this.#parts;
    const open = hands.ask({ ask: "incidents", state: "open" });
    for (const incident of open) this.#hear(incident, now);
    for (const id of this.#routing.unfinished()) {
      const incident = open.some((one) => one.id === id) ? null : hands.incident(id);
      if (incident !== null) this.#hear(incident, now);
    }
  }

  #hear(incident: Incident, now: number): void {
    this.#carryOut(this.#routing.hear(incident, this.#silences.at(now), now), now);
  }

  #carryOut({ deliveries, withheld }: AlertStep, now: number): void {
    for (const delivery of deliveries) {
      // Sent in an earlier life, whose last second was not written down.
      if (this.#log.has(delivery.key)) continue;
      this.#send(delivery.sink, alertMessage(delivery, this.#parts.node, now));
    }
    for (const { incident, sink, reason, detail } of withheld) {
      const sent = { at: now, incident, sink, what: "open", outcome: reason, detail } as const;
      this.#log.record(`${incident}/${sink}/${reason}`, sent, null);
    }
    for (const { id, tracks } of this.#routing.takeChanged()) {
      this.#parts.hands.keep({ kind: TRACK, id, at: now, until: now + TRACK_MS, body: tracks });
    }
  }

  #send(sink: string, message: AlertMessage): void {
    const { at, incident, what } = message;
    this.#log.record(message.key, { at, incident, sink, what, outcome: "waiting", detail: "" }, message);
    this.#outbox.put(sink, message);
  }

  #record(sink: string, message: AlertMessage, outcome: "delivered" | "failed", detail: string): void {
    const { key, incident, what } = message;
    const at = this.#parts.clock.wall();
    this.#log.record(key, { at, incident, sink, what, outcome, detail }, null);
    if (outcome === "failed") {
      this.#parts.hands.tell("alerts.failed", `a message about ${incident} did not reach sink ${sink}: ${detail}`);
    }
  }

  #sinkTurned({ name, kind }: AlertSink, isFailing: boolean, because: string): void {
    const { hands, node, clock } = this.#parts;
    const now = clock.wall();
    const since = this.#failing.get(name)?.since ?? now;
    if (isFailing) this.#failing.set(name, { since, because });
    else this.#failing.delete(name);
    hands.keep({ kind: SINK, id: name, at: now, until: now + SINK_MS, body: this.#failing.get(name) ?? null });
    const words = isFailing ? `does not take messages: ${because}` : "takes messages again";
    hands.tell(isFailing ? "alerts.sink-failing" : "alerts.sink-works", `sink ${name} ${words}`);
    for (const to of this.#outbox.others(name)) {
      this.#send(to, sinkMessage({ sink: name, kind, because, since }, !isFailing, { to, node, now }));
    }
  }

  async #test(
    { sink: wanted, by }: Extract<Question, { ask: "test alert" }>,
    done: (answer: Answers["test alert"]) => void,
  ): Promise<void> {
    const { sinks, clock, node } = this.#parts;
    const meant = sinks.filter(({ name }) => wanted === "" || name === wanted);
    if (meant.length === 0) {
      const names = sinks.map(({ name }) => name).join(", ");
      done({
        refused: names === "" ? "no sink is configured (alerts.sinks)" : `there is no such sink; there is: ${names}`,
      });
      return;
    }
    this.#tests += 1;
    const now = clock.wall();
    const number = `${now}-${this.#tests}`;
    const tested = meant.map((sink) => this.#try(sink, testMessage(sink.name, by, node, now, number)));
    done({ tested: await Promise.all(tested) });
  }

  /** What takes longer goes on; the person is not kept waiting. */
  #try(sink: AlertSink, message: AlertMessage): Promise<AlertTested> {
    let cancel = (): void => undefined;
    const late = new Promise<AlertTested>((resolve) => {
      cancel = this.#parts.schedule(TEST_MS, () =>
        resolve({ sink: sink.name, outcome: "waiting", detail: `no answer within ${TEST_MS / 1000} s` }),
      );
    });
    const sent = async (): Promise<AlertTested> => {
      const { ok, detail } = await sink.send(message);
      cancel();
      return { sink: sink.name, outcome: ok ? "delivered" : "failed", detail };
    };
    return Promise.race([sent(), late]);
  }
}
