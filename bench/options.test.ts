import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("the command line of the benchmark", () => {
  it("measures everything in five rounds when nothing is said", () => {
    expect(parseOptions([])).toMatchObject({
      rounds: 5,
      seconds: 5,
      idleConnections: 5_000,
      accessLog: true,
      write: false,
    });
  });

  it("takes a few seconds with --quick, unless it is told more", () => {
    expect(parseOptions(["--quick"])).toMatchObject({
      rows: ["small", "64k"],
      rounds: 1,
      seconds: 1,
      idleConnections: 500,
    });
    expect(parseOptions(["--quick", "--rows", "close", "--rounds", "2"])).toMatchObject({
      rows: ["close"],
      rounds: 2,
      seconds: 1,
    });
  });

  it("names what it knows when it is given something else", () => {
    expect(() => parseOptions(["--rows", "tiny"])).toThrow(
      /--rows: no "tiny"; known: small, 64k, 1m, post, close, idle/,
    );
    expect(() => parseOptions(["--rounds", "0"])).toThrow(/--rounds is a whole number from 1/);
    expect(() => parseOptions(["--access-log", "maybe"])).toThrow(/on or off/);
  });
});
