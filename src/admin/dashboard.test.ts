import { describe, expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { NO_ACTIONS } from "../../test/support/no-actions.ts";
import { quietView } from "../../test/support/sample-view.ts";
import type { AdminResponse } from "../contract/admin-http.ts";
import type { Dashboard, DashboardFile } from "../contract/dashboard.ts";
import { createAdmin } from "./admin.ts";
import { DASHBOARD_PAGES } from "./dashboard.ts";

function file(type: string, text: string): DashboardFile {
  return { type, raw: Buffer.from(text), gzip: Buffer.from(`gz ${text}`), etag: `"${text.length}"` };
}

const BUILT: Dashboard = new Map([
  ["/index.html", file("text/html; charset=utf-8", "<!doctype html>")],
  ["/assets/index-D2f1.js", file("text/javascript; charset=utf-8", "run()")],
]);

function world(dashboard: Dashboard | null = BUILT, token: string | null = null) {
  const handle = createAdmin(quietView(), {
    token,
    actions: NO_ACTIONS,
    keys: null,
    control: null,
    dashboard,
    ...manualSchedule(),
  });
  return (target: string, headers: Record<string, string> = {}, method = "GET"): AdminResponse => {
    const [path = "", query = ""] = target.split("?");
    const answer = handle({ method, path, query, headers, body: "" });
    if (answer instanceof Promise || answer.kind !== "response") throw new Error("not an answer at once");
    return answer;
  };
}

const textOf = (answer: AdminResponse): string => Buffer.from(answer.bytes ?? []).toString();

describe("the dashboard", () => {
  it("is one document under the path of each page, whatever the page's query, with a policy that allows only its own files", () => {
    const get = world();
    for (const path of [
      ...DASHBOARD_PAGES.map((page) => page.replace("{id}", "a%2Fb")),
      "/exchanges?cause=dns.nxdomain",
    ]) {
      const answer = get(path);
      expect([answer.status, textOf(answer)], path).toEqual([200, "<!doctype html>"]);
      expect(answer.headers["cache-control"]).toBe("no-cache");
      expect(answer.headers["content-security-policy"]).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    }
  });

  it("hands out assets that may be kept for ever, and says which are not there", () => {
    const get = world();
    const asset = get("/assets/index-D2f1.js");
    expect(asset.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      "content-length": "5",
    });
    expect(get("/assets/index-0000.js").status).toBe(404);
    expect(get("/assets/..%2Findex.html").status).toBe(404);
  });

  it.each([
    ["gzip", true],
    ["br, gzip;q=0.5", true],
    ["*", true],
    ["gzip;q=0, br", false],
    ["gzip; q=0.0", false],
    ["identity", false],
    ["", false],
  ])("is compressed for %j: %s", (accepted, isCompressed) => {
    const answer = world()("/", { "accept-encoding": accepted });
    expect(answer.headers["content-encoding"]).toBe(isCompressed ? "gzip" : undefined);
    expect(answer.headers["content-length"]).toBe(String(textOf(answer).length));
    expect(answer.headers["vary"]).toBe("accept-encoding");
  });

  it("is not sent again to who has it", () => {
    const get = world();
    const { etag = "" } = get("/").headers;
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const answer = get("/", { "if-none-match": known });
      expect([answer.status, answer.bytes, answer.headers["etag"]], known).toEqual([304, undefined, etag]);
      expect(answer.headers["content-length"]).toBeUndefined();
    }
    expect(get("/", { "if-none-match": '"other"' }).status).toBe(200);
  });

  it("has a head alone for HEAD", () => {
    const answer = world()("/", {}, "HEAD");
    expect([answer.bytes, answer.body, answer.headers["content-length"]]).toEqual([undefined, "", "15"]);
  });

  it("needs no token, because it says nothing; what it asks for does", () => {
    const get = world(BUILT, "s3cret");
    expect(get("/").status).toBe(200);
    expect(get("/exchanges/abc").status).toBe(200);
    expect(get("/assets/index-D2f1.js").status).toBe(200);
    for (const path of ["/api/v1/status", "/metrics", "/api/v1/exchanges/abc", "/nowhere"]) {
      expect(get(path).status, path).toBe(401);
    }
  });

  it("says how to build it when it was not", () => {
    const answer = world(null)("/");
    expect(answer.status).toBe(503);
    expect(answer.body).toContain("npm run build");
    expect(world(null)("/assets/index-D2f1.js").status).toBe(404);
  });
});
