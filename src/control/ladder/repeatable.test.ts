import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CauseId } from "../../kernel/causes.ts";
import { whyNotRepeated } from "./repeatable.ts";

function why(
  method: string,
  target: string,
  rest: { cause?: CauseId; requestBytes?: number; tunnel?: boolean } = {},
): string | null {
  const { cause = "origin.app_5xx", requestBytes = 0, tunnel = false } = rest;
  return whyNotRepeated({ method, target, requestBytes, tunnel }, { cause });
}

describe("a request that failed", () => {
  it.each([
    ["GET", "/"],
    ["HEAD", "/cart"],
    ["OPTIONS", "/api/items"],
    ["GET", "/articles/2026/how-gateways-fail-and-how-to-tell"],
    ["GET", "/items?page=2&sort=name&lang=de-AT"],
    ["GET", "/caf%C3%A9/menu"],
    ["GET", "/img/logo.svg?w=200&h=100"],
  ])("is sent once more when it asks and does nothing: %s %s", (method, target) => {
    expect(why(method, target)).toBeNull();
  });

  it.each([
    ["POST", "/cart", "POST may do something"],
    ["DELETE", "/cart/1", "DELETE may do something"],
    ["get", "/cart", "get may do something"],
    ["GET", "/account/delete", "its path names an act (delete)"],
    ["GET", "/users/7/confirmEmail", "its path names an act (confirm)"],
    ["GET", "/%75nsubscribe", "its path names an act (unsubscribe)"],
    ["GET", "/invoice/9f86d081884c7d659a2feaa0c55ad015", "a part of its path may be a secret"],
    ["GET", "/share/550e8400-e29b-41d4-a716-446655440000", "a part of its path may be a secret"],
    ["GET", "/cart;jsessionid=1", "its path has parameters"],
    ["GET", "/items?token=abc", "its query has more than a page's number, order, size or language"],
    ["GET", "/items?page=1&q=me", "its query has more than a page's number, order, size or language"],
    ["GET", "/items?page=eyJhbGciOiJIUzI1NiJ9eyJhbGci", "a value of its query may be a secret"],
    ["GET", "/items?page=1=2", "a value of its query may be a secret"],
    ["GET", "/%E0%A4%A", "its path cannot be read"],
    ["GET", "http://elsewhere.example/", "its target is none of an origin's own"],
    ["GET", "/a b", "its target is none of an origin's own"],
    ["OPTIONS", "*", "its target is none of an origin's own"],
    ["GET", `/${"a/".repeat(600)}`, "its target is too long"],
  ])("is not when that cannot be seen: %s %s", (method, target, because) => {
    expect(why(method, target)).toBe(because);
  });

  it("is not when it may be what breaks the origin, had content, or was no request of HTTP any more", () => {
    expect(why("GET", "/", { cause: "origin.reset_before_response" })).toBe("it may be what breaks the origin");
    expect(why("GET", "/", { cause: "origin.poison" })).toBe("it may be what breaks the origin");
    expect(why("GET", "/", { requestBytes: 12 })).toBe("it had content");
    expect(why("GET", "/", { tunnel: true })).toBe("it asked for another protocol");
  });

  it("never throws, and never lets a target through that could end its line", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = Buffer.from(bytes).toString("latin1");
        const because = why("GET", `/${text}`);
        if (because === null) expect(`/${text}`).toMatch(/^\/[!-~]*$/);
      }),
    );
  });
});
