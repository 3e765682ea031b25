/**
 * "Done means" of the diagnosis, as a person has it: the demo, one click that breaks a sample provider, and a dashboard
 * on which the incident appears, names what is broken, and ends, without a reload in between.
 */
import { describe, expect, it } from "vitest";
import { launchChromium, openPage } from "../support/chromium.ts";
import { startDemo } from "../support/demo.ts";
import { installed } from "../support/peers.ts";

describe.skipIf(!installed("chromium"))("one click breaks a sample provider", () => {
  it("and the dashboard shows one incident from its beginning to its end", async ({ onTestFinished: finished }) => {
    const demo = await startDemo(finished);
    const browser = await launchChromium();
    finished(() => browser.close());
    const page = await openPage(browser, { viewport: { width: 1280, height: 900 } });
    const wrong: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") wrong.push(message.text());
    });
    page.on("pageerror", (error) => wrong.push(error.message));

    await page.goto(demo.admin);
    await page.getByRole("button", { name: "Break sample pool blue for 30 s" }).click();
    const incident = page.getByRole("link", { name: /blue/ }).first();
    await incident.waitFor();
    await incident.click();
    const heading = page.getByRole("heading", { level: 1 });
    await heading.filter({ hasText: "blue" }).waitFor();
    const story = page.getByRole("main");
    await story
      .getByText(/rescued/)
      .first()
      .waitFor();
    await story
      .getByText(/closed/i)
      .first()
      .waitFor();

    await page.goto(`${demo.admin}/incidents`);
    const listed = page.getByRole("main").getByRole("link", { name: /blue/ });
    await listed.first().waitFor();
    expect(await listed.count()).toBe(1);
    expect(wrong).toEqual([]);
  });
});
