import { describe, expect, it } from "vitest";
import { loadSettings } from "./load.ts";

const SERVICES = 'services: { shop: { pools: [{ origins: ["http://127.0.0.1:3000"] }] } }';

function problems(text: string): string[] {
  const loaded = loadSettings(`${SERVICES}\n${text}\n`, "goodgate.yaml");
  return loaded.ok ? [] : loaded.problems.map(({ path, message, hint }) => `${path}: ${message} ${hint}`.trim());
}

describe("mistakes in alerts and the status page", () => {
  it.each([
    [
      "alerts: { sinks: { chat: { slack: { url: { env: URL } } } }, routes: [{ to: [chad] }] }",
      'alerts.routes[0].to[0]: There is no sink "chad". Did you mean "chat"?',
    ],
    [
      "alerts: { sinks: { chat: { slack: { url: { env: URL } } } }, routes: [{ match: { service: [shopp] } }] }",
      'alerts.routes[0].match.service[0]: There is no service "shopp". Did you mean "shop"?',
    ],
    [
      "alerts: { sinks: { chat: {} } }",
      "alerts.sinks.chat: This sink does not say what it is. Write one of webhook, slack, pagerduty, alertmanager, email under it.",
    ],
    [
      'alerts: { sinks: { mail: { email: { server: "smtp://mail", from: a@b.c, to: [d@e.f], user: gate } } } }',
      "alerts.sinks.mail.email.user: Nobody signs in with a user and no password. Add password, or leave this out.",
    ],
    [
      'alerts: { sinks: { mail: { email: { server: "smtp://mail", from: a@b.c, to: [d@e.f], password: { env: P } } } } }',
      "alerts.sinks.mail.email.password: Nobody signs in with a password and no user. Add user, or leave this out.",
    ],
    [
      "control: false\nalerts: { sinks: { chat: { slack: { url: { env: URL } } } } }",
      "alerts: Nobody finds out what there is to tell while the control plane is off: control is false. Leave control out, or write alerts: false.",
    ],
    [
      "statusPage: { title: Example }",
      "statusPage: A status page needs a place to be. Write bind to serve it, export to write it to a directory, or false for none.",
    ],
    [
      'statusPage: { bind: "0.0.0.0:8080" }',
      "statusPage.bind: 0.0.0.0:8080 is taken already by 0.0.0.0:8080 of listeners[0].bind. Give each its own address or port.",
    ],
  ])("%s", (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  it("does not repeat a secret that was written out", () => {
    const [problem = ""] = problems("alerts: { sinks: { pager: { pagerduty: { key: hunter2hunter2 } } } }");
    expect(problem).toContain("it names where the secret is");
    expect(problem).not.toContain("hunter2");
  });
});
