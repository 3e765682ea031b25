/** The page that waits, in a real browser: readable on a phone and in the dark, and it asks again by itself. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderWaitingPage } from "../../src/gateway/waiting-page.ts";
import { launchChromium, openPage } from "../support/chromium.ts";
import { installed } from "../support/peers.ts";

const html = renderWaitingPage({ requestId: "5f2a9c0133b14c6a8be1f2d0aa41c7e9", seconds: 1 });

describe.skipIf(!installed("chromium"))("the page that waits", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
  });

  it.each([
    ["light", 320],
    ["light", 1200],
    ["dark", 320],
    ["dark", 1200],
  ] as const)("fits and can be read in %s at %i pixels", async (colorScheme, width) => {
    const page = await openPage(browser, { colorScheme, viewport: { width, height: 640 } });
    await page.setContent(renderWaitingPage({ requestId: "5f2a9c0133b14c6a8be1f2d0aa41c7e9", seconds: 3_600 }));
    // Text, because it runs in the page, whose types are not those of this program.
    const seen = (await page.evaluate(`(() => {
      const brightness = (color) => color.match(/[0-9]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
      const style = getComputedStyle(document.querySelector("main"));
      return {
        overflow: document.documentElement.scrollWidth - innerWidth,
        ink: brightness(style.color),
        paper: brightness(style.backgroundColor),
        headings: document.querySelectorAll("h1").length,
        lang: document.documentElement.lang,
      };
    })()`)) as { overflow: number; ink: number; paper: number; headings: number; lang: string };
    expect(seen).toMatchObject({ overflow: 0, headings: 1, lang: "en" });
    expect(Math.abs(seen.ink - seen.paper)).toBeGreaterThan(150);
    expect(seen.ink > seen.paper).toBe(colorScheme === "dark");
    await page.context().close();
  });

  it("asks again by itself, with the ticket that it got", async () => {
    const cookies: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      if (request.url === "/") cookies.push(request.headers.cookie);
      response.writeHead(503, { "content-type": "text/html", "set-cookie": "goodgate-wait=x; Path=/; HttpOnly" });
      response.end(cookies.length < 2 ? html : "<title>in</title>");
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const page = await openPage(browser, { javaScriptEnabled: false });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await expect.poll(() => cookies.length).toBe(2);
    expect(cookies).toEqual([undefined, "goodgate-wait=x"]);
    await page.context().close();
    server.closeAllConnections();
    server.close();
  });
});
