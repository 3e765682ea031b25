import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../test/support/until.ts";
import { openStatusSite } from "./status-site.ts";
import type { StatusSite } from "./status-site.ts";

const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

function opened(options: Partial<Parameters<typeof openStatusSite>[0]>): StatusSite {
  const site = openStatusSite({ bind: null, directory: "", page: () => null, onFailure: () => undefined, ...options });
  ended.push(() => site.close());
  return site;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "goodgate-status-"));
  ended.push(() => rmSync(path, { recursive: true }));
  return path;
}

describe("where the status page is shown", () => {
  it("serves the page and its feed and nothing else, with no script allowed", async () => {
    let page: { html: string; rss: string } | null = null;
    const site = opened({ bind: { host: "127.0.0.1", port: 0 }, page: () => page });
    const port = await until("the listener", () => site.port());
    const base = `http://127.0.0.1:${port}`;
    expect((await fetch(base)).status).toBe(503);
    page = { html: "<p>well</p>", rss: "<rss/>" };
    const got = await fetch(base);
    expect([got.status, await got.text()]).toEqual([200, "<p>well</p>"]);
    expect(got.headers.get("content-security-policy")).toContain("default-src 'none'");
    const again = await fetch(base, { headers: { "if-none-match": got.headers.get("etag") ?? "" } });
    expect(again.status).toBe(304);
    expect(await (await fetch(`${base}/feed.xml?x=1`)).text()).toBe("<rss/>");
    expect((await fetch(`${base}/api/v1/status`)).status).toBe(404);
    expect((await fetch(base, { method: "POST" })).status).toBe(405);
  });

  it("writes both files whole, and leaves nothing beside them", async () => {
    const directory = join(folder(), "new");
    const site = opened({ directory, page: () => ({ html: "<p>1</p>", rss: "<rss/>" }) });
    site.refresh();
    await site.close();
    expect(readFileSync(join(directory, "index.html"), "utf8")).toBe("<p>1</p>");
    expect(readdirSync(directory).toSorted()).toEqual(["feed.xml", "index.html"]);
  });

  it("tells once that it cannot be written, and goes on", async () => {
    const parent = folder();
    writeFileSync(join(parent, "file"), "");
    const told: string[] = [];
    const page = { html: "", rss: "" };
    const site = opened({
      directory: join(parent, "file"),
      page: () => page,
      onFailure: (detail) => told.push(detail),
    });
    site.refresh();
    await until("the first complaint", () => told[0] ?? null);
    site.refresh();
    await site.close();
    expect(told).toEqual([expect.stringContaining("(EEXIST)")]);
  });
});
