/** What an operator configures under `alerts`, by what arrives at whom and when, over restarts and kills. */
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { z } from "zod";
import { two } from "../../sim/corpus/places.ts";
import type { Fault } from "../../sim/corpus/model.ts";
import { SCENARIOS } from "../../sim/scenario-list.ts";
import { runScenario } from "../../sim/scenario.ts";
import { alertWorld, modelFacts, toldFacts } from "../../test/support/alert-world.ts";
import type { AlertWorld, Received } from "../../test/support/alert-world.ts";
import { pagerduty } from "../../test/support/pagerduty.ts";
import { slackChannel } from "../../test/support/slack-channel.ts";
import { startSmtpServer } from "../../test/support/smtp-server.ts";
import { postableAlerts, webhookMessage } from "../../test/support/sink-forms.ts";
import { createTestAuthority } from "../../test/support/test-authority.ts";

const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  for (const end of ended.splice(0)) await end();
});

async function worldOf(alerts: string, fault: Fault, lastsS: number): Promise<AlertWorld> {
  const world = await alertWorld({ alerts, facts: modelFacts(two(20), fault, lastsS) });
  ended.push(() => world.close());
  return world;
}

/** One of the origins refuses: nearly all is rescued, which is no more than a warning. */
const MILD: Fault = {
  attempt: ({ at }) => (at.origin === A1 ? { cause: "origin.refused", ms: 1 } : null),
  check: ({ origin }) => origin !== A1,
};
const A1 = "http://a1.shop-alpha.example:3000";

/** A provider is gone, for one service after the other. */
const GROWS: Fault = {
  attempt: ({ at, second }) =>
    at.provider === "alpha" && (at.service === "shop" || second > 5) ? { cause: "origin.refused", ms: 2 } : null,
  check: ({ provider, service }, second) => !(provider === "alpha" && (service === "shop" || second > 5)),
};

function webhooks(world: AlertWorld, path: string): readonly [at: number, what: string, headline: string][] {
  return of(world, path, webhookMessage).map(({ at, body: { type, data } }) => [
    at,
    type.replace("incident.", ""),
    data.headline,
  ]);
}

function of<Form extends z.ZodType>(world: AlertWorld, path: string, form: Form) {
  return world.received
    .filter((received) => received.path === path)
    .map((received) => ({ ...received, body: form.parse(JSON.parse(received.body)) }));
}

const hook = (name: string): string => `  ${name}: { webhook: { url: "RECEIVER/${name}" } }`;

describe("what is configured under alerts, from facts to receivers", () => {
  it("waits, repeats, keeps quiet hours, escalates and stops when somebody takes it, whatever is killed between", async () => {
    // The fault begins at 16:03:20 by the clock of the model. It is closed half a minute after it was mended.
    const world = await worldOf(
      `
sinks:
${["chat", "night", "duty", "second", "boss"].map(hook).join("\n")}
routes:
  - { match: {}, to: [chat], wait: 20s, repeat: 5m, goesOn: true }
  - { match: {}, to: [night], repeat: false, goesOn: true, quiet: { from: "16:00", to: "16:06", zone: UTC } }
  - match: {}
    to: [duty]
    repeat: false
    escalate: [{ after: 1m, to: [second] }, { after: 7m, to: [boss] }]
`,
      MILD,
      430,
    );
    await world.until(8);
    world.kill();
    await world.until(60);
    const [incident] = await world.ask({ ask: "incidents", state: "open" });
    if (incident === undefined) throw new Error("there is no incident");
    expect(incident.severity).toBe("warning");
    const detected = (incident.detectedAt - world.now()) / 1000 + 60;
    const whats = (path: string) => webhooks(world, path).map(([, what]) => what);
    const times = (path: string) => webhooks(world, path).map(([at]) => at);
    expect(whats("/chat")).toEqual(["opened"]);
    expect((times("/chat")[0] ?? 0) - detected).toBeGreaterThanOrEqual(19);
    expect((times("/chat")[0] ?? 0) - detected).toBeLessThanOrEqual(21);
    expect(whats("/duty")).toEqual(["opened"]);
    expect(whats("/night")).toEqual([]);
    const { sent } = await world.ask({ ask: "alerts" });
    expect(sent.filter(({ sink }) => sink === "night").map(({ outcome }) => outcome)).toEqual(["quiet hours"]);
    world.kill();
    // Quiet hours end at 160.
    await world.until(159);
    expect(whats("/night")).toEqual([]);
    await world.until(162);
    expect(whats("/night")).toEqual(["opened"]);
    expect(whats("/second")).toEqual(["escalated"]);
    expect((times("/second")[0] ?? 0) - detected).toBeGreaterThanOrEqual(60);
    expect(whats("/chat")).toEqual(["opened"]);
    await world.until(350);
    expect(whats("/chat")).toEqual(["opened", "repeated"]);
    expect((times("/chat")[1] ?? 0) - (times("/chat")[0] ?? 0)).toBeGreaterThanOrEqual(300);
    const act = {
      kind: "person",
      at: world.now(),
      by: "ada",
      incident: incident.id,
      act: { do: "acknowledge" },
    } as const;
    expect(await world.ask({ ask: "act", fact: act })).toEqual({ refused: "" });
    await world.until(351);
    world.kill();
    await world.until(430 + 50);
    // Who was told of the begin is told of the end, once; who never was is not.
    expect(whats("/chat")).toEqual(["opened", "repeated", "taken", "recovered"]);
    expect(whats("/night")).toEqual(["opened", "taken", "recovered"]);
    expect(whats("/duty")).toEqual(["opened", "taken", "recovered"]);
    expect(whats("/second")).toEqual(["escalated", "taken", "recovered"]);
    expect(whats("/boss")).toEqual([]);
    expect(webhooks(world, "/chat").at(-1)?.[2]).toMatch(/^Over after /);
    // The same message has the same id, so a receiver could drop it; none came twice.
    const ids = world.received.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("keeps quiet hours and escalates for what the real gateway saw, by the clock that it was under", async () => {
    const flapping = SCENARIOS.find(({ name }) => name === "flapping");
    if (flapping === undefined) throw new Error("there is no such scenario");
    const { world: seen } = await runScenario(flapping, { seed: 1, tellsFacts: true });
    const world = await alertWorld({
      alerts: `
sinks:
${["tokyo", "night", "duty", "boss"].map(hook).join("\n")}
routes:
  - { match: {}, to: [tokyo], wait: 0s, goesOn: true, quiet: { from: "08:30", to: "09:32", zone: Asia/Tokyo } }
  - { match: {}, to: [night], wait: 0s, repeat: false, goesOn: true, quiet: { from: "23:00", to: "00:01", zone: UTC } }
  - { match: {}, to: [duty], wait: 0s, repeat: false, escalate: [{ after: 1m, to: [boss] }] }
`,
      facts: toldFacts(seen.facts, 0),
    });
    ended.push(() => world.close());
    // It begins at midnight in London, which is nine o'clock in Tokyo.
    await world.until(40);
    const [incident] = await world.ask({ ask: "incidents", state: "open" });
    if (incident === undefined) throw new Error("there is no incident");
    expect(incident).toMatchObject({ severity: "warning", party: "provider" });
    expect(world.received.map(({ path }) => path)).toEqual(["/duty"]);
    world.kill();
    await world.until(58);
    expect(world.received.map(({ path }) => path)).toEqual(["/duty"]);
    await world.until(62);
    expect(webhooks(world, "/night").map(([, what]) => what)).toEqual(["opened"]);
    world.kill();
    await world.until(120);
    expect(world.received.map(({ path }) => path)).toEqual(["/duty", "/night", "/boss"]);
    const [[at, what] = [0, ""]] = webhooks(world, "/boss");
    expect(what).toBe("escalated");
    expect(at * 1000).toBeGreaterThanOrEqual(incident.detectedAt + 60_000 - MIDNIGHT_MS);
    expect(at * 1000).toBeLessThanOrEqual(incident.detectedAt + 62_000 - MIDNIGHT_MS);
  });

  it("one disturbance of two services is one message to each, in a form that each takes; silences hold it and end", async () => {
    vi.stubEnv("GOODGATE_TEST_HOOK", SECRET);
    vi.stubEnv("GOODGATE_TEST_KEY", "0123456789abcdef0123456789abcdef");
    const world = await worldOf(
      `
sinks:
  hook: { webhook: { url: "RECEIVER/hook", secret: { env: GOODGATE_TEST_HOOK } } }
  chat: { slack: { url: "RECEIVER/chat" } }
  pager: { pagerduty: { url: "RECEIVER/pager", key: { env: GOODGATE_TEST_KEY } } }
  prom: { alertmanager: { url: "RECEIVER" } }
routes:
  - { wait: 0s, repeat: false, quiet: { from: "00:00", to: "00:00" } }
`,
      GROWS,
      60,
    );
    const pager = pagerduty();
    const chat = slackChannel();
    world.answers.set("/pager", pager.answer).set("/chat", chat.answer);
    await world.until(-5);
    const until = world.now() + 9_000;
    const silence = { where: { service: "shop" }, by: "ada", reason: "moving house", until };
    expect(await world.ask({ ask: "silence", silence })).toHaveProperty("id");
    await world.until(2);
    world.kill();
    await world.until(3);
    expect(world.received).toEqual([]);
    const { silences, sent } = await world.ask({ ask: "alerts" });
    expect(silences).toMatchObject([{ by: "ada", reason: "moving house", until }]);
    expect(sent.map(({ outcome, detail }) => `${outcome}, ${detail}`)).toEqual(
      Array.from({ length: 4 }, () => "silenced, ada: moving house"),
    );
    // It ends at 4; quiet hours are not for what is critical.
    await world.until(5);
    expect(new Set(world.received.map(({ path }) => path))).toEqual(
      new Set(["/hook", "/chat", "/pager", "/api/v2/alerts"]),
    );
    world.kill();
    await world.until(30);
    const [open] = await world.ask({ ask: "incidents", state: "open" });
    const taken = { kind: "person", at: world.now(), by: "ada", incident: open?.id ?? "" } as const;
    expect(await world.ask({ ask: "act", fact: { ...taken, act: { do: "acknowledge" } } })).toEqual({ refused: "" });
    await world.until(33);
    expect([...pager.alerts.values()].map(({ state }) => state)).toEqual(["acknowledged"]);
    world.kill();
    await world.until(70);
    // What is over is told in any silence.
    const long = { where: { severity: "critical" }, by: "bob", reason: "asleep", until: world.now() + 86_400_000 };
    expect(await world.ask({ ask: "silence", silence: long })).toHaveProperty("id");
    await world.until(390);
    const [incident, ...others] = await world.ask({ ask: "incidents" });
    expect(others).toEqual([]);
    expect(incident).toMatchObject({ state: "closed", severity: "critical", services: ["mail", "shop"] });

    const hooks = of(world, "/hook", webhookMessage);
    const kinds = hooks.map(({ body }) => body.type);
    expect(kinds.filter((kind) => kind !== "incident.updated")).toEqual([
      "incident.opened",
      "incident.taken",
      "incident.recovered",
    ]);
    expect(hooks.find(({ body }) => body.type === "incident.taken")?.body.data.headline).toMatch(
      /^ada has seen it: \[critical\] /,
    );
    for (const { headers, at, body } of hooks) {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(body.timestamp) });
      expect(new Webhook(SECRET).verify(rawBody(world, "/hook", at), headers)).toMatchObject(body);
    }
    vi.useRealTimers();
    // One alert there: one call, taken and resolved with it, and nothing about what is not open.
    expect([...pager.alerts.values()]).toMatchObject([{ state: "resolved", severity: "critical" }]);
    const [alert] = pager.alerts.values();
    expect(alert?.actions.filter((action) => action !== "trigger")).toEqual(["acknowledge", "resolve"]);
    expect([pager.calls, pager.refused, pager.ignored]).toEqual([1, [], []]);
    expect(chat.refused).toEqual([]);
    expect(chat.messages.length).toBe(hooks.length);
    // It grew: one alert all the same, and its end is the end of that.
    const alerts = of(world, "/api/v2/alerts", postableAlerts).flatMap(({ body }) => body);
    expect(new Set(alerts.map(({ labels }) => JSON.stringify(labels))).size).toBe(1);
    expect(alerts.at(-1)?.annotations?.["services"]).toBe("mail,shop");
    expect(Date.parse(alerts.at(-1)?.endsAt ?? "")).toBeLessThan(world.now());
  });

  it("a sink that fails is tried again, shown, alarmed through the others, and gets each message once when it works", async () => {
    const authority = createTestAuthority();
    ended.push(() => authority.close());
    const account = { user: "gate", password: "right", by: "PLAIN" } as const;
    const mail = await startSmtpServer({ tls: { ...authority.issue(), from: "STARTTLS" }, account });
    ended.push(() => mail.close());
    vi.stubEnv("GOODGATE_TEST_MAIL", "wrong");
    const world = await worldOf(
      `
sinks:
${hook("chat")}
${hook("late")}
  mail:
    email:
      server: "smtp://127.0.0.1:${mail.port}"
      from: gate@example.com
      to: [ops@example.com]
      user: gate
      password: { env: GOODGATE_TEST_MAIL }
      ca: ${authority.caFile}
routes:
  - { match: {}, repeat: false, wait: 0s }
`,
      MILD,
      60,
    );
    world.answers.set("/late", () => ({ status: 503 }));
    await world.until(30);
    const view = await world.ask({ ask: "alerts" });
    const sinks = Object.fromEntries(view.sinks.map(({ name, state, because }) => [name, `${state}: ${because}`]));
    expect(sinks["chat"]).toMatch(/^ok/);
    expect(sinks["late"]).toMatch(/^failing: status 503; \d waiting$/);
    expect(sinks["mail"]).toMatch(/^failing: .*535 5\.7\.8 wrong name or password.*; \d waiting$/);
    const alarms = webhooks(world, "/chat").map(([, , headline]) => headline);
    expect(alarms).toContain("[warning] Messages do not reach sink mail");
    expect(alarms).toContain("[warning] Messages do not reach sink late");
    expect(world.told.filter((code) => code === "alerts.sink-failing")).toHaveLength(2);
    world.kill();
    vi.stubEnv("GOODGATE_TEST_MAIL", "right");
    world.answers.clear();
    const taken = world.received.filter(({ path }) => path === "/late").length;
    await world.until(40);
    const late = world.received.filter(({ path }) => path === "/late").slice(taken);
    expect(late.map(({ body }) => webhookMessage.parse(JSON.parse(body)).type)).toContain("incident.opened");
    expect(new Set(late.map(({ headers }) => headers["webhook-id"])).size).toBe(late.length);
    const subjects = mail.mails.map(({ data }) => /^Subject: (.*)$/m.exec(data)?.[1] ?? "");
    // It is told at once, when it may not be more than a notice yet.
    expect(subjects.filter((subject) => /^\[\w+\] http:\/\/a1/.test(subject))).toHaveLength(1);
    expect(mail.mails.every(({ by, isEncrypted }) => by === "gate by PLAIN" && isEncrypted)).toBe(true);
    const after = await world.ask({ ask: "alerts" });
    expect(after.sinks.filter(({ state }) => state === "failing")).toEqual([]);
    // That it failed was told before the process was killed, so its end is told, of the same trouble.
    const ends = of(world, "/chat", webhookMessage).filter(({ body }) => body.data.headline.startsWith("Over after"));
    expect(ends.map(({ body }) => body.data.headline)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/: sink mail fails$/),
        expect.stringMatching(/: sink late fails$/),
      ]),
    );
    const threads = (headline: string) =>
      of(world, "/chat", webhookMessage)
        .filter(({ body }) => body.data.headline.includes(headline))
        .map(({ body }) => body.data.incident);
    expect(threads("sink mail fails")).toEqual(threads("do not reach sink mail"));
    expect(after.sent.filter(({ outcome }) => outcome === "waiting")).toEqual([]);
  });

  it("who was told by a route that is taken out of the file is told of the end all the same", async () => {
    const sinks = `sinks:\n${["chat", "duty"].map(hook).join("\n")}\n`;
    const before = `${sinks}routes:\n  - { name: all, match: {}, to: [chat, duty] }\n`;
    const world = await worldOf(before, MILD, 40);
    await world.until(30);
    world.kill(`${sinks}routes:\n  - { name: other, match: {}, to: [duty] }\n`);
    await world.until(40 + 50);
    expect(webhooks(world, "/chat").map(([, what]) => what)).toEqual(["opened", "recovered"]);
    expect(webhooks(world, "/duty").map(([, what]) => what)).toEqual(["opened", "recovered"]);
  });
});

const MIDNIGHT_MS = Date.parse("2027-01-01T00:00:00Z");
const SECRET = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;

function rawBody(world: AlertWorld, path: string, at: number): string {
  return world.received.find((received: Received) => received.path === path && received.at === at)?.body ?? "";
}
