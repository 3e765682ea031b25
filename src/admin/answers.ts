/**
 * The kinds of answer that the admin surface gives, each with the fields that keep a browser from doing
 * anything but show it: no sniffing, no framing, no sharing across origins, no keeping. There is no CORS
 * on purpose: what another site's script may not read, it cannot leak.
 */
import type { AdminResponse } from "../contract/admin-http.ts";
import type { Problem } from "../contract/api-responses.ts";

type Headers = Readonly<Record<string, string>>;

export const SAFE_HEADERS: Headers = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** A whole answer; `headers` may replace the safe ones (pages bring a policy of their own). */
export function respond(status: number, contentType: string, body: string, headers: Headers = {}): AdminResponse {
  return {
    kind: "response",
    status,
    headers: {
      ...SAFE_HEADERS,
      "content-type": contentType,
      "content-length": String(new TextEncoder().encode(body).length),
      ...headers,
    },
    body,
  };
}

/** Indented, because people read it with curl; a machine pays a few per cent for that. */
export function respondJson(value: unknown): AdminResponse {
  return respond(200, "application/json", `${JSON.stringify(value, null, 2)}\n`);
}

/** RFC 9457. The title follows from the status, as `about:blank` demands; the code tells one from the other. */
export function respondProblem(problem: Omit<Problem, "title">, headers: Headers = {}): AdminResponse {
  const whole: Problem = { title: PHRASES[problem.status] ?? "Error", ...problem };
  return respond(problem.status, "application/problem+json", `${JSON.stringify(whole, null, 2)}\n`, headers);
}

/** What a HEAD request gets: all but the body. */
export function withoutBody(response: AdminResponse): AdminResponse {
  const { bytes: _bytes, ...head } = response;
  return { ...head, body: "" };
}

const PHRASES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  415: "Unsupported Media Type",
  503: "Service Unavailable",
};

/** An answer made of something that is at hand where this process does it itself, and comes later where others do. */
export function whenKnown<Value>(
  value: Value | Promise<Value>,
  answer: (value: Value) => AdminResponse,
): AdminResponse | Promise<AdminResponse> {
  return value instanceof Promise ? value.then(answer) : answer(value);
}
