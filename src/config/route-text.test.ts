import { expect, test } from "vitest";
import { checkValue } from "./load.ts";
import { routeTexts } from "./route-text.ts";

function texts(route: Record<string, unknown>, method: string): string[] {
  const value = { services: { shop: { pools: [{ origins: ["http://a"] }], routes: [{ name: "one", ...route }] } } };
  const { settings, problems } = checkValue(value);
  const found = settings?.services[0]?.routes.find(({ name }) => name === "one");
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return routeTexts(found, method);
}

test("a read under the defaults", () => {
  expect(texts({}, "GET")).toEqual([
    "Class normal: turned away after what is background and before what is critical.",
    "Deadline: none, unless the client sets one; 15s for each first byte.",
    "Cache: only last good copies of what origins mark as storable, up to 1d past their freshness when no origin answers.",
    "Idempotency-Key: has no meaning here, GET is idempotent.",
    "Fallback: none; the gateway answers with a page of its own.",
  ]);
});

test("a read of a route that is always online", () => {
  const route = {
    class: "background",
    deadline: "5s",
    timeouts: { firstByte: false },
    cache: { staleIfError: "2h" },
    fallback: { file: "/srv/sorry.html", when: ["overload"] },
  };
  expect(texts(route, "GET")).toEqual([
    "Class background: turned away first when there is no room.",
    "Deadline: a response begins within 5s, all attempts together; no limit for a first byte.",
    "Cache: stored responses answer while they are fresh, and up to 2h past their freshness when no origin answers, 2h when one answers 500, 502, 503 or 504.",
    "Idempotency-Key: has no meaning here, GET is idempotent.",
    'Fallback: 503 with "/srv/sorry.html" as text/html; charset=utf-8 when there is no room.',
  ]);
});

test("a payment", () => {
  const route = {
    class: "critical",
    idempotencyKey: { mode: "required", keep: "7d", origins: "honour" },
    fallback: { body: "later" },
  };
  expect(texts(route, "POST")).toEqual([
    "Class critical: turned away last when there is no room.",
    "Deadline: none, unless the client sets one; 15s for each first byte.",
    "Cache: it answers GET and HEAD, not POST.",
    "Idempotency-Key: required, remembered for 7d, and sent again with it, because the origins honour it.",
    "Fallback: for GET and HEAD, not POST.",
  ]);
});

test("what is switched off is said to be", () => {
  expect(texts({ cache: false }, "HEAD")[2]).toBe("Cache: off, and no last good copy is kept.");
  expect(texts({ idempotencyKey: "off" }, "PATCH")[3]).toBe("Idempotency-Key: passed on and not looked at.");
});
