import { expect, test } from "vitest";
import { exchangeHref, pageOf, queryOf } from "./router.ts";

test.each([
  ["/", { page: "now" }],
  ["/incidents", { page: "incidents" }],
  ["/incidents/", { page: "incidents" }],
  ["/incidents/inc-1-2", { page: "incident", id: "inc-1-2" }],
  ["/exchanges/a%2Fb", { page: "exchange", id: "a/b" }],
  ["/exchanges/%E0%A4%A", { page: "exchange", id: "%E0%A4%A" }],
  ["/origins", { page: "origins" }],
  ["/origins/x", { page: "nowhere" }],
  ["/exchanges/a/b", { page: "nowhere" }],
  ["/api/v1/status", { page: "nowhere" }],
])("%s", (path, page) => {
  expect(pageOf(path)).toEqual(page);
});

test("an id that has to be encoded leads back to itself", () => {
  const id = "a/b c%?ü#";
  expect(pageOf(exchangeHref(id))).toEqual({ page: "exchange", id });
});

test("filters that are empty are no part of a link", () => {
  expect(queryOf({ cause: "", status: undefined })).toBe("");
  expect(queryOf({ cause: "dns.nxdomain", status: "5xx", route: "a b" })).toBe(
    "?cause=dns.nxdomain&status=5xx&route=a+b",
  );
});
