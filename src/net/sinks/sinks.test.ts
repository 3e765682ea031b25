import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it } from "vitest";
import { httpReceiver } from "../../../test/support/http-receiver.ts";
import type { TakenAnswer, TakenRequest } from "../../../test/support/http-receiver.ts";
import { pagerduty } from "../../../test/support/pagerduty.ts";
import { slackChannel } from "../../../test/support/slack-channel.ts";
import { anyMessage, sampleMessage } from "../../../test/support/sample-message.ts";
import { alertmanagerAlert } from "./alertmanager.ts";
import { mailOf } from "./email.ts";
import { openSinks } from "./open-sinks.ts";
import type { SinkOptions } from "./open-sinks.ts";
import { pagerdutyPayload } from "./pagerduty.ts";
import { slackPayload } from "./slack.ts";

const PAGER_KEY = "0123456789abcdef0123456789abcdef";
const SECRET = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

async function receiver(answer?: (request: TakenRequest) => TakenAnswer) {
  const { url, taken, close } = await httpReceiver(answer);
  ended.push(close);
  return { url: `${url}/in`, taken };
}

function sinkOf(options: SinkOptions) {
  const [sink] = openSinks([options], () => Date.now());
  if (sink === undefined) throw new Error("no sink");
  return sink;
}

function secretFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "goodgate-secret-"));
  ended.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "secret"), `${text}\n`);
  return join(folder, "secret");
}

/** As it would come. */
function asJson(payload: unknown): TakenRequest {
  return {
    method: "POST",
    path: "/",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(payload),
  };
}

const hidden = (name: string) => ({ from: "text", name }) as const;

describe("sinks", () => {
  it("signs a webhook so that the library of Standard Webhooks takes it, and nobody else's change of it", async () => {
    const { url, taken } = await receiver();
    const secret = { from: "file", name: secretFile(SECRET) } as const;
    const sink = sinkOf({ kind: "webhook", name: "hook", url: hidden(url), secret });
    expect(await sink.send(sampleMessage())).toEqual({ ok: true, detail: "status 200" });
    const [one] = taken;
    expect(one?.headers["webhook-id"]).toBe(sampleMessage().key);
    expect(new Webhook(SECRET).verify(one?.body ?? "", one?.headers ?? {})).toMatchObject({
      type: "incident.opened",
      data: { incident: "inc-1768478400-1" },
    });
    expect(() => new Webhook(SECRET).verify(`${one?.body} `, one?.headers ?? {})).toThrow("No matching signature");
  });

  it("says what is wrong with a secret and never what it is", async () => {
    const { url, taken } = await receiver();
    const at = (secret: { from: "file" | "env" | "text"; name: string }) =>
      sinkOf({ kind: "webhook", name: "hook", url: hidden(url), secret }).send(sampleMessage());
    expect(await at({ from: "file", name: "/does/not/exist" })).toMatchObject({
      ok: false,
      isWorthRepeating: true,
      detail: "the file /does/not/exist cannot be read (ENOENT)",
    });
    expect(await at({ from: "env", name: "GOODGATE_TEST_NOT_SET" })).toMatchObject({ ok: false });
    expect(taken).toEqual([]);
  });

  it("tells what is worth another try, and for how long the receiver wants peace", async () => {
    for (const [status, headers, expected] of [
      [503, {}, { isWorthRepeating: true, retryAfterMs: 0 }],
      [429, { "retry-after": "30" }, { isWorthRepeating: true, retryAfterMs: 30_000 }],
      [429, { "retry-after": "9999999" }, { isWorthRepeating: true, retryAfterMs: 900_000 }],
      [404, {}, { isWorthRepeating: false }],
      [302, { location: "http://127.0.0.1:1/elsewhere" }, { isWorthRepeating: false }],
    ] as const) {
      const { url } = await receiver(() => ({ status, headers, body: "no_such_channel\n" }));
      const sent = await sinkOf({ kind: "slack", name: "chat", url: hidden(url) }).send(sampleMessage());
      expect(sent, String(status)).toMatchObject({
        ok: false,
        detail: `status ${status}: no_such_channel`,
        ...expected,
      });
    }
  });

  it("tells why nobody could be reached without the address, which may be a secret", async () => {
    const sent = await sinkOf({ kind: "slack", name: "chat", url: hidden("http://127.0.0.1:1/T0/SECRET") }).send(
      sampleMessage(),
    );
    expect(sent.ok).toBe(false);
    expect(JSON.stringify(sent)).not.toContain("SECRET");
    const odd = await sinkOf({ kind: "slack", name: "chat", url: hidden("SECRET and no URL") }).send(sampleMessage());
    expect(odd).toMatchObject({ ok: false, isWorthRepeating: false, detail: "its address is not a URL" });
  });

  it("takes a test back at PagerDuty, so that nobody stays paged", async () => {
    const service = pagerduty();
    const { url } = await receiver(service.answer);
    const sink = sinkOf({ kind: "pagerduty", name: "pager", url: hidden(url), key: hidden(PAGER_KEY) });
    expect(await sink.send(sampleMessage({ isTest: true }))).toMatchObject({ ok: true });
    expect([...service.alerts.values()]).toMatchObject([{ state: "resolved", actions: ["trigger", "resolve"] }]);
  });

  it("is one alert at PagerDuty, which whoever takes it acknowledges there, and which does not call anybody again", async () => {
    const service = pagerduty();
    const { url } = await receiver(service.answer);
    const sink = sinkOf({ kind: "pagerduty", name: "pager", url: hidden(url), key: hidden(PAGER_KEY) });
    const states: string[] = [];
    for (const what of ["open", "update", "repeat", "escalate", "taken", "update", "recovered"] as const) {
      // oxlint-disable-next-line no-await-in-loop -- In order, as the outbox sends them.
      expect(await sink.send(sampleMessage({ what }))).toEqual({ ok: true, detail: "status 202" });
      states.push(...[...service.alerts.values()].map(({ state }) => state));
    }
    expect(states).toEqual([
      ...Array.from({ length: 4 }, () => "triggered"),
      "acknowledged",
      "acknowledged",
      "resolved",
    ]);
    expect(service.calls).toBe(1);
    expect(service.ignored).toEqual([]);
    // Somebody else's trouble is another alert.
    await sink.send(sampleMessage({ thread: "inc-2/pager" }));
    expect(service.calls).toBe(2);
  });

  it("says what PagerDuty and Slack complain about, and does not ask them again", async () => {
    const { url } = await receiver(pagerduty().answer);
    const pager = sinkOf({ kind: "pagerduty", name: "pager", url: hidden(url), key: hidden("too short") });
    const told = await pager.send(sampleMessage());
    expect(told).toMatchObject({ ok: false, isWorthRepeating: false });
    expect(told.detail).toContain("(should be 32 characters)");
    const channel = slackChannel();
    const chat = sinkOf({ kind: "slack", name: "chat", url: hidden((await receiver(channel.answer)).url) });
    expect(await chat.send(sampleMessage({ headline: "" }))).toMatchObject({
      ok: false,
      isWorthRepeating: false,
      detail: "status 400: invalid_blocks",
    });
    expect(await chat.send(sampleMessage())).toEqual({ ok: true, detail: "status 200" });
    expect(channel.messages.map(({ text }) => text)).toEqual([sampleMessage().headline]);
  });
});

describe("bounds of receivers, whatever an incident says", () => {
  it("of Slack's Block Kit, and no text is read as a mention or a link", () => {
    fc.assert(
      fc.property(anyMessage(), (message) => {
        const channel = slackChannel();
        expect(channel.answer(asJson(slackPayload(message))), channel.refused.join("\n")).toMatchObject({
          status: 200,
        });
        const [taken] = channel.messages;
        expect(taken?.text).not.toMatch(/[<>]/);
        for (const block of taken?.blocks ?? []) {
          if (block.type === "header") continue;
          for (const one of [block.text, ...(block.fields ?? [])]) {
            if (one === undefined) continue;
            expect(one.text).not.toMatch(/[<>]/);
            // Otherwise `@channel` is a mention.
            expect(one.verbatim).toBe(true);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it("of PagerDuty's events", () => {
    fc.assert(
      fc.property(fc.array(anyMessage(), { minLength: 1, maxLength: 4 }), (messages) => {
        const service = pagerduty();
        for (const message of messages) {
          const event = pagerdutyPayload({ ...message, thread: "one" }, PAGER_KEY);
          expect(service.answer(asJson(event)), service.refused.join("\n")).toMatchObject({ status: 202 });
        }
        const { what } = messages.at(-1) ?? sampleMessage();
        const state = service.alerts.get("one")?.state;
        if (what === "recovered") expect(state).not.toBe("triggered");
        else if (what !== "taken") expect(state).not.toBe("resolved");
      }),
      { numRuns: 40 },
    );
  });

  it("of Alertmanager's labels, which are the same from the begin of an incident to its end", () => {
    fc.assert(
      fc.property(anyMessage(), anyMessage(), (one, other) => {
        const alert = alertmanagerAlert(one);
        expect(alert.labels).toEqual(alertmanagerAlert(other).labels);
        for (const name of Object.keys({ ...alert.labels, ...alert.annotations }))
          expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
        expect(Date.parse(alert.endsAt)).toBeGreaterThanOrEqual(Date.parse(alert.startsAt));
      }),
      { numRuns: 40 },
    );
  });

  it("of mail: a subject is one line", () => {
    fc.assert(
      fc.property(anyMessage(), (message) => {
        const { subject } = mailOf(message, "a@example.com");
        expect(subject.length).toBeLessThanOrEqual(200);
        expect(subject).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 40 },
    );
  });
});
