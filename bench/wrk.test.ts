import { describe, expect, it } from "vitest";
import { readWrkReport } from "./wrk.ts";

const GOOD = `Running 1s test @ http://127.0.0.1:1/500
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.19ms  256.07us   4.52ms   92.71%
    Req/Sec     6.74k   363.93     7.11k    90.91%
  7384 requests in 1.10s, 5.51MB read
Requests/sec:   6715.52
Transfer/sec:      5.01MB
`;

describe("a report of wrk", () => {
  it("gives the exchanges and their rate", () => {
    expect(readWrkReport(GOOD)).toEqual({ exchanges: 7_384, perSecond: 6_715.52, socketErrors: 0, badStatuses: 0 });
  });

  it("gives every kind of error, so that a row with one is flagged", () => {
    const bad = GOOD.replace(
      "Requests/sec",
      "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 17\nRequests/sec",
    );
    expect(readWrkReport(bad)).toMatchObject({ socketErrors: 10, badStatuses: 17 });
  });

  it("is not guessed at when it is something else", () => {
    expect(() => readWrkReport("unable to connect to 127.0.0.1:1 Connection refused")).toThrow(/not a report/);
  });
});
