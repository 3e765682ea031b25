/**
 * A browser for tests, as patient as they are: the limits of its own (half a minute for whatever is waited for) are met by
 * a machine that is merely busy.
 */
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";
const PATIENCE_MS = 240_000;

export function launchChromium(...args: readonly string[]): Promise<Browser> {
  // Without its sandbox, which a container that runs as root does not give.
  return chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox", ...args], timeout: PATIENCE_MS });
}

/** A page that shares nothing with others: closing its context ends all of it. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  return context.newPage();
}
