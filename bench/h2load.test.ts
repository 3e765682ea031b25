import { describe, expect, it } from "vitest";
import { readH2loadReport } from "./h2load.ts";

const GOOD = `starting benchmark...
finished in 2.00s, 41210.50 req/s, 21.10MB/s
requests: 82421 total, 82549 started, 82421 done, 82421 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 82549 2xx, 0 3xx, 0 4xx, 0 5xx
`;

describe("a report of h2load", () => {
  it("gives the exchanges and their rate", () => {
    expect(readH2loadReport(GOOD)).toEqual({ exchanges: 82_421, perSecond: 41_210.5, socketErrors: 0, badStatuses: 0 });
  });

  it("gives every kind of error, so that a row with one is flagged", () => {
    const bad = GOOD.replace("82421 succeeded, 0 failed, 0 errored, 0", "82400 succeeded, 21 failed, 3 errored, 2");
    expect(readH2loadReport(bad)).toMatchObject({ socketErrors: 5, badStatuses: 16 });
  });

  it("is not guessed at when it is something else", () => {
    expect(() => readH2loadReport("finished")).toThrow(/not a report/);
  });
});
