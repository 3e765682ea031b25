import { describe, expect, it } from "vitest";
import type { Answered } from "../../contract/rungs.ts";
import { resultOf } from "./same-request.ts";

const FAILED = { request: null, text: "GET /", address: "", isSilence: false };

function result(answer: Partial<Answered>, isSilence = false): string {
  const whole: Answered = { ok: true, ms: 1, text: "", failure: "", status: 200, bodyBytes: 0, date: "" };
  return resultOf({ ...whole, ...answer }, { ...FAILED, isSilence });
}

describe("the answer to a request that is asked again", () => {
  it("holds when there is one that is whole, whatever the application makes of it", () => {
    expect(result({})).toBe("holds");
    expect(result({ status: 404 })).toBe("holds");
  });

  it("breaks when there is none, when it is cut, and when it says that something failed", () => {
    expect(result({ ok: false, failure: "silent", status: 0 })).toBe("breaks");
    expect(result({ ok: false, failure: "cut", status: 200 })).toBe("breaks");
    expect(result({ status: 503 })).toBe("breaks");
    expect(result({ ok: false, failure: "silent", status: 502 })).toBe("breaks");
  });

  it.each([401, 403, 407, 429])("says nothing when it depends on who asks: %i", (status) => {
    expect(result({ status })).toBe("unknown");
  });

  it("that falls silent after its head is broken where silence is what failed, and may be a stream elsewhere", () => {
    const silent = { ok: false, failure: "silent", status: 200 } as const;
    expect(result(silent, true)).toBe("breaks");
    expect(result(silent)).toBe("unknown");
  });
});
