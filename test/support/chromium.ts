/**
 * A browser for tests, as patient as they are: the limits of its own (half a minute for whatever is waited for) are met by
 * a machine that is merely busy. What other tests do to the network of the machine does not reach it (chromium-apart.py).
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";
/** What runs it in such a way. */
export const APART = fileURLToPath(new URL("chromium-apart.py", import.meta.url));
const PATIENCE_MS = 240_000;

export function launchChromium(...args: readonly string[]): Promise<Browser> {
  const executablePath = hasPython() ? APART : EXECUTABLE;
  // Without its sandbox, which a container that runs as root does not give.
  return chromium.launch({ executablePath, args: ["--no-sandbox", ...args], timeout: PATIENCE_MS });
}

function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A page that shares nothing with others: closing its context ends all of it. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  return context.newPage();
}
