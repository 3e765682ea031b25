/**
 * Serves the dashboard: one document under every path that one of its pages has, and its assets, whose names change with
 * what is in them and which may therefore be kept for ever.
 *
 * These files are the same for everybody and tell nothing, so they need no token: the document asks for it by a form and
 * keeps it for as long as the tab is open. A browser that were asked by a 401 instead would keep it without end.
 */
import type { AdminRequest, AdminResponse } from "../contract/admin-http.ts";
import type { Dashboard, DashboardFile } from "../contract/dashboard.ts";
import { respond, respondProblem } from "./answers.ts";
import { quoted } from "./exchange-query.ts";

/** Of the pages; `{id}` stands for one segment. Links to them are in failure pages and in alerts, so they stay. */
export const DASHBOARD_PAGES = [
  "/",
  "/incidents",
  "/incidents/{id}",
  "/exchanges",
  "/exchanges/{id}",
  "/origins",
] as const;
export const DASHBOARD_ASSETS = "/assets/{id}";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function answerPage(dashboard: Dashboard | null, request: AdminRequest): AdminResponse {
  const file = dashboard?.get("/index.html");
  if (file === undefined) return notBuilt();
  return answerFile(request, file, {
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
  });
}

export function answerAsset(dashboard: Dashboard | null, request: AdminRequest, name: string): AdminResponse {
  const file = dashboard?.get(`/assets/${name}`);
  if (file !== undefined) return answerFile(request, file, { "cache-control": "public, max-age=31536000, immutable" });
  const detail = `The dashboard has no file ${quoted(name)}. After an update of the gateway, load the page again.`;
  return respondProblem({ status: 404, code: "unknown-path", detail });
}

function answerFile(request: AdminRequest, file: DashboardFile, own: Readonly<Record<string, string>>): AdminResponse {
  const validators = { ...own, etag: file.etag, vary: "accept-encoding" };
  if (isKnown(request.headers["if-none-match"] ?? "", file.etag)) {
    const { "content-type": _type, "content-length": _length, ...headers } = respond(304, "", "", validators).headers;
    return { kind: "response", status: 304, headers, body: "" };
  }
  const isCompressed = takesGzip(request.headers["accept-encoding"] ?? "");
  const bytes = isCompressed ? file.gzip : file.raw;
  const headers = {
    ...validators,
    "content-length": String(bytes.length),
    ...(isCompressed ? { "content-encoding": "gzip" } : {}),
  };
  return { ...respond(200, file.type, "", headers), bytes };
}

/** RFC 9110 §13.1.2: the weak comparison, because proxies weaken what they compress. */
function isKnown(field: string, etag: string): boolean {
  return field.split(",").some((one) => one.trim().replace(/^W\//, "") === etag || one.trim() === "*");
}

/** RFC 9110 §12.5.3, as far as gzip is concerned. */
function takesGzip(field: string): boolean {
  return field.split(",").some((one) => {
    const [name = "", ...parameters] = one.split(";").map((part) => part.trim().toLowerCase());
    return (name === "gzip" || name === "*") && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}

function notBuilt(): AdminResponse {
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The dashboard is not built</title>
<h1>The dashboard is not built</h1>
<p>The gateway runs; only this page is missing. In a checkout build it with <code>npm run build</code> and start the gateway again.</p>
<p>Until then: <code>goodgate status</code>, <code>goodgate explain --last</code>, <a href="/api/v1/status">the API</a>, <a href="/metrics">metrics</a>.</p>
</html>
`;
  return respond(503, "text/html; charset=utf-8", page);
}
