import { describe, expect, it } from "vitest";
import { readTimingReport } from "./handshakes.ts";

const FULL = `Collecting connection statistics for 1 seconds
***************

65 connections in 0.09s; 722.22 connections/user sec, bytes read 50830
65 connections in 2 real seconds, 782 bytes read per connection
`;
const RESUMED = `

Now timing with session id reuse.
starting
rrrrrrrrrrrrr

78 connections in 0.04s; 1950.00 connections/user sec, bytes read 60996
78 connections in 2 real seconds, 782 bytes read per connection
`;

describe("a report of openssl s_time", () => {
  it("gives the connections and their rate, of both kinds", () => {
    const well = { socketErrors: 0, badStatuses: 0 };
    expect(readTimingReport(FULL, false)).toEqual({ exchanges: 65, perSecond: 32.5, ...well });
    expect(readTimingReport(RESUMED, true)).toEqual({ exchanges: 78, perSecond: 39, ...well });
  });

  it("flags handshakes of the other kind, and answers that are too short to be the file", () => {
    expect(readTimingReport(RESUMED.replace("rrr", "*rr"), true).socketErrors).toBe(1);
    expect(readTimingReport(FULL.replace("**", "rr"), false).socketErrors).toBe(2);
    expect(readTimingReport(FULL.replace("782 bytes", "150 bytes"), false).badStatuses).toBe(65);
  });

  it("is not taken for one when it is none", () => {
    expect(() => readTimingReport("ERROR\n", false)).toThrow(/not a report/);
  });
});
