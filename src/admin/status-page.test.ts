import { describe, expect, it } from "vitest";
import { HOSTILE_TEXT, quietView, SAMPLE_NOW, sampleView } from "../../test/support/sample-view.ts";
import type { SampleView } from "../../test/support/sample-view.ts";
import { STORY_RECORDS } from "../../test/support/story-records.ts";
import { tellStory } from "../contract/story.ts";
import { renderExchangePage, renderMissingExchangePage } from "./exchange-page.ts";
import { createRateMemory } from "./rates.ts";
import { renderStatusPage } from "./status-page.ts";
import { latestTroubled } from "./troubles.ts";

function statusPage(view: SampleView = sampleView()): string {
  return renderStatusPage({
    status: view.status(),
    origins: view.origins(),
    recent: latestTroubled(view),
    metrics: view.metrics(),
    rates: createRateMemory().look(view.metrics(), 0),
    now: SAMPLE_NOW,
  });
}

/** What a person reads: no tags, no style, no script, one space between words. */
function textOf(page: string): string {
  return page
    .replaceAll(/<(style|script|noscript)>.*?<\/\1>/gs, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");
}

const VOID = new Set(["meta", "link", "br", "img", "input"]);

/** Every element is closed in order; attributes are quoted; ids are unique; labels refer to ids that exist. */
function expectWellFormed(page: string): void {
  const body = page.replaceAll(/<(style|script)>.*?<\/\1>/gs, "").replace("<!doctype html>", "");
  const open: string[] = [];
  for (const tag of body.match(/<[^>]*>/g) ?? []) {
    const [, closing = "", name = "", , empty = ""] =
      /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<]*")?)*)\s*(\/?)>$/.exec(tag) ?? [];
    expect(name, tag).not.toBe("");
    if (closing === "/") expect(open.pop(), tag).toBe(name);
    else if (empty === "" && !VOID.has(name)) open.push(name);
  }
  expect(open).toEqual([]);
  const ids = [...body.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, id] of body.matchAll(/aria-labelledby="([^"]*)"/g)) expect(ids).toContain(id);
}

function expectAccessible(page: string): void {
  expect(page).toContain('<html lang="en">');
  expect(page.match(/<h1[ >]/g)).toHaveLength(1);
  const levels = [...page.matchAll(/<h([1-6])[ >]/g)].map((match) => Number(match[1]));
  levels.forEach((level, index) => expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1));
  expect(page.match(/<table/g)?.length ?? 0).toBe(page.match(/<caption/g)?.length ?? 0);
  expect(page).toContain('name="viewport"');
}

describe("the status page", () => {
  it("says first how the gateway is, in the words of the API", () => {
    const page = statusPage();
    expect(textOf(page)).toContain(
      "Serving, but 2 of 3 services are in trouble: shop is failing open, reports is degraded.",
    );
    expect(page).toMatch(/<title>! Serving, but/);
  });

  it("says what to do first, for the cause that clients felt most, with a link to an example", () => {
    const page = statusPage();
    const text = textOf(page);
    expect(text).toMatch(
      /What to do first .*Because in the last 15 minutes 4 exchanges failed and 4 rescued with Connection refused/,
    );
    expect(page).toContain('href="/exchanges/sample-0002"');
  });

  it("gives the reason for every state, and what contradicts it", () => {
    const text = textOf(statusPage());
    for (const service of sampleView().statusNow.services) expect(text).toContain(service.because);
    for (const origin of sampleView().originsNow) {
      expect(text).toContain(origin.resolution);
      for (const address of origin.addresses) {
        expect(text).toContain(address.because);
        expect(text).toContain(address.disagreement);
        expect(text).toContain(address.breakers);
      }
    }
    for (const word of ["✕ down", "✕ ejected", "? probation", "↗ ramping, 34 %", "✓ up", "✕ no address"])
      expect(text).toContain(word);
  });

  it("never shows text of a stranger as HTML", () => {
    for (const page of [
      statusPage(),
      ...sampleView().records.map((record) => renderExchangePage(record, tellStory(record))),
    ]) {
      expect(page).not.toContain("<img");
      expect(page).not.toContain("<script>alert");
    }
    expect(statusPage()).toContain("&lt;script&gt;alert(&quot;1&quot;)");
    expect(HOSTILE_TEXT).toContain("<script>");
  });

  it("is calm when there is nothing to tell", () => {
    const page = statusPage(quietView());
    const text = textOf(page);
    expect(text).toContain("Serving: service default is healthy");
    expect(text).toContain("Nothing that is kept failed");
    expect(text).not.toContain("What to do first");
    expectWellFormed(page);
  });

  it("does not let what clients did themselves, or what is long over, ask for attention", () => {
    const view = sampleView();
    view.records.splice(
      0,
      Infinity,
      ...view.records.filter((record) => record.outcome === "aborted" || record.outcome === "refused"),
    );
    expect(textOf(statusPage(view))).not.toContain("What to do first");
    const old = sampleView();
    for (const record of old.records) record.startedAt -= 3_600_000;
    expect(textOf(statusPage(old))).not.toContain("What to do first");
    expect(textOf(statusPage(old))).toContain("In the last 15 minutes, nothing.");
  });

  it("tells of clients that are held back, where there are any", () => {
    const view = sampleView();
    expect(textOf(statusPage(view))).not.toContain("Clients held back");
    view.metricsNow = { ...view.metricsNow, clientsHeldBack: 2, floodRefused: 1_234, floodSpared: 5 };
    expect(textOf(statusPage(view))).toMatch(
      /Clients held back 2 now; 1.?234 requests refused since the start, 5 requests spared because of who asked/,
    );
  });

  it("tells a drain", () => {
    const view = sampleView();
    view.statusNow.state = "draining";
    expect(textOf(statusPage(view))).toContain("Draining: 17 exchanges may still finish");
  });

  it("survives moments that are no dates", () => {
    const view = sampleView();
    view.originsNow[0]!.addresses[0]!.since = Number.POSITIVE_INFINITY;
    view.statusNow.startedAt = Number.NaN;
    expect(() => statusPage(view)).not.toThrow();
  });

  it("is well-formed and has what assistive technology needs", () => {
    expectWellFormed(statusPage());
    expectAccessible(statusPage());
  });
});

describe("the page of an exchange", () => {
  it.each(Object.entries(STORY_RECORDS))("tells the story of %s, well-formed", (_name, record) => {
    const story = tellStory(record);
    const page = renderExchangePage(record, story);
    expectWellFormed(page);
    expectAccessible(page);
    const text = textOf(page);
    if (!record.userAgent.includes("\u001b")) {
      const shown = (told: string): string =>
        told
          .replaceAll("&", "&amp;")
          .replaceAll("<", "&lt;")
          .replaceAll("'", "&#39;")
          .replaceAll('"', "&quot;")
          .replaceAll(/\s+/g, " ");
      for (const told of [story.headline, story.lookFirst, ...story.lines.map((line) => line.text)])
        expect(text).toContain(shown(told));
    }
    expect(page).toContain(`href="/api/v1/exchanges/${record.id}"`);
  });

  it("draws a bar for each attempt, inside the frame", () => {
    for (const record of Object.values(STORY_RECORDS)) {
      const page = renderExchangePage(record, tellStory(record));
      expect(page.match(/<svg[^>]*class="bar"/g)?.length ?? 0).toBe(
        record.attempts.length + 1 + (record.replyUs < 0 ? 0 : 1),
      );
      for (const [, x, width] of page.matchAll(/ x="([^"]*)" y="0" width="([^"]*)"/g)) {
        expect(Number(x)).toBeGreaterThanOrEqual(0);
        expect(Number(x) + Number(width)).toBeLessThanOrEqual(1000.2);
      }
    }
  });

  it("explains why an exchange is not kept", () => {
    const page = renderMissingExchangePage('No exchange "<b>"');
    expectWellFormed(page);
    expect(page).toContain("&lt;b&gt;");
  });
});
