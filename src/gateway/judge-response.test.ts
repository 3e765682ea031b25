import { describe, expect, it } from "vitest";
import { ResponseParser } from "../http1/parser.ts";
import { judgeResponse } from "./judge-response.ts";
import type { AnswerJudgement } from "./judge-response.ts";

const LIMITS = { headBytes: 8192, fields: 50, lineBytes: 1024, chunkExtensionBytes: 100, trailerBytes: 1000 };

function judged(status: number, ...fields: string[]): AnswerJudgement | null {
  return parsed([`HTTP/1.1 ${status} X`, "Content-Length: 0", ...fields], 0);
}

function parsed(lines: readonly string[], bodyBytes: number): AnswerJudgement | null {
  let judgement: AnswerJudgement | null = null;
  const parser = new ResponseParser(LIMITS, {
    onHead: (head) => (judgement = judgeResponse(head)),
    onBody: () => undefined,
    onEnd: () => undefined,
    onRefusal: (id) => {
      throw new Error(id);
    },
  });
  parser.expect("GET");
  const bytes = Buffer.from([...lines, "", "x".repeat(bodyBytes)].join("\r\n"));
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

describe("a gateway behind this one", () => {
  it.each([
    "Via: 1.1 varnish",
    "CF-RAY: 1",
    "X-Amz-Cf-Id: 1",
    "X-Served-By: cache-1",
    "Server: nginx/1.2",
    "Server: HAProxy",
    "Server: Goodgate",
  ])("that left %j is named for a 502, 503 or 504, and not for a 500: it may have passed that on", (field) => {
    for (const status of [502, 503, 504]) {
      expect(judged(status, field)).toMatchObject({ cause: "origin.nested_gw_5xx" });
      expect(judged(status, field)?.evidence.toLowerCase()).toContain(field.split(":")[0]?.toLowerCase());
    }
    expect(judged(500, field)).toMatchObject({ cause: "origin.app_5xx" });
  });

  it.each([
    "Proxy-Status: cdn; error=connection_refused",
    "cf-error-type: 1101",
    "Server: awselb/2.0",
    "Server: CloudFront",
    "Server: Varnish",
    "Server: kong/3.4.0",
  ])("that says by %j that the answer is its own is named whatever the status", (field) => {
    for (const status of [500, 502, 503, 504]) {
      const judgement = judged(status, "Via: 1.1 another", field);
      expect(judgement).toMatchObject({
        cause: "origin.nested_gw_5xx",
        marks: [{ says: "made" }, { says: "between" }],
      });
      expect(judgement?.evidence).toContain("made by a gateway behind this one");
    }
  });

  it.each([
    "Proxy-Status: cdn; received-status=503",
    "X-Envoy-Upstream-Service-Time: 12",
    "Content-Type: application/json",
    "Content-Type: application/problem+json; charset=utf-8",
  ])("that passed somebody else's answer on, by %j, did not make it", (field) => {
    for (const status of [500, 502, 503, 504]) {
      const judgement = judged(status, "Server: nginx", field);
      expect(judgement).toMatchObject({ cause: "origin.app_5xx", marks: [{ says: "passed" }, { says: "between" }] });
      expect(judgement?.evidence).toContain("passed on by a gateway in between");
    }
  });

  it("has a page of its own that shows in its length, its type or in what it lacks", () => {
    const page = (length: number, ...fields: string[]): AnswerJudgement | null =>
      parsed([`HTTP/1.1 502 Bad Gateway`, `Content-Length: ${length}`, ...fields], length);
    const made = { cause: "origin.nested_gw_5xx", evidence: expect.stringContaining("made by") as string };
    expect(page(157, "Server: nginx/1.22.1", "Date: x", "Content-Type: text/html")).toMatchObject(made);
    expect(page(0, "Server: Caddy", "Date: x")).toMatchObject(made);
    expect(page(107, "Cache-Control: no-cache", "Content-Type: text/html")).toMatchObject(made);
    expect(page(91, "Server: envoy", "Date: x", "Content-Type: text/plain")).toMatchObject(made);
    // A byte more, a type more, a date more: somebody else's, perhaps.
    const between = { cause: "origin.nested_gw_5xx", marks: [{ says: "between" }] };
    expect(page(158, "Server: nginx/1.22.1", "Date: x", "Content-Type: text/html")).toMatchObject(between);
    expect(page(12, "Server: Caddy", "Date: x")).toMatchObject(between);
    expect(page(107, "Cache-Control: no-cache", "Content-Type: text/html", "Date: x")).toMatchObject({
      cause: "origin.app_5xx",
      marks: [],
    });
  });

  it("is named for statuses that only Cloudflare has", () => {
    expect(judged(522, "Server: cloudflare", "CF-RAY: 1")).toMatchObject({ cause: "origin.nested_gw_5xx" });
    expect(judged(522)).toMatchObject({ cause: "origin.app_5xx" });
  });
});

it("marks are bounded, whatever an origin sends", () => {
  const judgement = judged(502, `Via: ${"1.1 a, ".repeat(100)}1.1 b`);
  expect(judgement?.marks[0]?.text.length).toBe(120);
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
