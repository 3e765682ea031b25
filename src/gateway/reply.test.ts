import { describe, expect, it } from "vitest";
import { isFieldValue } from "../http1/grammar.ts";
import { REFUSALS } from "../http1/refusals.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { serialiseResponse } from "../http1/serialise.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import { proxyStatus } from "./own-fields.ts";
import { preferredForm, respondToFailure } from "./reply.ts";
import type { Reply, ReplyContext } from "./own-fields.ts";
import type { Failure } from "./reply.ts";

const FAILURE: Failure = {
  cause: "origin.refused",
  status: 0,
  reason: "",
  reasonText: "",
  retryAfterSeconds: 0,
  uncertain: false,
  reset: "",
  fallback: null,
  waiting: null,
};
const CONTEXT: ReplyContext = {
  requestId: "id-1",
  accept: null,
  method: "GET",
  grpc: false,
  keepAlive: true,
  date: "Thu, 01 Jan 1970 00:00:00 GMT",
  name: "goodgate",
  lines: "",
};
const FORMS = [null, "text/html", "application/problem+json"];
const causes = Object.keys(CAUSES) as CauseId[];

function reply(failure: Partial<Failure> = {}, context: Partial<ReplyContext> = {}): Reply {
  return respondToFailure({ ...FAILURE, ...failure }, { ...CONTEXT, ...context });
}

function text({ message }: Reply): string {
  return serialiseResponse(message).toString("utf8");
}

function bodyOf(message: string): string {
  return message.slice(message.indexOf("\r\n\r\n") + 4);
}

describe("the form of a reply", () => {
  it.each([
    [null, "text"],
    ["", "text"],
    ["*/*", "text"],
    ["text/*", "text"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"],
    ["application/json", "problem"],
    ["application/problem+json", "problem"],
    ["application/*", "problem"],
    ["APPLICATION/JSON ; Q=0.5", "problem"],
    ["text/html;q=0.1, application/json;q=0.2", "problem"],
    ["text/html;level=1;q=0.3, text/plain;q=0.2", "html"],
    ["application/json;q=0, text/html;q=0.1", "html"],
    ["application/json;q=nonsense, */*;q=0.1", "text"],
    ["image/png", "text"],
    [`${"x/y,".repeat(5000)}text/html`, "text"],
  ])("for Accept: %s is %s", (accept, form) => {
    expect(preferredForm(accept, "text")).toBe(form);
  });
});

describe("a reply", () => {
  it("has the cause's status unless the failure has its own", () => {
    expect(reply().message.status).toBe(502);
    expect(reply({ cause: "origin.ttfb_timeout" }).message.status).toBe(504);
    expect(reply({ cause: "client.bad_request", status: 431 }).message.status).toBe(431);
  });

  it("carries what the caller needs: reference, kind of trouble, no caching, when to come again", () => {
    const head = text(reply({ retryAfterSeconds: 5 }));
    for (const line of [
      "X-Request-Id: id-1",
      "Proxy-Status: goodgate; error=connection_refused",
      "Cache-Control: no-store",
      "Retry-After: 5",
      "Connection: keep-alive",
      "Date: Thu, 01 Jan 1970 00:00:00 GMT",
    ]) {
      expect(head).toContain(`\r\n${line}\r\n`);
    }
    expect(text(reply({}, { keepAlive: false }))).toContain("\r\nConnection: close\r\n");
    expect(text(reply())).not.toContain("Retry-After");
  });

  it("to HEAD is the head of the reply to GET, without its body", () => {
    for (const accept of FORMS) {
      const get = reply({}, { accept });
      const head = reply({}, { accept, method: "HEAD" });
      expect(bodyOf(text(head))).toBe("");
      expect(head.bodyBytes).toBe(0);
      // The page does not differ: it is the same request that a browser would repeat.
      expect(text(get).startsWith(text(head))).toBe(true);
    }
  });

  it("declares exactly the bytes that it has, for every cause, refusal and form", () => {
    for (const accept of FORMS) {
      for (const cause of causes) {
        if (CAUSES[cause].status === 0) continue;
        const made = reply({ cause }, { accept });
        const bytes = serialiseResponse(made.message);
        const at = bytes.indexOf("\r\n\r\n") + 4;
        expect(/Content-Length: (\d+)/.exec(bytes.toString("latin1"))?.[1]).toBe(String(bytes.length - at));
        expect(made.bodyBytes).toBe(bytes.length - at);
      }
      for (const id of Object.keys(REFUSALS) as RefusalId[]) {
        const { status, meaning } = REFUSALS[id];
        const made = reply({ cause: "client.bad_request", status, reason: id, reasonText: meaning }, { accept });
        const bytes = serialiseResponse(made.message);
        const at = bytes.indexOf("\r\n\r\n") + 4;
        expect(/Content-Length: (\d+)/.exec(bytes.toString("latin1"))?.[1]).toBe(String(bytes.length - at));
        expect(made.message.reason).not.toBe("Error");
      }
    }
  });

  it("never tells what only the operator may know, whatever the cause", () => {
    for (const accept of FORMS) {
      for (const cause of causes) {
        if (CAUSES[cause].status === 0) continue;
        const said = text(reply({ cause }, { accept }));
        expect(said).not.toContain(cause);
        for (const inside of [CAUSES[cause].means, CAUSES[cause].evidence, CAUSES[cause].lookFirst]) {
          expect(said).not.toContain(inside);
        }
        expect(said).not.toMatch(/\d+\.\d+\.\d+\.\d+|localhost|ECONN|node:/);
      }
    }
  });

  it("says to the client what was wrong with its own request", () => {
    const wrong = {
      cause: "client.bad_request" as const,
      status: 400,
      reason: "host-missing",
      reasonText: REFUSALS["host-missing"].meaning,
    };
    expect(text(reply(wrong))).toContain(REFUSALS["host-missing"].meaning);
    const problem = JSON.parse(bodyOf(text(reply(wrong, { accept: "application/json" })))) as Record<string, unknown>;
    expect(problem).toMatchObject({ status: 400, title: "Bad Request", reason: "host-missing", requestId: "id-1" });
    expect(JSON.parse(bodyOf(text(reply({}, { accept: "application/json" }))))).not.toHaveProperty("reason");
  });

  it("is a page that tries again by itself only where trying again may help and does no harm", () => {
    const page = (failure: Partial<Failure>, method: string): string =>
      text(reply(failure, { accept: "text/html", method }));
    expect(page({}, "GET")).toContain("location.reload");
    expect(page({}, "POST")).not.toContain("location.reload");
    expect(page({ cause: "gw.no_route" }, "GET")).not.toContain("location.reload");
  });
});

describe("Proxy-Status", () => {
  it("is a valid field for every cause, with its error where it has one (RFC 9209)", () => {
    for (const cause of causes) {
      const value = proxyStatus(cause, "goodgate");
      expect(isFieldValue(value)).toBe(true);
      expect(value).toMatch(/^goodgate(?:; error=[a-z_]+)?$/);
    }
  });
});
