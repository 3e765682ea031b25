import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { renderFailurePage } from "./failure-page.ts";
import type { FailurePage } from "./failure-page.ts";

const PAGE: FailurePage = {
  status: 502,
  phrase: "Bad Gateway",
  sentence: "No usable answer.",
  requestId: "id-1",
  retries: true,
  retryAfterSeconds: 0,
};

it("shows what happened and the reference, and fetches nothing from anywhere", () => {
  const page = renderFailurePage(PAGE);
  expect(page).toContain("<h1>502 Bad Gateway</h1>");
  expect(page).toContain("No usable answer.");
  expect(page).toContain("<code>id-1</code>");
  expect(page).not.toMatch(/\b(?:src|href)="[^"]/);
  expect(page).not.toContain("//");
  expect(page).toContain('<html lang="en">');
});

it("cannot be made to run what somebody wrote into a text or an id", () => {
  const evil = `"><script>alert('x')</script>&`;
  const page = renderFailurePage({ ...PAGE, sentence: evil, requestId: evil, phrase: evil });
  expect(page).not.toContain("<script>alert");
  expect(page.match(/<script>/g)).toHaveLength(1);
});

it("has no script at all where nothing is tried again", () => {
  expect(renderFailurePage({ ...PAGE, retries: false })).not.toContain("<script");
});

/** Runs the page's script with a stored count and a die, and returns the wait that it chose, in seconds. */
function waitOf(
  stored: string | null,
  roll: number,
  retryAfterSeconds = 0,
): { seconds: number; stored: string; said: string } {
  const script = /<script>([\s\S]*?)<\/script>/.exec(renderFailurePage({ ...PAGE, retryAfterSeconds }))?.[1] ?? "";
  const said = { data: "" };
  const outcome = { seconds: -1, stored: "" };
  runInNewContext(script, {
    sessionStorage: {
      getItem: () => stored,
      setItem: (_key: string, value: unknown) => (outcome.stored = String(value)),
    },
    document: { getElementById: () => ({ firstChild: said }) },
    location: { reload: () => undefined },
    setTimeout: (_run: () => void, ms: number) => (outcome.seconds = ms / 1000),
    Math: Object.assign(Object.create(Math) as Math, { random: () => roll }),
  });
  return { ...outcome, said: said.data };
}

it("waits longer each time, never in step with others, and has a bound", () => {
  expect(waitOf(null, 0).seconds).toBe(2.5);
  expect(waitOf(null, 0.999).seconds).toBeCloseTo(5, 1);
  expect(waitOf("1", 0).seconds).toBe(5);
  expect(waitOf("4", 0.999).seconds).toBeCloseTo(80, 0);
  expect(waitOf("400", 0.999).seconds).toBeCloseTo(80, 0);
  expect(waitOf("nonsense", 0).seconds).toBe(2.5);
  expect(waitOf(null, 0).stored).toBe("1");
  expect(waitOf(null, 0).said).toContain("in 3 seconds");
});

it("does not come before the time that it was told, and still not in step with others", () => {
  const [early, late] = [waitOf(null, 0, 30).seconds, waitOf(null, 0.999, 30).seconds];
  expect(early).toBeGreaterThanOrEqual(30);
  expect(late).toBeGreaterThan(early + 1);
});
