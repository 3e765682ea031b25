/**
 * The dashboard in a real browser, built as it is shipped, behind the real admin server: what people do with it, what a
 * screen reader gets of it, and what it says when it does not know.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildWeb } from "../../tools/build-web.ts";
import { launchChromium, openPage } from "../support/chromium.ts";
import { dashboardWorld } from "../support/dashboard-world.ts";
import type { DashboardWorld, DashboardWorldOptions } from "../support/dashboard-world.ts";
import { installed } from "../support/peers.ts";
import { RUNNING, SAMPLE_ALERTS, SAMPLE_INCIDENT, sampleHealth } from "../support/sample-diagnosis.ts";
import { quietView, SAMPLE_NOW } from "../support/sample-view.ts";
import { LOW_CONTRASTS } from "../support/low-contrasts.ts";

/** What all files may have together, compressed. */
const BYTES_MAX = 60_000;

let browser: Browser;
let built: string;
const toClose: (() => Promise<void>)[] = [];

async function serve(options: DashboardWorldOptions = {}): Promise<DashboardWorld> {
  const world = await dashboardWorld({ dashboard: built, ...options });
  toClose.push(async () => {
    await world.server.close(100);
    expect(world.faults).toEqual([]);
  });
  return world;
}

/** A page, and all that went wrong in it: errors, refusals by its policy, dialogs that only a script could open. */
async function open(options: BrowserContextOptions = {}): Promise<{ page: Page; wrong: string[] }> {
  const page = await openPage(browser, { timezoneId: "Europe/Vienna", ...options });
  toClose.unshift(() => page.context().close());
  const wrong: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, wrong };
}

/** Colour and dashes of each line of a chart. */
const LINES = `[...document.querySelectorAll("[aria-label^='Duration of exchanges'] .line")].map((line) => {
  const { stroke, strokeDasharray } = getComputedStyle(line);
  return [stroke, strokeDasharray];
})`;

/** What the browser itself logs of an answer that is no success. */
const isLogOfStatus = (text: string): boolean => /Failed to load resource/.test(text);

const INCIDENT = `/incidents/${SAMPLE_INCIDENT.id}`;
const PAGES = ["/", "/incidents", INCIDENT, "/exchanges", "/exchanges/sample-0003", "/exchanges/none", "/origins"];

/** Shown when a page has what it asked for. */
async function settled(page: Page): Promise<void> {
  await page.locator("main h1").waitFor();
  await page.locator(".empty", { hasText: "Asking" }).waitFor({ state: "detached" });
  await page.locator("h1", { hasText: "Asking" }).waitFor({ state: "detached" });
}

it("is small", () => {
  const sizes = readdirSync(built, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".gz"))
    .map((name) => readFileSync(join(built, name)).length);
  expect(sizes.length).toBeGreaterThan(3);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(BYTES_MAX);
});

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "goodgate-web-"));
  await buildWeb(built);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

describe.skipIf(!installed("chromium"))("the dashboard", () => {
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });

  const looks = [1280, 320].flatMap((width) =>
    (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme })),
  );
  it.each(looks)("can be read at $width pixels in the $colorScheme, all pages", async ({ width, colorScheme }) => {
    const { url } = await serve();
    const { page, wrong } = await open({ viewport: { width, height: 800 }, colorScheme });
    for (const path of PAGES) {
      await page.goto(url + path);
      await settled(page);
      for (const details of await page.locator("main details").all()) {
        await details.evaluate((element) => element.setAttribute("open", ""));
      }
      expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBeLessThanOrEqual(width);
      expect(await page.evaluate(LOW_CONTRASTS), path).toEqual([]);
    }
    expect(wrong.filter((text) => !isLogOfStatus(text))).toEqual([]);
  });

  it("says in one glance how it is, with names and roles for whoever listens", async () => {
    const { url } = await serve();
    const { page, wrong } = await open();
    await page.goto(`${url}/`);
    await settled(page);
    await page.getByRole("heading", { name: "Pool blue of shop refuses connections", level: 1 }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.title()).toBe("✕ Now · Goodgate");
    expect(await page.locator("header.top").ariaSnapshot()).toMatchInlineSnapshot(`
      "- banner:
        - link "Goodgate":
          - /url: /
        - navigation "Pages":
          - link "Now":
            - /url: /
          - link "Incidents 1 open":
            - /url: /incidents
          - link "Exchanges":
            - /url: /exchanges
          - link "Origins":
            - /url: /origins
        - paragraph: Live
        - button "Keys and settings": "?""
    `);
    expect(await page.locator("section[aria-labelledby=services] thead").ariaSnapshot()).toMatchInlineSnapshot(`
      "- rowgroup:
        - row "Service State Traffic Failed Rescued p50 / p95 / p99 Objective":
          - columnheader "Service"
          - columnheader "State"
          - columnheader "Traffic"
          - columnheader "Failed"
          - columnheader "Rescued"
          - columnheader "p50 / p95 / p99"
          - columnheader "Objective""
    `);
    const services = page.getByRole("region", { name: "Services" });
    await services.getByRole("rowheader", { name: /^shop shop.example.com/ }).waitFor();
    await services
      .getByRole("cell", { name: /^failing open traffic failing 2 of 3 origins of pool blue are out/ })
      .waitFor();
    await services
      .getByRole("cell", { name: /^99.95 % within 300 ms 18 % of the budget left; burns 22× \(5 min\)/ })
      .waitFor();
    await page
      .getByRole("img", {
        name: /^Map from clients over the gateway to pools and origins: shop \/ blue in use; 127.0.0.1:3001 down/,
      })
      .waitFor();
    await page.getByRole("img", { name: /^Exchanges per second: all now .* between .* and / }).waitFor();
    await expect.poll(() => page.getByRole("status").first().textContent()).toContain("Incident: Pool blue");
    await expect.poll(() => page.locator(".plot .line").count()).toBe(6);
    expect(wrong).toEqual([]);
  });

  it("has every figure of a chart and of the map in a table behind it", async () => {
    const { url } = await serve();
    const { page } = await open();
    await page.goto(`${url}/`);
    await page.getByText("Figures of “Exchanges per second” as a table").click();
    const table = page.getByRole("table", { name: /Exchanges per second. Times in Europe\/Vienna \(UTC\+1\)/ });
    expect(await table.getByRole("row").count()).toBeGreaterThan(20);
    // What is not known is no nought.
    await table.getByRole("cell", { name: "no data" }).first().waitFor();
    await page.getByText("The map as a table").click();
    await page
      .getByRole("row", { name: /http:\/\/127.0.0.1:3001 .*shop \/ blue.* 3 connect checks in a row failed/ })
      .waitFor();
  });

  it("tells the lines of a chart apart where the system allows one colour for all", async () => {
    const { url } = await serve();
    const { page, wrong } = await open({ forcedColors: "active" });
    await page.goto(`${url}/`);
    const lines = page.getByRole("img", { name: /^Duration of exchanges: / }).locator(".line");
    await expect.poll(() => lines.count()).toBe(3);
    const drawn = await page.evaluate<[string, string][]>(LINES);
    expect(new Set(drawn.map(([stroke]) => stroke)).size).toBe(1);
    expect(new Set(drawn.map(([, dashes]) => dashes)).size).toBe(3);
    expect(wrong).toEqual([]);
  });

  it("says which worker lives and how it is, and what it is worth under the pointer", async () => {
    const world = await serve();
    const { page, wrong } = await open();
    await page.goto(`${world.url}/`);
    const workers = page.getByRole("table", { name: "Workers. 1 of 2 serve." });
    await workers
      .getByRole("row", {
        name: /Worker 1 process 4711 serving for .* 201 busy 31 %, 14 ms late at p99 120 MiB 0 times/,
      })
      .waitFor();
    await workers.getByRole("row", { name: /Worker 2 no process now waiting for .*SIGSEGV.* 3 times/ }).waitFor();
    await page.getByText("control process running").waitFor();
    const [one] = world.view.statusNow.workers;
    if (one === undefined) throw new Error("no worker");
    one.state = "crashing";
    await page.getByRole("table", { name: /Workers. 1 of 2 end again and again/ }).waitFor();
    world.control.emit({
      kind: "control",
      state: { ...RUNNING, state: "dead", because: "it ended (SIGKILL)", restarts: 2 },
    });
    await page.getByText(/control process dead.*it ended \(SIGKILL\).*started again 2 times/).waitFor();
    // The legend has the figures of the moment that is pointed at, and those of now when nothing is.
    const chart = page.getByRole("img", { name: /^Exchanges per second: / });
    const legend = page.locator(".chart .legend").first();
    await chart.hover();
    await expect.poll(() => legend.textContent()).toMatch(/^\d\d:\d\d:\d\dall /);
    await page.mouse.move(0, 0);
    await expect.poll(() => legend.textContent()).toMatch(/^all /);
    expect(wrong).toEqual([]);
  });

  it("says whom messages do not reach and what is silenced, until neither is so any more", async () => {
    const world = await serve();
    const { page, wrong } = await open();
    await page.goto(`${world.url}/`);
    const telling = page.getByRole("region", { name: "Who is not told" });
    await telling.getByRole("heading", { name: "Messages do not reach pager" }).waitFor();
    await telling.getByText(/failing pagerduty; the last was delivered 2 h \d+ min/).waitFor();
    await telling.getByText("the routing key is 12 characters long; 2 waiting").waitFor();
    await telling.getByRole("heading", { name: "Silence about service reports" }).waitFor();
    await telling.getByText(/by ann until 16:10:00/).waitFor();
    expect(await telling.getByRole("listitem").count()).toBe(2);
    await expect.poll(() => world.control.listeners()).toBe(2);
    world.alerts = { ...SAMPLE_ALERTS, sinks: SAMPLE_ALERTS.sinks.slice(0, 1), silences: [] };
    // It asks again when the control plane says that it runs.
    world.control.emit({ kind: "control", state: RUNNING });
    await telling.waitFor({ state: "detached" });
    expect(wrong).toEqual([]);
  });

  it("shows a disturbance live, from its begin to its end, and says so to screen readers", async () => {
    const view = quietView();
    const world = await serve({ view });
    world.incidents.clear();
    const well = [sampleHealth("default")];
    world.services = well;
    const { page, wrong } = await open();
    await page.goto(`${world.url}/`);
    await page.getByRole("heading", { level: 1, name: /^Serving: service default is healthy/ }).waitFor();
    await expect.poll(() => world.control.listeners()).toBe(2);

    const incident = { ...SAMPLE_INCIDENT, services: ["default"], where: { service: "default" } };
    view.statusNow = {
      ...view.statusNow,
      services: view.statusNow.services.map((one) => ({ ...one, state: "down" as const, because: "nothing works" })),
    };
    view.emit({ kind: "gateway", at: SAMPLE_NOW, code: "x", detail: "" });
    world.control.emit({ kind: "incident", incident });
    world.services = [sampleHealth("default", { state: "failing", because: "all fail" })];
    await page.getByRole("heading", { level: 1, name: incident.title }).waitFor();
    await page.getByText("traffic failing").waitFor();
    await page.getByRole("link", { name: "Incidents 1 open" }).waitFor();
    const said = page.locator("p.unseen[role=status]");
    await expect.poll(() => said.textContent()).toContain(`Incident: ${incident.title}, open.`);

    view.statusNow = { ...view.statusNow, services: quietView().statusNow.services };
    view.emit({ kind: "gateway", at: SAMPLE_NOW, code: "y", detail: "" });
    world.control.emit({
      kind: "incident",
      incident: { ...incident, state: "closed", recoveredAt: SAMPLE_NOW, closedAt: SAMPLE_NOW },
    });
    world.services = well;
    await page.getByRole("heading", { level: 1, name: /^Serving: service default is healthy/ }).waitFor();
    await expect.poll(() => page.getByRole("heading", { name: "Open incidents" }).count()).toBe(0);
    await expect.poll(() => said.textContent()).not.toContain("Incident:");
    await expect.poll(() => page.title()).toBe("✓ Now · Goodgate");
    expect(wrong).toEqual([]);
  });

  it("says since when it is old when the gateway is gone, never that all is well, and goes on when it is back", async () => {
    const view = quietView();
    const first = await dashboardWorld({ dashboard: built, view });
    first.incidents.clear();
    const { page } = await open();
    await page.goto(`${first.url}/`);
    await page.getByText("Live", { exact: true }).waitFor();
    await first.server.close(0);
    await page.getByText(/^Stale since \d\d:\d\d:\d\d$/).waitFor();
    await page.getByRole("heading", { level: 1, name: "Not known: the gateway does not answer" }).waitFor();
    await page.getByText(/What is shown is what it last said/).waitFor();
    expect(await page.title()).toBe("? Now · Goodgate");
    const again = await serve({ view, port: Number(new URL(first.url).port) });
    again.incidents.clear();
    await page.getByText("Live", { exact: true }).waitFor();
    await expect.poll(() => again.control.listeners()).toBe(2);
    await page.getByRole("heading", { level: 1, name: /is healthy/ }).waitFor();
  });

  it("says that the diagnosis is old while the control plane hangs, and does not call it well", async () => {
    const world = await serve({ view: quietView() });
    world.incidents.clear();
    const { page, wrong } = await open();
    await page.goto(`${world.url}/`);
    await page.getByRole("heading", { level: 1, name: /is healthy/ }).waitFor();
    const hung = {
      ...world.control.stateNow,
      state: "hung",
      heardAt: SAMPLE_NOW - 60_000,
      because: "no answer for 60 s",
    } as const;
    world.control.stateNow = hung;
    world.isControlUp = false;
    world.control.emit({ kind: "control", state: hung });
    await page.getByText(/^Diagnosis is stale since 15:09:00: the control plane is hung: no answer for 60 s/).waitFor();
    await page.getByText("Whether there is more to it is not known").waitFor();
    expect(await page.locator(".verdict").getAttribute("class")).toContain("warn");
    world.isControlUp = true;
    world.control.stateNow = { ...hung, state: "running", heardAt: SAMPLE_NOW };
    world.control.emit({ kind: "control", state: world.control.stateNow });
    await page.getByText(/Diagnosis is stale/).waitFor({ state: "detached" });
    expect(wrong.filter((text) => !isLogOfStatus(text))).toEqual([]);
  });

  it("works without a control plane, and says what is missing then", async () => {
    const { url } = await serve({ hasControl: false });
    const { page } = await open();
    await page.goto(`${url}/`);
    await page.getByText("without a control plane, so nothing is diagnosed").waitFor();
    await page.getByText("As this page has seen it since it was opened").waitFor();
    await page.getByRole("heading", { name: "Connection refused" }).waitFor();
  });

  it("asks for the token by a form, keeps it in the tab alone, and streams with it", async () => {
    const world = await serve({ token: "s3cret" });
    const { page, wrong } = await open();
    await page.goto(`${world.url}/exchanges`);
    await page.getByRole("heading", { name: "This gateway asks for a token" }).waitFor();
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: "not the token" }).waitFor();
    await page.getByLabel("Token").fill("s3cret");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Exchanges", level: 1 }).waitFor();
    await expect.poll(() => world.view.listeners()).toBe(1);
    await page.reload();
    await page.getByRole("table", { name: /newest first/ }).waitFor();
    expect(await page.evaluate("[JSON.stringify(localStorage), document.cookie].join().includes('s3cret')")).toBe(
      false,
    );
    expect(wrong.filter((text) => !isLogOfStatus(text))).toEqual([]);
  });

  it("finds exchanges by filters that are in the address, and leads to one by keyboard alone", async () => {
    const { url } = await serve();
    const { page, wrong } = await open();
    await page.goto(`${url}/exchanges?outcome=failed`);
    await expect.poll(() => page.getByLabel("Outcome").inputValue()).toBe("failed");
    await page.getByLabel("Cause").selectOption("origin.refused");
    await page.waitForURL(/\/exchanges\?outcome=failed&cause=origin.refused$/);
    const rows = page.getByRole("row").filter({ hasText: "origin.refused" });
    // Those and the row of headings.
    await expect.poll(async () => (await page.getByRole("row").count()) - (await rows.count())).toBe(1);
    expect(await rows.count()).toBeGreaterThan(1);
    await rows.first().getByRole("link").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/exchanges\/sample-/);
    await page.getByRole("heading", { level: 1, name: /failed after .*: connection refused/ }).waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await page.getByRole("table", { name: /^The whole took/ }).waitFor();
    await page.getByRole("row", { name: /^Attempt 1 at .* connecting 240 µs/ }).waitFor();
    await page.goBack();
    await page.waitForURL(/\?outcome=failed&cause=origin.refused$/);
    await page.getByRole("button", { name: "Show all" }).click();
    await page.waitForURL(/\/exchanges$/);
    expect(wrong).toEqual([]);
  });

  it("says why when an exchange is not kept, and opens one by its reference", async () => {
    const { url } = await serve();
    const { page } = await open();
    await page.goto(`${url}/exchanges/none`);
    await page.getByRole("heading", { name: "This exchange is not kept" }).waitFor();
    await page.getByText('No exchange with the id "none" is kept').waitFor();
    await page.goto(`${url}/exchanges`);
    await page.getByLabel("Reference of an error page (X-Request-Id)").fill(" sample-0003 ");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/exchanges\/sample-0003$/);
  });

  it("tells an incident from top to bottom, and lets people act on it by name", async () => {
    const world = await serve();
    const { page, wrong } = await open();
    await page.goto(world.url + INCIDENT);
    await page.getByRole("heading", { level: 1, name: SAMPLE_INCIDENT.title }).waitFor();
    await page.getByText("Both addresses answer with a refusal at once").click();
    await page
      .getByText(/failures by origin.refused of service shop, pool blue: 412 attempts, usually 0 attempts/)
      .waitFor();
    expect(await page.locator(".timeline").ariaSnapshot()).toMatchInlineSnapshot(`
      "- list:
        - listitem:
          - time: 15:08:05
          - text: change
          - paragraph: "Configuration 4f1c was applied by ann: new weights in pool blue."
        - listitem:
          - time: 15:08:25
          - text: first failure
          - paragraph: POST /cart was refused by http://127.0.0.1:3001.
        - listitem:
          - time: 15:08:26
          - text: automation
          - paragraph: "blue-1 and blue-2 were ejected: 5 requests in a row failed."
        - listitem:
          - time: 15:08:26
          - text: automation
          - paragraph: "Pool green comes first: nothing in blue works."
        - listitem:
          - time: 15:08:28
          - text: detected
          - paragraph: The ratio of failures of shop rose from 0.01 % to 9 %.
        - listitem:
          - time: 15:08:31
          - text: probe
          - paragraph: The ladder breaks at connect, for both addresses.
        - listitem:
          - time: 15:08:31
          - text: verdict
          - paragraph: "origin.refused, at fault: the origin."
        - listitem:
          - time: 15:08:34
          - text: told
          - paragraph: on-call (slack)
        - listitem:
          - time: 15:08:45
          - text: effect
          - paragraph: Green answers 100 % of the exchanges of shop; failures are back to 0.01 %."
    `);
    await page.getByRole("button", { name: "Acknowledge" }).click();
    const dialog = page.getByRole("dialog", { name: "Acknowledge" });
    await dialog.getByLabel("Your name").fill("ann");
    await dialog.getByRole("button", { name: "Acknowledge" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Add a note" }).click();
    await page.getByLabel("Note", { exact: true }).fill("restarted blue-1");
    // The name is remembered.
    await page.getByRole("dialog").getByRole("button", { name: "Add a note" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(world.acts).toEqual([
      [SAMPLE_INCIDENT.id, { by: "ann", do: "acknowledge" }],
      [SAMPLE_INCIDENT.id, { by: "ann", do: "annotate", text: "restarted blue-1" }],
    ]);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Postmortem draft" }).click();
    expect((await download).suggestedFilename()).toBe(`${SAMPLE_INCIDENT.id}.md`);
    expect(wrong).toEqual([]);
  });

  it("takes an origin out with a reason and an end, and says where a probe breaks", async () => {
    const world = await serve();
    const { page, wrong } = await open();
    await page.goto(`${world.url}/origins`);
    await page.getByRole("button", { name: "Drain http://127.0.0.1:3001" }).click();
    const dialog = page.getByRole("dialog", { name: "Drain http://127.0.0.1:3001" });
    await dialog.getByRole("button", { name: "Drain" }).click();
    // Nothing without a reason and a name.
    expect(world.acts).toEqual([]);
    await dialog.getByLabel("Reason").fill("new kernel");
    expect(await dialog.getByLabel("For").inputValue()).toBe("1h");
    await dialog.getByLabel("For").selectOption("15m");
    await dialog.getByLabel("Your name").fill("ann");
    await dialog.getByRole("button", { name: "Drain" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(world.acts).toEqual([
      [
        "/origins/drain",
        { service: "shop", origin: "http://127.0.0.1:3001", by: "ann", reason: "new kernel", forMs: 900_000 },
      ],
    ]);
    await page.getByRole("button", { name: "Probe http://127.0.0.1:3001" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Probe" }).click();
    await page.getByText("It breaks at connect: nothing listens at 127.0.0.1:3001.").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(wrong).toEqual([]);
  });

  it("has keys, which can be seen, act nowhere else than on the page, and can be switched off", async () => {
    const { url } = await serve();
    const { page } = await open();
    await page.goto(`${url}/`);
    await settled(page);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.waitForURL(/\/exchanges$/);
    await page.keyboard.press("/");
    expect(await page.evaluate("document.activeElement.name")).toBe("id");
    await page.keyboard.type("go?");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(page.url()).toMatch(/\/exchanges$/);
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).getByLabel("Keys are on").uncheck();
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("o");
    await page.keyboard.press("?");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(page.url()).toMatch(/\/exchanges$/);
  });

  it("tells the zone of its times and changes it, and keeps the colours that were chosen", async () => {
    const { url } = await serve();
    const { page } = await open({ colorScheme: "light" });
    await page.goto(`${url}${INCIDENT}`);
    await page.getByText("Times in Europe/Vienna (UTC+1)").waitFor();
    await page
      .getByText(/^15:08:2\d$/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Show UTC" }).click();
    await page.getByText("Times in UTC").waitFor();
    await page
      .getByText(/^14:08:2\d$/)
      .first()
      .waitFor();
    await page.getByLabel("Colours").selectOption("dark");
    await page.reload();
    await page.getByText("Times in UTC").waitFor();
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(13, 18, 25)");
  });

  it("asks again for what was concluded when the control plane says that it runs", async () => {
    const world = await serve();
    const { page } = await open();
    await page.goto(`${world.url}/`);
    await expect.poll(() => world.control.listeners()).toBe(2);
    await page.getByRole("link", { name: SAMPLE_INCIDENT.title }).waitFor();
    world.incidents.set("inc-2", { ...SAMPLE_INCIDENT, id: "inc-2", title: "A second one" });
    world.control.emit({ kind: "control", state: world.control.stateNow });
    await page.getByRole("link", { name: "A second one" }).waitFor();
  });
});
