import { describe, expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { sampleSecond } from "../../test/support/sample-facts.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import type { AlertMessage, AlertSink, SendResult } from "../contract/alerts.ts";
import type { Answers, Question } from "../contract/control-port.ts";
import type { Document } from "../contract/control-store.ts";
import type { Incident } from "../contract/incident.ts";
import type { AlertSettings } from "../config/settings.ts";
import { createAlertDesk } from "./alert-desk.ts";
import type { Companion, LoopHands } from "./control-loop.ts";

const OK: SendResult = { ok: true, detail: "status 200" };
const DOWN: SendResult = { ok: false, isWorthRepeating: true, detail: "ECONNREFUSED", retryAfterMs: 0 };
const GONE: SendResult = { ok: false, isWorthRepeating: false, detail: "status 404", retryAfterMs: 0 };

interface Heard {
  readonly sink: string;
  readonly message: AlertMessage;
}

function settings(names: readonly string[]): AlertSettings {
  return {
    sinks: names.map((name) => ({ name, kind: "slack", url: { from: "env", name: "URL" } })),
    routes: [
      {
        name: "all",
        match: {},
        to: [names[0] ?? ""],
        waitMs: 0,
        repeatMs: 0,
        quiet: null,
        escalate: [],
        goesOn: false,
      },
    ],
  };
}

/** A desk, its sinks and a store that outlives it. */
function scene(names: readonly string[] = ["mail", "chat"]) {
  const time = manualSchedule();
  const heard: Heard[] = [];
  const answers = new Map<string, SendResult>();
  const documents = new Map<string, Document>();
  const incidents = new Map<string, Incident>();
  const told: string[] = [];
  const hands: LoopHands = {
    fact: () => undefined,
    news: () => undefined,
    keep(document) {
      // As the store does: only what can be written down survives.
      const copy = JSON.parse(JSON.stringify(document)) as Document;
      if (copy.body === null) documents.delete(`${copy.kind}/${copy.id}`);
      else documents.set(`${copy.kind}/${copy.id}`, copy);
    },
    kept: (kind) => [...documents.values()].filter((document) => document.kind === kind),
    tell: (code) => told.push(code),
    ask: ((question: Question) =>
      question.ask === "incidents"
        ? [...incidents.values()].filter(({ state }) => state === "open")
        : ["shop", "mail"].map((service) => ({ service }))) as never,
    incident: (id) => incidents.get(id) ?? null,
    history: () => [...incidents.values()],
  };
  const sinks = names.map((name): AlertSink => ({
    name,
    kind: "slack",
    send(message) {
      heard.push({ sink: name, message });
      return Promise.resolve(answers.get(name) ?? OK);
    },
  }));
  const open = (): Companion =>
    createAlertDesk({
      settings: settings(names),
      sinks,
      hands,
      node: "gate-1",
      clock: time.clock,
      schedule: time.schedule,
      chance: () => 0.5,
    });
  let desk = open();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return {
    time,
    heard,
    answers,
    told,
    texts: () => heard.map(({ sink, message }) => `${sink}: ${message.headline}`),
    restart() {
      void desk.close?.();
      desk = open();
    },
    amend: (incident: Incident) => desk.amend?.(incident),
    async incident(changes: Partial<Incident> = {}, isReplay = false) {
      const incident = sampleIncident(changes);
      if (!isReplay) incidents.set(incident.id, incident);
      desk.hear?.(sampleSecond(0), [{ kind: "incident", incident }], isReplay);
      await settle();
    },
    /** While nobody listens. */
    unheard(changes: Partial<Incident>) {
      const incident = sampleIncident(changes);
      incidents.set(incident.id, incident);
    },
    async second(ms = 1_000) {
      time.advance(ms);
      await settle();
      desk.hear?.(sampleSecond(0), [], false);
      await settle();
    },
    async ask<Q extends Question>(question: Q): Promise<Answers[Q["ask"]]> {
      let answer: unknown;
      desk.answer?.(question, (given) => {
        answer = given;
      });
      await settle();
      return answer as Answers[Q["ask"]];
    },
  };
}

describe("alerts in the control process", () => {
  it("tells of an incident and of its end, with how long and how bad it was, and the incident says who was told", async () => {
    const desk = scene();
    await desk.incident();
    await desk.incident({ state: "closed", recoveredAt: sampleIncident().firstFailureAt + 65_000 });
    expect(desk.texts()).toEqual([
      "mail: [critical] Pool aws of shop refuses connections",
      "mail: Over after 1 min 5 s: Pool aws of shop refuses connections",
    ]);
    expect(desk.heard[1]?.message.text).toBe(
      "It lasted 1 min 5 s, from 2026-01-15 12:00:00 UTC to 2026-01-15 12:01:05 UTC. 3 failed and 117 rescued of 1500 exchanges. It spent 0.1 % of the error budget of shop.",
    );
    expect(desk.amend(sampleIncident())?.told.map(({ to, text }) => `${to}: ${text}`)).toEqual([
      "mail: that it began",
      "mail: that it is over",
    ]);
    const { sent, sinks } = await desk.ask({ ask: "alerts" });
    expect(sent.map(({ outcome }) => outcome)).toEqual(["delivered", "delivered"]);
    expect(sinks.map(({ state }) => state)).toEqual(["ok", "unused"]);
  });

  it("shows a sink whose first message has not arrived yet as waiting, and not as one that nobody used", async () => {
    const desk = scene();
    desk.answers.set("mail", DOWN);
    await desk.incident();
    const { sinks } = await desk.ask({ ask: "alerts" });
    expect(sinks[0]).toMatchObject({ name: "mail", state: "waiting" });
    expect(sinks[1]).toMatchObject({ state: "unused", because: "nothing was sent since the start" });
  });

  it("tries again with growing pauses, alarms through another sink, and says when the sink works again", async () => {
    const desk = scene();
    desk.answers.set("mail", DOWN);
    await desk.incident();
    for (let n = 0; n < 8; n += 1) await desk.second();
    expect(desk.texts().filter((text) => text.startsWith("mail"))).toHaveLength(3);
    expect(desk.texts()).toContain("chat: [warning] Messages do not reach sink mail");
    const failing = (await desk.ask({ ask: "alerts" })).sinks[0];
    expect(failing).toMatchObject({ state: "failing", because: "ECONNREFUSED; 1 waiting" });
    desk.answers.set("mail", OK);
    await desk.second(300_000);
    expect(desk.texts().at(-1)).toMatch(/^chat: Over after .*: sink mail fails$/);
    expect(desk.told).toEqual(["alerts.sink-failing", "alerts.sink-works"]);
    expect((await desk.ask({ ask: "alerts" })).sent.find(({ sink }) => sink === "mail")?.outcome).toBe("delivered");
  });

  it("does not repeat what would fail again, and says so", async () => {
    const desk = scene();
    desk.answers.set("mail", GONE);
    await desk.incident();
    await desk.second(600_000);
    expect(desk.texts().filter((text) => text.startsWith("mail"))).toHaveLength(1);
    expect((await desk.ask({ ask: "alerts" })).sent.some(({ outcome }) => outcome === "failed")).toBe(true);
    expect(desk.told).toContain("alerts.failed");
  });

  it("tells who could not be told of the trouble only of its end, which says both", async () => {
    const desk = scene();
    desk.answers.set("mail", DOWN);
    await desk.incident();
    await desk.incident({ state: "closed" });
    desk.answers.set("mail", OK);
    await desk.second(600_000);
    const delivered = (await desk.ask({ ask: "alerts" })).sent.filter(({ outcome }) => outcome === "delivered");
    expect(delivered.filter(({ sink }) => sink === "mail").map(({ what }) => what)).toEqual(["recovered"]);
  });

  it("after a restart nobody hears twice, what waited is sent, and what ended meanwhile is told", async () => {
    const desk = scene();
    await desk.incident();
    desk.answers.set("mail", DOWN);
    await desk.incident({ id: "inc-2" });
    desk.heard.length = 0;
    desk.answers.set("mail", OK);
    desk.unheard({ state: "closed" });
    desk.restart();
    await desk.second();
    await desk.second();
    expect(desk.heard.map(({ message }) => `${message.what} ${message.incident}`)).toEqual([
      "open inc-2",
      `recovered ${sampleIncident().id}`,
    ]);
  });

  it("a silence keeps the telling back over a restart, has an owner, and can be ended", async () => {
    const desk = scene();
    const until = desk.time.clock.wall() + 3_600_000;
    const where = { service: "shop" };
    const made = await desk.ask({ ask: "silence", silence: { where, by: "ada", reason: "moving", until } });
    if (!("id" in made)) throw new Error(made.refused);
    desk.restart();
    await desk.incident();
    await desk.second();
    expect(desk.heard).toEqual([]);
    const view = await desk.ask({ ask: "alerts" });
    expect(view.silences).toMatchObject([{ by: "ada", reason: "moving" }]);
    expect(view.sent[0]).toMatchObject({ outcome: "silenced", detail: "ada: moving" });
    expect(await desk.ask({ ask: "unsilence", id: made.id, by: "ada" })).toEqual({ refused: "" });
    await desk.second();
    expect(desk.heard.map(({ message }) => message.what)).toEqual(["open"]);
    expect((await desk.ask({ ask: "unsilence", id: made.id, by: "ada" })).refused).not.toBe("");
    const past = await desk.ask({ ask: "silence", silence: { where, by: "ada", reason: "late", until: 1 } });
    expect(past).toEqual({ refused: "its end is not ahead" });
  });

  it("a silence about what no incident has is refused, with what was meant", async () => {
    const desk = scene();
    const until = desk.time.clock.wall() + 3_600_000;
    const ask = (name: string): Promise<unknown> =>
      desk.ask({ ask: "silence", silence: { where: { [name]: "shop" }, by: "ada", reason: "moving", until } });
    expect(await ask("sevice")).toEqual({ refused: 'incidents have no "sevice"; did you mean "service"?' });
    expect(await ask("colour")).toEqual({
      refused: expect.stringMatching(/^incidents have no "colour", but incident, service, /) as string,
    });
    const where = { service: "shp" };
    expect(await desk.ask({ ask: "silence", silence: { where, by: "ada", reason: "moving", until } })).toEqual({
      refused: 'there is no service "shp"; did you mean "shop"?',
    });
    expect(await ask("zone")).toMatchObject({ id: expect.any(String) as string });
  });

  it("tests a sink with a marked message and tells how that went; an unknown one is refused with what there is", async () => {
    const desk = scene();
    desk.answers.set("chat", GONE);
    expect(await desk.ask({ ask: "test alert", sink: "", by: "ada" })).toEqual({
      tested: [
        { sink: "mail", outcome: "delivered", detail: "status 200" },
        { sink: "chat", outcome: "failed", detail: "status 404" },
      ],
    });
    expect(desk.heard.every(({ message }) => message.isTest && message.headline.startsWith("Test of sink"))).toBe(true);
    expect(await desk.ask({ ask: "test alert", sink: "pager", by: "ada" })).toEqual({
      refused: "there is no such sink; there is: mail, chat",
    });
  });

  it("what is replayed was told before", async () => {
    const desk = scene();
    await desk.incident({}, true);
    await desk.second(0);
    expect(desk.heard).toEqual([]);
  });
});
