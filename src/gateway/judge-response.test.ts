import { expect, it } from "vitest";
import { ResponseParser } from "../http1/parser.ts";
import { judgeResponse } from "./judge-response.ts";
import type { Judgement } from "./judge.ts";

const LIMITS = { headBytes: 8192, fields: 50, lineBytes: 1024, chunkExtensionBytes: 100, trailerBytes: 1000 };

function judged(status: number, ...fields: string[]): Judgement | null {
  let judgement: Judgement | null = null;
  const parser = new ResponseParser(LIMITS, {
    onHead: (head) => (judgement = judgeResponse(head)),
    onBody: () => undefined,
    onEnd: () => undefined,
    onRefusal: (id) => {
      throw new Error(id);
    },
  });
  parser.expect("GET");
  const bytes = Buffer.from([`HTTP/1.1 ${status} X`, "Content-Length: 0", ...fields, "", ""].join("\r\n"));
  parser.execute(bytes, 0, bytes.length);
  return judgement;
}

it.each([100, 200, 204, 304, 400, 404, 429, 499])("a %i is an answer, whoever gave it", (status) => {
  expect(judged(status, "Via: 1.1 other", "Server: nginx")).toBe(null);
});

it.each([500, 501, 503, 504, 511, 599])("a %i without more is the application's own", (status) => {
  expect(judged(status)).toMatchObject({ cause: "origin.app_5xx" });
  expect(judged(status)?.evidence).toContain(String(status));
});

it.each([
  "Proxy-Status: cdn; error=connection_refused",
  "Via: 1.1 varnish",
  "CF-RAY: 1",
  "X-Amz-Cf-Id: 1",
  "X-Envoy-Upstream-Service-Time: 1",
  "X-Served-By: cache-1",
  "Server: nginx/1.2",
  "Server: HAProxy",
  "Server: Goodgate",
])("a 502, 503 or 504 with %j comes from a gateway behind this one, and a 500 does not", (field) => {
  for (const status of [502, 503, 504]) {
    expect(judged(status, field)).toMatchObject({ cause: "origin.nested_gw_5xx" });
    expect(judged(status, field)?.evidence.toLowerCase()).toContain(field.split(":")[0]?.toLowerCase());
  }
  expect(judged(500, field)).toMatchObject({ cause: "origin.app_5xx" });
});

it("names that only begin like a gateway's are none", () => {
  expect(judged(502, "Server: nginxify")).toMatchObject({ cause: "origin.app_5xx" });
});

it("a 503 with Retry-After says that it is overloaded, unless a gateway said it", () => {
  expect(judged(503, "Retry-After: 5")).toMatchObject({ cause: "origin.overload_reply" });
  expect(judged(500, "Retry-After: 5")).toMatchObject({ cause: "origin.app_5xx" });
  expect(judged(503, "Retry-After: 5", "Via: 1.1 x")).toMatchObject({ cause: "origin.nested_gw_5xx" });
});

it("evidence has a bound whatever the origin sends", () => {
  expect(judged(502, `Via: ${"x".repeat(5000)}`)?.evidence.length).toBeLessThan(300);
  expect(judged(503, `Retry-After: ${"9".repeat(5000)}`)?.evidence.length).toBeLessThan(300);
});
