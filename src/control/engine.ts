/**
 * The engine of incidents: from facts to incidents, and to nothing else. It is deterministic (the same facts in the same order give
 * the same incidents, byte by byte), reads no clock (time is what facts say it is) and holds a bounded amount of memory,
 * whatever happens. `goodgate replay` runs the same engine over recorded facts.
 *
 * Each second of facts goes three ways: into figures over time (rollup.ts), past the watches that notice what is unusual (watches.ts), and into
 * the cases of the incidents that are open (case.ts), from which the diagnosis draws its conclusions (diagnosis.ts).
 */
import type { Answers } from "../contract/control-port.ts";
import type { Fact, SecondFact, TopologyFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { SeriesRow, ServiceHealth } from "../contract/series.ts";
import { burnOf, countInBudget, createBudgetBook } from "./burn-rate.ts";
import type { BudgetBook, Burn } from "./burn-rate.ts";
import type { Engine, EngineQuestion, Output, Wish } from "./engine-port.ts";
import { IncidentBook } from "./incident-book.ts";
import { Rollup } from "./rollup.ts";
import { SetBack } from "./set-back.ts";
import { answerSeries } from "./series-answer.ts";
import { Glances } from "./service-health.ts";
import type { Anomaly } from "./anomaly.ts";
import type { SavedWatches } from "./watches.ts";
import { exchangesOf } from "./fact-sums.ts";
import { Watches } from "./watches.ts";
import { wishesOf } from "./wishes.ts";

export interface EngineOptions {
  /** False: no figures over time are kept, for replays that ask for incidents only. */
  readonly keepsFigures?: boolean;
}

interface Saved {
  readonly version: 1;
  readonly topology: TopologyFact["services"];
  readonly watches: SavedWatches;
  readonly budgets: readonly (readonly [string, BudgetBook])[];
  readonly incidents: readonly Incident[];
  readonly ids: number;
}

const BURN_EVERY_MS = 10_000;
const INCIDENTS_SAVED = 200;
const WISH_EVERY_MS = 60_000;
const NO_OUTPUT: readonly Output[] = [];

export function createEngine(options: EngineOptions = {}): Engine {
  const watches = new Watches();
  const book = new IncidentBook(watches);
  const rollup = new Rollup();
  const glances = new Glances();
  const budgets = new Map<string, BudgetBook>();
  /** What burns a budget and no incident tells of, and which budgets burn so fast that somebody has to be woken. */
  const burns = new Map<string, { burn: Burn; since: number }>();
  const pages = new Map<string, string>();
  const wished = new Map<string, number>();
  const keepsFigures = options.keepsFigures !== false;
  /** Facts of the second under way: several tellers tell the same one. */
  let pending: SecondFact[] = [];
  let pendingSecond = -1;
  let now = 0;
  let burntAt = 0;
  const setBack = new SetBack();

  function look(): Output[] {
    const facts = pending;
    const [first] = facts;
    pending = [];
    if (first === undefined) return [];
    const at = pendingSecond * 1000;
    now = Math.max(now, at + 1000);
    if (keepsFigures) {
      for (const fact of facts) rollup.add(fact);
      glances.add(facts, at);
    }
    watches.look(facts, at, (service) => book.learns(service, at));
    countBudgets(facts, at);
    const told = book.second(facts, at + 1000, budgetAnomalies(), pages);
    return [...told.map((incident): Output => ({ kind: "incident", incident })), ...wishes(told)];
  }

  function countBudgets(facts: readonly SecondFact[], at: number): void {
    for (const fact of facts) {
      for (const row of fact.traffic) {
        if (row.service === "" || row.byOutcome === undefined) continue;
        let budget = budgets.get(row.service);
        if (budget === undefined) {
          budget = createBudgetBook();
          budgets.set(row.service, budget);
        }
        // What clients broke off or were refused for is their own affair and no part of an objective.
        const { refused, aborted, failed } = row.byOutcome;
        countInBudget(budget, at, failed, exchangesOf(row) - refused - aborted, book.tellsOf(row.service));
      }
    }
    if (at - burntAt < BURN_EVERY_MS) return;
    burntAt = at;
    for (const service of burns.keys())
      if (!book.topology.some(({ name, objective }) => name === service && objective !== null)) burns.delete(service);
    pages.clear();
    for (const { name, objective } of book.topology) {
      const budget = budgets.get(name);
      if (objective === null || budget === undefined) continue;
      const all = burnOf(budget, at, 1 - objective.availability);
      if (all.page) pages.set(name, all.rule);
      const burn = burnOf(budget, at, 1 - objective.availability, true);
      if (!burn.page && !burn.ticket) burns.delete(name);
      else burns.set(name, { burn, since: burns.get(name)?.since ?? at });
    }
  }

  function budgetAnomalies(): Anomaly[] {
    return [...burns].map(([service, { burn, since }]) => ({
      key: `budget\n${service}`,
      kind: "budget",
      service,
      where: { rule: burn.rule },
      since,
    }));
  }

  /** What would tell the likeliest hypotheses apart: the ladder, at the origins concerned. */
  function wishes(told: readonly Incident[]): Wish[] {
    const list: Wish[] = [];
    for (const incident of told) {
      if (incident.state !== "open") continue;
      for (const wish of wishesOf(incident, book.topology)) {
        const key = `${wish.service}\n${wish.origin}`;
        if (now - (wished.get(key) ?? 0) < WISH_EVERY_MS) continue;
        wished.set(key, now);
        list.push(wish);
      }
    }
    if (wished.size > WISHED_MAX) wished.clear();
    return list;
  }

  /** Time began anew at `second`: what was noted for later moments would wait for them. */
  function goBack(byMs: number, second: number): Incident[] {
    pendingSecond = second;
    now = second * 1000;
    burntAt = 0;
    for (const [service, { burn, since }] of burns) burns.set(service, { burn, since: since - byMs });
    wished.clear();
    rollup.goBack(second);
    glances.goBack();
    watches.goBack(byMs);
    return book.goBack(byMs);
  }

  function step(fact: Fact): readonly Output[] {
    switch (fact.kind) {
      case "second": {
        const second = Math.floor(fact.at / 1000);
        const backMs = setBack.heed(fact.at);
        const outputs = second > pendingSecond || backMs > 0 ? look() : [];
        if (backMs > 0) outputs.push(...told(goBack(backMs, second)));
        pendingSecond = Math.max(pendingSecond, second);
        pending.push(fact);
        return outputs;
      }
      case "event":
        now = Math.max(now, fact.at);
        return told(book.event(fact));
      case "change":
        return told(book.change(fact));
      case "probe":
        return told(book.probe(fact));
      case "person":
        return told(book.act(fact));
      case "topology":
        book.topology = fact.services;
        watches.forgetWhatLeft(fact.services);
        return NO_OUTPUT;
    }
  }

  function health(): ServiceHealth[] {
    const open = book.incidents("open", 50);
    return book.topology.map((service) =>
      glances.health(
        service,
        budgets.get(service.name),
        open.filter(
          ({ services, cause }) =>
            services.includes(service.name) ||
            // The gateway's own are everybody's, but for a worker whose siblings serve.
            (services.length === 0 && cause !== "gw.crash_loop"),
        ),
        watches.services.get(service.name)?.silence.alarm === true,
        watches.down(service.name),
        now,
      ),
    );
  }

  function answer<Q extends EngineQuestion>(question: Q): Answers[Q["ask"]];
  function answer(question: EngineQuestion): Answers[EngineQuestion["ask"]] {
    switch (question.ask) {
      case "incidents":
        return book.incidents(question.state, question.limit ?? 50);
      case "incident":
        return book.incident(question.id);
      case "act":
        return { refused: book.refusal(question.fact) };
      case "health":
        return health();
      case "series":
        return answerSeries(rollup, question.question);
    }
  }

  return {
    step,
    tick(time) {
      now = Math.max(now, time);
      // All that was told of a second is looked at when it is over.
      return pending.length > 0 && time >= (pendingSecond + 1) * 1000 ? look() : NO_OUTPUT;
    },
    answer,
    takeRows: (time): SeriesRow[] => rollup.takeClosed(time),
    save: (): Saved => ({
      version: 1,
      topology: book.topology,
      watches: watches.save(),
      budgets: [...budgets],
      incidents: book.incidents(undefined, INCIDENTS_SAVED).toReversed(),
      ids: book.ids,
    }),
    recall: (known) => book.recall(known),
    restore(saved, rows) {
      const { version, topology, watches: savedWatches, budgets: savedBudgets, incidents, ids } = saved as Saved; // Written by save(); what is not readable throws.
      if (version !== 1) throw new Error(`what was saved is of version ${String(version)}`);
      book.topology = topology;
      watches.restore(savedWatches);
      for (const [service, budget] of savedBudgets) budgets.set(service, budget);
      book.restore(
        incidents.map((incident) => afterRestart(incident)),
        ids,
      );
      rollup.putBack(rows);
    },
  };
}

const WISHED_MAX = 500;

/** What was open when the process ended: nobody knows how it went on. What goes on opens a new one within seconds. */
function afterRestart(incident: Incident): Incident {
  if (incident.state !== "open" && incident.state !== "recovering") return incident;
  const last = incident.timeline[incident.timeline.length - 1]?.at ?? incident.detectedAt;
  return {
    ...incident,
    state: "closed",
    closedAt: last,
    timeline: [
      ...incident.timeline,
      {
        at: last,
        kind: "closed",
        text: "The control plane was restarted; what went on after that is another incident.",
      },
    ],
  };
}

function told(incidents: readonly Incident[]): readonly Output[] {
  return incidents.length === 0 ? NO_OUTPUT : incidents.map((incident) => ({ kind: "incident", incident }));
}
