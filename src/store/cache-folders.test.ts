import { describe, expect, it } from "vitest";
import { cacheFolders } from "./cache-folders.ts";

describe("the folder of stored responses", () => {
  it("of the only process is its own, and what workers left before it is not read again", () => {
    expect(cacheFolders(["cache", "cache-1", "cache-2.3", "keys"], { worker: 0, workers: 1, life: 1 })).toEqual({
      use: "cache",
      remove: ["cache-1", "cache-2.3"],
    });
  });

  it("of a worker goes on after a restart, when nothing can have been missed", () => {
    const found = ["cache-1", "cache-2"];
    expect(cacheFolders(found, { worker: 1, workers: 2, life: 1 })).toEqual({ use: "cache-1", remove: [] });
    expect(cacheFolders(found, { worker: 2, workers: 2, life: 1 })).toEqual({ use: "cache-2", remove: [] });
  });

  it("of one that takes another's place is empty, while that one may still read its own", () => {
    expect(cacheFolders(["cache-1", "cache-2"], { worker: 2, workers: 2, life: 2 })).toEqual({
      use: "cache-2.2",
      remove: [],
    });
    expect(cacheFolders(["cache-2", "cache-2.2"], { worker: 2, workers: 2, life: 3 })).toEqual({
      use: "cache-2.3",
      remove: ["cache-2"],
    });
  });

  it("is not kept over a restart where its place had several lives, or has nobody any more", () => {
    expect(cacheFolders(["cache-2", "cache-2.2"], { worker: 2, workers: 2, life: 1 })).toEqual({
      use: "cache-2",
      remove: ["cache-2", "cache-2.2"],
    });
    expect(cacheFolders(["cache", "cache-1", "cache-3"], { worker: 1, workers: 2, life: 1 })).toEqual({
      use: "cache-1",
      remove: ["cache", "cache-3"],
    });
    // Workers that were more may still be finishing.
    expect(cacheFolders(["cache-1", "cache-3"], { worker: 1, workers: 2, life: 2 }).remove).toEqual([]);
  });
});
