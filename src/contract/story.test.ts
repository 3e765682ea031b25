import { describe, expect, test } from "vitest";
import { STORY_RECORDS, storyRecord } from "../../test/support/story-records.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Outcome } from "./record.ts";
import type { Story } from "./story.ts";
import { tellStory } from "./story.ts";

function storyOf(name: string): Story {
  const record = STORY_RECORDS[name];
  if (record === undefined) throw new Error(`no record is called ${name}`);
  return tellStory(record);
}

function text(story: Story, label: string): string[] {
  return story.lines.filter((line) => line.label === label).map((line) => line.text);
}

describe("the headline", () => {
  test.each([
    ["served", "GET shop.example.com/api/cart?user=7 was answered with 200 by http://127.0.0.1:3001 in 12.3 ms."],
    [
      "rescued from a refused connection",
      "GET shop.example.com/api/cart?user=7 was rescued in 12.3 ms: 1 attempt failed, then http://127.0.0.1:3002 answered with 200.",
    ],
    ["a payment that must not run twice", /^POST shop\.example\.com\/api\/payments failed after 9\.4 ms with 502: \w/],
    ["a body that was cut", /got 200 from http:\/\/127\.0\.0\.1:3001 and was cut after 12 MiB of the body: \w/],
    ["the origin's own error", /got 500 from http:\/\/127\.0\.0\.1:3001 and the client got that answer untouched: \w/],
    ["a malformed request", /^A message from 203\.0\.113\.7 was refused with 400: .+ \(bare-lf\)\.$/],
    [
      "a client that left",
      "GET shop.example.com/api/cart?user=7: the client left after 3.2 s, before there was an answer.",
    ],
    ["a WebSocket", "GET shop.example.com/live became a tunnel to http://127.0.0.1:3001, open for 12 min 34 s."],
  ])("of %s", (name, headline) => {
    expect(storyOf(name).headline).toMatch(headline);
  });

  test("of a call of gRPC has its outcome and not the 200 that HTTP always says", () => {
    const call = { method: "POST", target: "/shop.Cart/Add", originStatus: 200, status: 200, replyUs: 9_000 } as const;
    const failed = { ...call, outcome: "failed", cause: "origin.grpc_error", party: "origin" } as const;
    const unavailable = tellStory(storyRecord({ ...failed, grpcStatus: 14 }));
    expect(unavailable.headline).toMatch(
      /^POST shop\.example\.com\/shop\.Cart\/Add got grpc-status UNAVAILABLE \(14\) from \S+ and the client got that answer untouched: /,
    );
    expect(text(unavailable, "grpc-status")).toEqual([
      "UNAVAILABLE (14), said by the origin: the service cannot be reached or takes no calls now; the same call may go well in a moment",
    ]);
    expect(tellStory(storyRecord({ ...failed, grpcStatus: -1 })).headline).toContain(
      "got 200 without a grpc-status from",
    );
    const late = { ...failed, cause: "origin.deadline", grpcStatus: 4 } as const;
    expect(tellStory(storyRecord(late)).headline).toContain("got grpc-status DEADLINE_EXCEEDED (4) from");
    const missing = tellStory(storyRecord({ ...call, grpcStatus: 5 }));
    expect(missing.headline).toContain("was answered with grpc-status NOT_FOUND (5) by");
    const ours = tellStory(
      storyRecord({
        ...call,
        outcome: "failed",
        cause: "origin.refused",
        party: "origin",
        originStatus: 0,
        grpcStatus: 14,
      }),
    );
    expect(ours.headline).toContain("with grpc-status UNAVAILABLE (14): ");
    expect(text(ours, "grpc-status")[0]).toContain("said by the gateway");
    expect(text(tellStory(storyRecord({ ...call, grpcStatus: 0 })), "grpc-status")).toEqual([
      "OK (0), said by the origin: the call went well",
    ]);
    expect(text(tellStory(storyRecord(call)), "grpc-status")).toEqual([]);
    expect(text(tellStory(storyRecord({ ...call, grpcStatus: 77 })), "grpc-status")).toEqual([
      "an unknown status (77), said by the origin",
    ]);
  });

  test("says how much a client took that left during the response", () => {
    const story = tellStory(
      storyRecord({ outcome: "aborted", cause: "client.abort_body", party: "client", responseBytes: 70_000 }),
    );
    expect(story.headline).toMatch(/the client left after 12\.3 ms, having taken 68\.4 KiB of the response\.$/);
  });

  test("says that another origin went on with a body, and why", () => {
    const reason = "10.0.0.2:80 goes on from byte 1000";
    const story = tellStory(
      storyRecord({ outcome: "rescued", decisions: [{ step: "relay", code: "resume.continued", reason }] }),
    );
    expect(story.headline).toMatch(/then http:\/\/127\.0\.0\.1:3001 went on with the body\.$/);
    expect(text(story, "Resume")).toEqual([`${reason} [resume.continued]`]);
  });

  test("keeps the capitals of an acronym", () => {
    for (const cause of Object.keys(CAUSES) as CauseId[]) {
      const { headline } = tellStory(storyRecord({ outcome: "failed", cause, status: 502, originStatus: 0 }));
      expect(headline).not.toMatch(/: (dNS|hTTP|tCP|tLS|eOF)/);
    }
  });
});

describe("fault and evidence", () => {
  test("the party at fault, the cause and its meaning, and the evidence come first", () => {
    const story = storyOf("a payment that must not run twice");
    expect(story.lines.slice(0, 3)).toEqual([
      { label: "At fault", text: "the origin" },
      { label: "Cause", text: `origin.reset_before_response: ${CAUSES["origin.reset_before_response"].means}` },
      { label: "Evidence", text: "RST after 0 response bytes, on a new connection" },
    ]);
  });

  test("an exchange that went well has no fault", () => {
    expect(text(storyOf("served"), "At fault")).toEqual([]);
  });

  test("a rescue names the cause of the attempt that failed, and that the client did not notice", () => {
    const story = storyOf("the idle connection that was closed");
    expect(text(story, "At fault")).toEqual(["the configuration; the client did not notice"]);
    expect(text(story, "Evidence")).toEqual([
      "FIN after 0 response bytes, on a connection that had been idle for 5012 ms",
    ]);
    expect(story.lookFirst).toBe(CAUSES["origin.keepalive_race"].lookFirst);
  });

  test("the record's party outranks the table's, because the judge saw more than the cause says", () => {
    const story = tellStory(
      storyRecord({
        outcome: "failed",
        cause: "origin.all_unhealthy",
        party: "configuration",
        status: 503,
        originStatus: 0,
      }),
    );
    expect(text(story, "At fault")).toEqual(["the configuration"]);
  });
});

describe("attempts and retries", () => {
  test("an attempt that never connected says that nothing was sent", () => {
    expect(text(storyOf("failed on every origin"), "Attempt 1")[0]).toContain("never connected, so nothing was sent");
  });

  test("an attempt on a used connection tells its age, its idle time and its uses", () => {
    expect(text(storyOf("the idle connection that was closed"), "Attempt 1")[0]).toContain(
      "on a connection 9.1 s old and idle for 5 s, which had carried 4 exchanges",
    );
  });

  test("an attempt that the client's leaving ended is not called a failure", () => {
    expect(text(storyOf("a client that left"), "Attempt 1")[0]).toContain("was given up before a response came");
  });

  test("every decision about a retry is told with its code, in the order in which it was made", () => {
    expect(text(storyOf("failed on every origin"), "Retry")).toEqual([
      "tried again: nothing had been sent, so another origin may take it [retry.allowed.never-sent]",
      "not tried again: every origin of the pool has been tried [retry.refused.no-other-origin]",
    ]);
  });

  test("where no decision was recorded none is invented; the rule is told instead", () => {
    expect(text(storyOf("no byte in time"), "Retry")).toEqual([
      "no decision was recorded; the rule for this cause: the origin may have run the request, so only an idempotent one may be sent again [R1]",
    ]);
  });

  test("an exchange without an attempt says that no origin was contacted", () => {
    expect(text(storyOf("a name that does not resolve"), "Attempts")).toEqual(["none: no origin was contacted"]);
  });
});

describe("the timeline", () => {
  test("is in order of time and leaves out what was not reached", () => {
    for (const name of Object.keys(STORY_RECORDS)) {
      const times = storyOf(name).timeline.map((moment) => moment.atUs);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect(times[0]).toBe(0);
    }
  });

  test("keeps the order of the steps where times are equal", () => {
    const { timeline } = tellStory(storyRecord({ headUs: 0, routedUs: 0 }));
    expect(timeline.slice(0, 3).map((moment) => moment.text)).toEqual([
      "first byte of the request",
      "request head complete",
      "routed to shop / default",
    ]);
  });
});

test("every outcome with every cause, or none, makes a story with a first thing to look at", () => {
  const outcomes: Outcome[] = ["served", "rescued", "failed", "refused", "aborted"];
  for (const outcome of outcomes) {
    for (const cause of [null, ...(Object.keys(CAUSES) as CauseId[])]) {
      const story = tellStory(storyRecord({ outcome, cause, party: null }));
      expect(story.headline).toMatch(/\.$/);
      expect(story.lookFirst).not.toBe("");
      for (const line of story.lines) expect(line.text).not.toMatch(/undefined|null|NaN/);
    }
  }
});
