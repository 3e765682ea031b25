/**
 * The pages of the admin surface in a real browser, served by the real admin server over made-up facts: that
 * they are allowed by their own policy, renew themselves, can be read on a phone and in the dark, and that
 * nothing a stranger sent ever runs.
 */
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createAdmin } from "../../src/admin/admin.ts";
import { startAdminServer } from "../../src/net/admin-server.ts";
import type { AdminServer } from "../../src/net/admin-server.ts";
import { systemClock, systemSchedule } from "../../src/net/clock.ts";
import { NO_ACTIONS } from "../support/no-actions.ts";
import { installed } from "../support/peers.ts";
import { SAMPLE_NOW, sampleView } from "../support/sample-view.ts";
import type { SampleView } from "../support/sample-view.ts";

const CHROMIUM = "/usr/bin/chromium";

let browser: Browser;
const toClose: (() => Promise<void>)[] = [];

interface Served {
  readonly view: SampleView;
  readonly url: string;
  readonly server: AdminServer;
}

async function serve(token: string | null = null): Promise<Served> {
  const view = sampleView();
  const handle = createAdmin(view, {
    token,
    actions: NO_ACTIONS,
    keys: null,
    control: null,
    clock: { monotonic: systemClock.monotonic, wall: () => SAMPLE_NOW },
    schedule: systemSchedule,
  });
  const faults: unknown[] = [];
  const server = await startAdminServer({
    bind: { host: "127.0.0.1", port: 0 },
    handle,
    schedule: systemSchedule,
    onFault: (fault) => faults.push(fault),
  });
  toClose.push(async () => {
    await server.close(1000);
    expect(faults).toEqual([]);
  });
  return { view, url: `http://127.0.0.1:${server.port}`, server };
}

/** A page, and all that went wrong in it: errors, refusals by its policy, dialogs that only a script could open. */
async function open(
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<{ page: Page; wrong: string[]; context: BrowserContext }> {
  const context = await browser.newContext(options);
  toClose.unshift(() => context.close());
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, wrong, context };
}

describe.skipIf(!installed("chromium"))("the pages in a browser", () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });

  const looks = [1280, 390].flatMap((width) =>
    (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme })),
  );
  it.each(looks)("can be read at $width pixels in the $colorScheme", async ({ width, colorScheme }) => {
    const { url } = await serve();
    const { page, wrong } = await open({ viewport: { width, height: 800 }, colorScheme });
    for (const path of ["/", "/exchanges/sample-0000", "/exchanges/sample-0003", "/exchanges/none"]) {
      await page.goto(url + path);
      expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBeLessThanOrEqual(width);
      expect(await page.evaluate(LOW_CONTRASTS), path).toEqual([]);
    }
    // The last one is a 404, which the browser's console calls an error.
    expect(wrong.filter((text) => !text.includes("404"))).toEqual([]);
  });

  it("renew themselves at once when an origin changes, without a reload and without losing the place", async () => {
    const { url, view } = await serve();
    const { page, wrong } = await open();
    await page.goto(`${url}/`);
    await page.evaluate('document.body.dataset.mark = "same document"; scrollTo(0, 600);');
    await page.waitForSelector("header button");
    await expect.poll(() => view.listeners()).toBe(1);
    view.statusNow = { ...view.statusNow, services: view.statusNow.services.slice(1, 2) };
    view.emit({ kind: "pool", at: SAMPLE_NOW, service: "shop", from: "blue", to: "green", because: "" });
    await page.waitForSelector("h1:has-text('service blog is healthy')");
    expect(await page.evaluate("[document.body.dataset.mark, scrollY]")).toEqual(["same document", 600]);
    expect(await page.title()).toContain("✓ Serving");
    expect(wrong).toEqual([]);
  });

  it("stay as they are while somebody has stopped them, and go on when told to", async () => {
    const { url, view } = await serve();
    const { page } = await open();
    await page.clock.install();
    await page.goto(`${url}/`);
    await expect.poll(() => view.listeners()).toBe(1);
    await page.getByRole("button", { name: "Stop renewing" }).click();
    let asked = 0;
    page.on("request", () => (asked += 1));
    view.statusNow = { ...view.statusNow, services: view.statusNow.services.slice(1, 2) };
    view.emit({ kind: "gateway", at: SAMPLE_NOW, code: "x", detail: "" });
    await page.clock.runFor(60_000);
    expect(asked).toBe(0);
    expect(await page.textContent("h1")).toContain("in trouble");
    await page.getByRole("button", { name: "Go on renewing" }).click();
    await page.waitForSelector("h1:has-text('service blog is healthy')");
  });

  it("say that they are old when the gateway no longer answers", async () => {
    const { url, server } = await serve();
    const { page } = await open();
    await page.clock.install();
    await page.goto(`${url}/`);
    await page.waitForSelector("header button");
    await server.close(0);
    await page.clock.runFor(5000);
    await page.waitForSelector("header [role=status]:has-text('does not answer')");
    expect(await page.textContent("h1")).toContain("in trouble");
  });

  it("need no script to be read, and then ask the browser to come back", async () => {
    const { url } = await serve();
    const { page } = await open({ javaScriptEnabled: false });
    await page.goto(`${url}/`);
    expect(await page.textContent("h1")).toContain("2 of 3 services are in trouble");
    expect(await page.getAttribute("meta[http-equiv=refresh]", "content")).toBe("30");
  });

  it("lead with the keyboard from the sentence to the story of an example", async () => {
    const { url } = await serve();
    const { page } = await open();
    await page.goto(`${url}/`);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/exchanges\/sample-0002$/);
    expect(await page.textContent("h1")).toContain("was rescued");
  });

  it("open with the token as a password, live events included", async () => {
    const { url, view } = await serve("s3cret");
    const { page, wrong } = await open({ httpCredentials: { username: "me", password: "s3cret" } });
    await page.goto(`${url}/`);
    expect(await page.textContent("h1")).toContain("in trouble");
    await expect.poll(() => view.listeners()).toBe(1);
    expect(wrong.filter((text) => !text.includes("401"))).toEqual([]);
  });
});

/** Runs in the page, hence text: text whose contrast with what lies behind it is below the 4.5 of WCAG 1.4.3. */
const LOW_CONTRASTS = `(() => {
  const channel = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const element = node.parentElement;
    if (node.textContent.trim() === "" || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
    const one = luminance(parse(getComputedStyle(element).color));
    const other = luminance(behind(element));
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) low.push(ratio.toFixed(2) + ": " + node.textContent.trim().slice(0, 60));
  }
  return low;
})()`;
