/**
 * The way of an alert from facts to what a receiver gets: the real engine, loop, store, desk and sinks, configured by a
 * file as an operator writes it. Time is that of the facts, which a model makes or a gateway told; only the sockets are real. After each
 * second it waits for whatever a sink has under way, so nothing depends on how fast the machine is.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSettings } from "../../src/config/load.ts";
import type { AlertSettings } from "../../src/config/settings.ts";
import type { AlertSink } from "../../src/contract/alerts.ts";
import type { Fact } from "../../src/contract/facts.ts";
import type { FromControl } from "../../src/contract/control-messages.ts";
import type { Answers, Question } from "../../src/contract/control-port.ts";
import { createAlertDesk } from "../../src/control/alert-desk.ts";
import { createControlLoop } from "../../src/control/control-loop.ts";
import type { ControlLoop } from "../../src/control/control-loop.ts";
import { createEngine } from "../../src/control/engine.ts";
import { openSinks } from "../../src/net/sinks/open-sinks.ts";
import { openControlStore } from "../../src/store/control-store.ts";
import { EPOCH_MS, Model } from "../../sim/corpus/model.ts";
import type { Fault, ModelSetup } from "../../sim/corpus/model.ts";
import { httpReceiver } from "./http-receiver.ts";
import type { TakenAnswer, TakenRequest } from "./http-receiver.ts";
import { manualSchedule } from "./manual-schedule.ts";

export interface Received extends TakenRequest {
  /** Seconds since the fault began, by the time of the facts. */
  readonly at: number;
}

export interface FactSource {
  /** Epoch ms, of the first second. */
  readonly beginsAt: number;
  /** Seconds before the fault begins. */
  readonly warmUpS: number;
  /** What is told before any second. */
  readonly first: readonly Fact[];
  /** What is told of the next second, and with it. */
  next(): readonly Fact[];
}

export interface AlertWorldOptions {
  /** Under `alerts:`, in YAML; `RECEIVER` stands for where messages are received. */
  readonly alerts: string;
  readonly facts: FactSource;
}

export interface AlertWorld {
  readonly received: Received[];
  /** What the receiver answers, by path; 200 otherwise. */
  readonly answers: Map<string, (request: TakenRequest) => TakenAnswer>;
  /** Codes of what the gateway's event stream is told. */
  readonly told: string[];
  /** To so many seconds after the begin of the fault. */
  until(second: number): Promise<void>;
  /** The process is gone between two seconds, without a last word; the next one finds what was on disk. */
  kill(alerts?: string): void;
  ask<Q extends Question>(question: Q): Promise<Answers[Q["ask"]]>;
  now(): number;
  close(): void;
}

const WARM_UP_S = 200;

/** Traffic of a model, with a fault for so long. */
export function modelFacts(setup: ModelSetup, fault: Fault, lastsS: number): FactSource {
  const model = new Model(setup, fault, { seed: 7, faultFrom: WARM_UP_S, faultUntil: WARM_UP_S + lastsS });
  return { beginsAt: EPOCH_MS, warmUpS: WARM_UP_S, first: [model.topology()], next: () => model.next() };
}

/** What a gateway told, second by second. */
export function toldFacts(facts: readonly Fact[], warmUpS: number): FactSource {
  const rest = [...facts];
  const upTo = (index: number): readonly Fact[] => rest.splice(0, index);
  const first = upTo(rest.findIndex(({ kind }) => kind === "second"));
  return {
    beginsAt: rest[0]?.at ?? 0,
    warmUpS,
    first,
    next: () => upTo(rest.findIndex(({ kind }) => kind === "second") + 1),
  };
}

export async function alertWorld({ alerts, facts }: AlertWorldOptions): Promise<AlertWorld> {
  const { beginsAt, warmUpS } = facts;
  const time = manualSchedule(beginsAt - manualSchedule(0).clock.wall());
  const root = mkdtempSync(join(tmpdir(), "goodgate-alerts-"));
  const received: Received[] = [];
  const receivers: AlertWorld["answers"] = new Map();
  const told: string[] = [];
  const second = (): number => (time.clock.wall() - beginsAt) / 1000 - warmUpS;
  const receiver = await httpReceiver((request) => {
    received.push({ ...request, at: second() });
    return receivers.get(request.path)?.(request) ?? { status: 200 };
  });
  const answers = new Map<number, (answer: unknown) => void>();
  const sending = new Set<Promise<unknown>>();
  let lives = 0;
  let number = 0;
  let questions = 0;
  const all: { readonly loop: ControlLoop; readonly store: ReturnType<typeof openControlStore> }[] = [];

  /** As it is, so that the world knows when nothing is under way. */
  function watched(sink: AlertSink): AlertSink {
    return {
      ...sink,
      send(message) {
        const sent = sink.send(message);
        sending.add(sent);
        void sent.finally(() => sending.delete(sent));
        return sent;
      },
    };
  }

  function open(text: string): ControlLoop {
    const life = lives;
    const settings = alertsOf(text.replaceAll("RECEIVER", receiver.url));
    const store = openControlStore({
      directory: join(root, String(life)),
      bytesMax: 64 << 20,
      factsBytesMax: 32 << 20,
      onEvent: (code) => told.push(code),
      now: () => time.clock.monotonic(),
    });
    const send = (message: FromControl): void => {
      // A process that is gone tells nothing.
      if (life !== lives) return;
      if (message.kind === "told") told.push(message.code);
      if (message.kind === "answer") answers.get(message.number)?.(message.answer);
    };
    const loop = createControlLoop({
      createEngine: () => createEngine(),
      store,
      companions: (hands) => [
        createAlertDesk({
          settings,
          sinks: openSinks(settings.sinks, () => time.clock.wall()).map(watched),
          hands,
          node: "gate-1",
          clock: time.clock,
          schedule: (ms, run) => time.schedule(ms, () => (life === lives ? run() : undefined)),
          chance: () => 0.5,
        }),
      ],
      send,
      onFault(error) {
        throw error;
      },
    });
    loop.restore(true);
    all.push({ loop, store });
    return loop;
  }

  async function settled(): Promise<void> {
    // What ended may have begun something else.
    do {
      // oxlint-disable-next-line no-await-in-loop -- That is the point.
      await Promise.allSettled(sending);
      // oxlint-disable-next-line no-await-in-loop -- Those who waited for it run first.
      await new Promise(setImmediate);
    } while (sending.size > 0);
  }

  let text = alerts;
  let loop = open(text);
  loop.receive({ kind: "facts", batch: { session: "life", number: 0, facts: facts.first } });

  return {
    received,
    answers: receivers,
    told,
    async until(goal) {
      while (second() < goal) {
        time.advance(1000);
        number += 1;
        loop.receive({ kind: "facts", batch: { session: "life", number, facts: facts.next() } });
        // oxlint-disable-next-line no-await-in-loop -- One second after the other.
        await settled();
      }
    },
    kill(changed) {
      text = changed ?? text;
      cpSync(join(root, String(lives)), join(root, String(lives + 1)), { recursive: true });
      lives += 1;
      loop = open(text);
    },
    async ask<Q extends Question>(question: Q): Promise<Answers[Q["ask"]]> {
      questions += 1;
      const answered = new Promise((resolve) => answers.set(questions, resolve));
      loop.receive({ kind: "ask", number: questions, question });
      await settled();
      return (await answered) as Answers[Q["ask"]];
    },
    now: () => time.clock.wall(),
    close() {
      for (const { store } of all) store.close();
      receiver.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function alertsOf(text: string): AlertSettings {
  const file = `services: { shop: { pools: [{ name: a, origins: ["http://127.0.0.1:3000"] }] } }\nalerts:\n${text.replaceAll(/^/gm, "  ")}`;
  const loaded = loadSettings(file, "goodgate.yaml");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  if (loaded.settings.alerts === null) throw new Error("it configures no alerts");
  return loaded.settings.alerts;
}
