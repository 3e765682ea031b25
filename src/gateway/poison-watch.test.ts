/** What workers tell each other of requests that keep origins busy; the rest is in policies/poison.test.ts and sim/. */
import { expect, test } from "vitest";
import type { News } from "../contract/shared-knowledge.ts";
import { PLAIN } from "../kernel/socket.ts";
import { ClientRequest } from "./client-request.ts";
import { newExchangeRecord } from "./new-record.ts";
import { PoisonWatch } from "./poison-watch.ts";

const FINGERPRINT = "p1";

function pinned(origin: string): Extract<News, { kind: "poison" }> {
  return {
    kind: "poison",
    service: "shop",
    what: "pinned",
    fingerprint: FINGERPRINT,
    origin,
    agoMs: 20,
    sentAgoMs: 500,
  };
}

function likeIt(): ClientRequest {
  const end = { remoteAddress: "10.9.0.1", remotePort: 4000, localAddress: "10.0.0.1", localPort: 80 };
  const request = new ClientRequest({ ...end, carrier: PLAIN });
  request.complete = true;
  request.fingerprint = FINGERPRINT;
  return request;
}

test("a request that kept one origin busy at each of two other workers is kept away here", () => {
  const told: string[] = [];
  const watch = new PoisonWatch(
    "shop",
    null,
    (detail) => told.push(detail),
    () => "none up",
  );
  const record = newExchangeRecord("1", 0, "main");
  watch.hear(pinned("10.0.0.1:80"), 10_000);
  expect(watch.admit(likeIt(), record, 10_100)).toMatchObject({ kind: "pass" });
  watch.hear(pinned("10.0.0.2:80"), 10_200);
  expect(watch.admit(likeIt(), record, 10_300)).toMatchObject({ kind: "refuse", untilMs: 10_000 });
  expect(told).toEqual([expect.stringContaining("10.0.0.1:80 and 10.0.0.2:80 so busy that nobody else was answered")]);
  expect(watch.quarantines).toBe(1);
});
