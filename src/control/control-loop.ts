/**
 * The control process at work: takes batches of facts, lets the engine draw conclusions, passes them on, writes down
 * what is to be kept, and answers questions. It holds nothing itself and reads no clock but that of the facts.
 *
 * A batch is acknowledged when it has been thought about and written down, not when it came: whoever sends more than
 * is taken sees that. Exceptions of the engine cost the fact that they happen at and nothing else.
 */
import type { Answers, News, NotAnswered, Question } from "../contract/control-port.ts";
import type { FactBatch, FromControl, LeftOut, ToControl } from "../contract/control-messages.ts";
import type { ControlStore, ControlWriting, Document } from "../contract/control-store.ts";
import type { Fact, SecondFact, TopologyFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { Engine, EngineQuestion, Output } from "./engine-port.ts";
import { SetBack } from "./set-back.ts";
import { changesBetween } from "./topology-changes.ts";

/** Who does something about facts and conclusions: sends alerts, climbs ladders, exports. None is waited for. */
export interface Companion {
  /** `isReplay`: it was told before, in an earlier life. */
  hear?(fact: Fact, outputs: readonly Output[], isReplay: boolean): void;
  /** Exchanges for a collector; `leftOut`: how many more there were in the second that ends with these. */
  trace?(records: readonly ExchangeRecord[], leftOut: LeftOut): void;
  /** What it is asked instead of the engine; undefined: not its business. `done` is called once. */
  answer?(question: Question, done: (answer: Answers[Question["ask"]]) => void): true | undefined;
  /** An incident with what the companion knows of it. */
  amend?(incident: Incident): Incident;
  close?(): Promise<void>;
}

export interface ControlLoopParts {
  readonly createEngine: () => Engine;
  /** Null: nothing outlives the process. */
  readonly store: ControlStore | null;
  readonly companions: (hands: LoopHands) => readonly Companion[];
  readonly send: (message: FromControl) => void;
  /** A fault of ours, for whoever reads the log. */
  readonly onFault: (error: unknown) => void;
}

/** What companions may do. */
export interface LoopHands {
  /** A fact that was found out here: the outcome of a climb, what a person did. The engine hears it at once. */
  fact(fact: Fact): void;
  news(news: News): void;
  /** Kept over restarts, with the next second that is written. */
  keep(document: Document): void;
  kept(kind: string): readonly Document[];
  /** For the gateway's event stream. */
  tell(code: string, detail: string): void;
  ask<Q extends EngineQuestion>(question: Q): Answers[Q["ask"]];
  /** Also one that is over and that the engine has forgotten. */
  incident(id: string): Incident | null;
  /** Those that go on and those that are over, as far back as is kept. */
  history(limit: number): readonly Incident[];
}

/** The others are about the life of the process. */
export type LoopMessage = Exclude<ToControl, { kind: "begin" | "configure" | "end" }>;

export interface ControlLoop {
  /** Takes up what was kept. False: it begins anew, whatever is there. */
  restore(isWanted: boolean): void;
  receive(message: LoopMessage): void;
  close(): Promise<void>;
}

/** Of the facts' time. */
const SAVE_EVERY_MS = 60_000;
/**
 * An incident that is open is taken up best by going through its facts again, so while there is one nothing is saved,
 * as long as going through them is a matter of seconds.
 */
const UNSAVED_MAX_MS = 30 * 60_000;
const CLOSED_LIMIT = 50;
/** What an incident is about may have begun so long before it is noticed. */
const LATE_MS = 30 * 60_000;
const TOPOLOGY = "topology";
const TOPOLOGY_MS = 400 * 86_400_000;

export function createControlLoop(parts: ControlLoopParts): ControlLoop {
  return new Loop(parts);
}

/** The facts of an earlier life did not lead to it again, as another version of the engine saw it, or they are not gone through. */
function notSeenAgain(incident: Incident): Incident {
  const closedAt = incident.timeline.at(-1)?.at ?? incident.detectedAt;
  const text = "After a restart of the control plane it is not seen any more; what goes on is another incident.";
  const timeline: Incident["timeline"] = [...incident.timeline, { at: closedAt, kind: "closed", text }];
  return { ...incident, state: "closed", closedAt, timeline };
}

class Loop implements ControlLoop {
  readonly #parts: ControlLoopParts;
  readonly #companions: readonly Companion[];
  #engine: Engine;
  #isWatched = false;
  #session = "";
  #number = 0;
  #topologies = new Map<string, TopologyFact>();
  /** The end of the last second that was told. */
  #now = 0;
  readonly #setBack = new SetBack();
  #savedAt = 0;
  /** Facts that were found out here since the last batch: written down with the next one. */
  #ownFacts: Fact[] = [];
  #incidents = new Map<string, Incident>();
  #documents = new Map<string, Document>();

  constructor(parts: ControlLoopParts) {
    this.#parts = parts;
    this.#engine = parts.createEngine();
    this.#companions = parts.companions({
      fact: (fact) => this.#stepOwn(fact),
      news: (news) => parts.send({ kind: "news", news }),
      keep: (document) => this.#keep(document),
      kept: (kind) => this.#kept(kind),
      tell: (code, detail) => parts.send({ kind: "told", code, detail }),
      ask: (question) => this.#engine.answer(question),
      incident: (id) => this.#incidentOf(id),
      history: (limit) => this.#history({ ask: "incidents", limit }),
    });
  }

  restore(isWanted: boolean): void {
    const { store, send } = this.#parts;
    if (store === null) return;
    for (const { id, body } of store.documents(TOPOLOGY)) this.#topologies.set(id, body as TopologyFact);
    const memory = store.read();
    this.#session = memory.session;
    this.#number = memory.number;
    this.#savedAt = memory.savedAt;
    if (!isWanted) {
      send({
        kind: "told",
        code: "control.fresh",
        detail:
          "it ended several times soon after its start, so it begins without what it was thinking; incidents of before are kept",
      });
      this.#endTheUnseen(store);
      return;
    }
    try {
      if (memory.saved !== null) this.#engine.restore(memory.saved, memory.rows);
    } catch (error) {
      this.#parts.onFault(error);
      this.#engine = this.#parts.createEngine();
      send({
        kind: "told",
        code: "control.not-restored",
        detail: "what it was thinking could not be read back, so it begins anew; incidents of before are kept",
      });
      this.#endTheUnseen(store);
      return;
    }
    this.#engine.recall(store.incidentsSince(memory.savedAt - LATE_MS));
    for (const { facts } of memory.batches) for (const fact of facts) this.#step(fact, true);
    this.#engine.recall([]);
    // What these facts led to was told and written down when they came; unless it is seen in another way now.
    this.#incidents.clear();
    this.#guarded(() => {
      for (const incident of this.#engine.answer({ ask: "incidents" })) {
        if (store.incident(incident.id)?.state !== incident.state) this.#incidents.set(incident.id, incident);
      }
    });
    this.#endTheUnseen(store);
  }

  /** What was open and is not known any more would stay open for ever. */
  #endTheUnseen(store: ControlStore): void {
    this.#guarded(() => {
      for (const incident of store.incidentsSince(Number.MAX_SAFE_INTEGER))
        if (this.#engine.answer({ ask: "incident", id: incident.id }) === null)
          this.#incidents.set(incident.id, notSeenAgain(incident));
    });
  }

  receive(message: LoopMessage): void {
    switch (message.kind) {
      case "facts":
        this.#take(message.batch);
        return;
      case "traces":
        for (const companion of this.#companions) {
          this.#guarded(() => companion.trace?.(message.records, message.leftOut));
        }
        return;
      case "ask":
        this.#answer(message.number, message.question);
        return;
      case "watched":
        this.#isWatched = message.on;
    }
  }

  async close(): Promise<void> {
    const isSaved = !this.#hasOpenIncidents();
    for (const companion of this.#companions) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- One after the other, as they may tell each other last things.
        await companion.close?.();
      } catch (error) {
        this.#parts.onFault(error);
      }
    }
    this.#write(null, isSaved ? this.#save() : null);
    this.#parts.store?.close();
  }

  // ------------------------------------------------------------------ facts

  #take(batch: FactBatch): void {
    const { session, number } = batch;
    const isKnown = session === this.#session && number !== 0 && number <= this.#number;
    if (!isKnown) {
      for (const fact of batch.facts) this.#step(fact, false);
      // The topology comes with each life again and is no batch of its own.
      if (number !== 0) {
        this.#session = session;
        this.#number = number;
        const isDue = this.#isSaveDue();
        if (isDue) this.#savedAt = this.#now;
        this.#write(batch, isDue ? this.#save() : null);
        if (this.#isWatched) this.#pulse(this.#now);
      }
    }
    this.#parts.send({ kind: "took", number });
  }

  #step(fact: Fact, isReplay: boolean): void {
    if (fact.kind === "topology" && !isReplay) this.#compare(fact);
    const outputs = this.#outputsOf(() => this.#engine.step(fact));
    if (fact.kind === "second") {
      this.#passTo(fact);
      outputs.push(...this.#outputsOf(() => this.#engine.tick(this.#now)));
    }
    this.#guarded(() => this.#conclude(fact, outputs, isReplay));
  }

  /** Its second is over. */
  #passTo(fact: SecondFact): void {
    const end = fact.at + fact.lengthMs;
    this.#now = this.#setBack.heed(fact.at) > 0 ? end : Math.max(this.#now, end);
    // Also when it was saved by a clock that was set back since.
    if (this.#savedAt === 0 || this.#savedAt > this.#now) this.#savedAt = this.#now;
  }

  #stepOwn(fact: Fact): void {
    this.#ownFacts.push(fact);
    this.#step(fact, false);
  }

  /** What it serves by may have changed while nobody was here to be told. */
  #compare(fact: TopologyFact): void {
    const teller = `${fact.node}/${fact.worker}`;
    const before = this.#topologies.get(teller);
    this.#topologies.set(teller, fact);
    this.#keep({ kind: TOPOLOGY, id: teller, at: fact.at, until: fact.at + TOPOLOGY_MS, body: fact });
    if (before !== undefined) for (const change of changesBetween(before, fact)) this.#stepOwn(change);
  }

  /** What one half concludes is told also when the other fails. */
  #outputsOf(run: () => readonly Output[]): Output[] {
    const outputs: Output[] = [];
    this.#guarded(() => void outputs.push(...run()));
    return outputs;
  }

  #conclude(fact: Fact, outputs: readonly Output[], isReplay: boolean): void {
    for (const told of outputs) {
      const output = told.kind === "incident" ? { ...told, incident: this.#amended(told.incident) } : told;
      if (output.kind === "incident") this.#incidents.set(output.incident.id, output.incident);
      if (output.kind !== "wish" && !isReplay) this.#parts.send({ kind: "news", news: output });
    }
    for (const companion of this.#companions) this.#guarded(() => companion.hear?.(fact, outputs, isReplay));
  }

  #pulse(at: number): void {
    this.#guarded(() => {
      const services = this.#engine.answer({ ask: "health" });
      this.#parts.send({ kind: "news", news: { kind: "pulse", at, services } });
    });
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#parts.onFault(error);
    }
  }

  // ------------------------------------------------------------------ what is kept

  #save(): unknown {
    try {
      return this.#engine.save();
    } catch (error) {
      this.#parts.onFault(error);
      return null;
    }
  }

  #isSaveDue(): boolean {
    const passedMs = this.#now - this.#savedAt;
    if (passedMs < SAVE_EVERY_MS) return false;
    const isUrgent = passedMs >= UNSAVED_MAX_MS || this.#parts.store?.state().isSaveUrgent === true;
    return isUrgent || !this.#hasOpenIncidents();
  }

  #hasOpenIncidents(): boolean {
    try {
      return this.#engine.answer({ ask: "incidents", state: "open", limit: 1 }).length > 0;
    } catch (error) {
      this.#parts.onFault(error);
      return false;
    }
  }

  #write(batch: FactBatch | null, saved: unknown): void {
    const { store } = this.#parts;
    let rows: ControlWriting["rows"] = [];
    this.#guarded(() => {
      rows = this.#engine.takeRows(this.#now);
    });
    const incidents = [...this.#incidents.values()];
    const documents = [...this.#documents.values()];
    const facts = [...this.#ownFacts, ...(batch?.facts ?? [])];
    this.#incidents.clear();
    this.#ownFacts = [];
    if (store === null) return;
    this.#documents.clear();
    const written = facts.length === 0 ? null : { session: this.#session, number: this.#number, facts };
    store.write({ batch: written, rows, incidents, documents, saved, at: this.#now });
  }

  #keep(document: Document): void {
    this.#documents.set(`${document.kind}\n${document.id}`, document);
  }

  #kept(kind: string): readonly Document[] {
    const written = this.#parts.store?.documents(kind) ?? [];
    const waiting = [...this.#documents.values()].filter((document) => document.kind === kind);
    const newer = new Set(waiting.map(({ id }) => id));
    return [...written.filter(({ id }) => !newer.has(id)), ...waiting.filter(({ body }) => body !== null)];
  }

  // ------------------------------------------------------------------ questions

  #answer(number: number, question: Question): void {
    const done = (answer: Answers[Question["ask"]] | NotAnswered): void =>
      this.#parts.send({ kind: "answer", number, answer });
    try {
      for (const companion of this.#companions) if (companion.answer?.(question, done) === true) return;
      done(this.#engineAnswer(question));
    } catch (error) {
      this.#parts.onFault(error);
      done({ unanswered: "failed", because: "a fault in the control process; its log says more" });
    }
  }

  #engineAnswer(question: Question): Answers[Question["ask"]] | NotAnswered {
    switch (question.ask) {
      case "incident": {
        const incident = this.#incidentOf(question.id);
        return incident === null ? null : this.#amended(incident);
      }
      case "incidents":
        return this.#history(question);
      case "act":
        return this.#act(question);
      case "health":
      case "series":
        return this.#engine.answer(question);
      case "forecasts":
      case "probes":
        return [];
      case "alerts":
        return { silences: [], sinks: [], sent: [] };
      case "probe":
      case "silence":
      case "unsilence":
      case "test alert":
        return { refused: "this gateway cannot do that" };
    }
  }

  #history(question: Extract<Question, { ask: "incidents" }>): readonly Incident[] {
    const { store } = this.#parts;
    const known = this.#engine.answer(question);
    const limit = question.limit ?? CLOSED_LIMIT;
    const ids = new Set(known.map(({ id }) => id));
    const isKnownOnly = question.state === "open" || store === null;
    const older = isKnownOnly ? [] : store.closedIncidents(limit).filter(({ id }) => !ids.has(id));
    return [...known, ...older].slice(0, limit).map((incident) => this.#amended(incident));
  }

  #incidentOf(id: string): Incident | null {
    const known = this.#engine.answer({ ask: "incident", id });
    return known ?? this.#incidents.get(id) ?? this.#parts.store?.incident(id) ?? null;
  }

  #amended(incident: Incident): Incident {
    return this.#companions.reduce((known, companion) => companion.amend?.(known) ?? known, incident);
  }

  #act(question: Extract<Question, { ask: "act" }>): Answers["act"] {
    const answer = this.#engine.answer(question);
    if (answer.refused === "") this.#stepOwn(question.fact);
    return answer;
  }
}
