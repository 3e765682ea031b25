import { describe, expect, it } from "vitest";
import { cliWorld, WALL } from "../../test/support/cli-world.ts";
import type { AlertsView } from "../contract/control-port.ts";
import type { Fetched } from "./ports.ts";

function answering(json: unknown): Fetched {
  return { kind: "answer", status: 200, json };
}

const VIEW: AlertsView = {
  silences: [{ id: "sil-1", at: WALL, where: { service: "shop" }, by: "ada", reason: "moving", until: WALL + 1000 }],
  sinks: [{ name: "pager", kind: "pagerduty", state: "failing", because: "status 403", lastAt: null }],
  sent: [{ at: WALL, incident: "inc-1", sink: "pager", what: "open", outcome: "failed", detail: "status 403" }],
};

function world(view: AlertsView = VIEW) {
  return cliWorld({
    env: { USER: "ada" },
    admin: {
      "/api/v1/alerts": answering(view),
      "/api/v1/alerts/test": answering({ tested: [{ sink: "pager", outcome: "failed", detail: "status 403" }] }),
      "/api/v1/silences": answering({ id: "sil-2", until: WALL + 7_200_000 }),
      "/api/v1/silences/sil-2/end": answering({ id: "sil-2", until: WALL }),
    },
  });
}

describe("goodgate alerts", () => {
  it("shows sinks, silences and what was told, and ends with 1 while a sink fails", async () => {
    const { run, out } = world();
    expect(await run("alerts")).toBe(1);
    expect(out()).toContain("pager (pagerduty): failing, status 403");
    expect(out()).toContain("sil-1: service=shop until");
    expect(out()).toContain("open inc-1 to pager: failed, status 403");
  });

  it("says when nobody is told", async () => {
    const { run, out } = world({ silences: [], sinks: [], sent: [] });
    expect(await run("alerts")).toBe(0);
    expect(out()).toBe("Nobody is told of incidents: no sink is configured (alerts.sinks).\n");
  });

  it("tests sinks and ends with 1 when one did not take it", async () => {
    const { run, out } = world();
    expect(await run("alerts", "test", "pager")).toBe(1);
    expect(out()).toBe("  pager: failed, status 403\n");
  });
});

describe("goodgate silence", () => {
  it("makes one with an end and a reason, and ends it", async () => {
    const { run, out } = world();
    expect(await run("silence", "--where", "service=shop", "--for", "2h", "--reason", "moving")).toBe(0);
    expect(out()).toContain("sil-2: nothing about service=shop is told until");
    expect(await run("silence", "end", "sil-2")).toBe(0);
  });

  it("wants to know what about and why", async () => {
    expect(await world().run("silence", "--reason", "moving")).toBe(2);
    expect(await world().run("silence", "--where", "shop", "--reason", "moving")).toBe(2);
    expect(await world().run("silence", "--where", "service=shop")).toBe(2);
  });
});
