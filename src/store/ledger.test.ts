import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, test } from "vitest";
import type { Begun, LedgerEntry, LedgerFailure, NewLedgerEntry } from "../kernel/ledger.ts";
import { LEDGER_FILE } from "./ledger-file.ts";
import { openLedger } from "./ledger.ts";
import type { EmbeddedLedger, LedgerEvent } from "./ledger.ts";

const HOUR = 3_600_000;
const folders: string[] = [];
const open: EmbeddedLedger[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((ledger) => ledger.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "goodgate-ledger-"));
  folders.push(made);
  return join(made, "state");
}

interface Opened {
  readonly ledger: EmbeddedLedger;
  readonly events: LedgerEvent[];
  /** Runs what waits for its time. */
  readonly later: () => void;
}

async function opened(directory: string, bytesMax = 1024 * 1024): Promise<Opened> {
  const events: LedgerEvent[] = [];
  const timers: (() => void)[] = [];
  const ledger = await openLedger({
    directory,
    bytesMax,
    schedule: (_ms, run) => {
      timers.push(run);
      return () => undefined;
    },
    onEvent: (event) => events.push(event),
  });
  open.push(ledger);
  return { ledger, events, later: () => timers.shift()?.() };
}

function entry(id: string, change: Partial<NewLedgerEntry> = {}): NewLedgerEntry {
  return {
    id,
    key: `key-${id}`,
    fingerprint: "f",
    service: "shop",
    route: "default",
    method: "POST",
    target: "/pay",
    requestId: "r1",
    startedAt: 1_000,
    expiresAt: 1_000 + 24 * HOUR,
    ...change,
  };
}

const begin = (ledger: EmbeddedLedger, it: NewLedgerEntry): Promise<Begun> =>
  new Promise((resolve) => ledger.begin(it, resolve));
const answer = (ledger: EmbeddedLedger, id: string, text: string): Promise<LedgerFailure | null> =>
  new Promise((resolve) =>
    ledger.answer(
      id,
      {
        request: `whole ${id}`,
        status: 201,
        head: Buffer.from("HTTP/1.1 201 Created\r\n\r\n"),
        body: Buffer.from(text),
      },
      resolve,
    ),
  );
const find = async (ledger: EmbeddedLedger, uncertain: boolean): Promise<readonly LedgerEntry[]> => {
  const found = await new Promise<readonly LedgerEntry[] | LedgerFailure>((resolve) =>
    ledger.find({ uncertain, limit: 100 }, resolve),
  );
  if (!Array.isArray(found)) throw new Error((found as LedgerFailure).detail);
  return found as readonly LedgerEntry[];
};

test.each([LEDGER_FILE, `${LEDGER_FILE}-wal`])(
  "what is committed to a file that is gone is not promised: %s",
  async (name) => {
    const directory = folder();
    const { ledger, events, later } = await opened(directory);
    expect(await begin(ledger, entry("a"))).toEqual({ kind: "begun" });
    rmSync(join(directory, name));
    expect(await begin(ledger, entry("b"))).toMatchObject({ kind: "failed", code: "broken" });
    expect(events).toMatchObject([{ kind: "unusable" }]);
    later();
    await expect.poll(() => ledger.unusable).toBeNull();
    expect(await begin(ledger, entry("c"))).toEqual({ kind: "begun" });
  },
);

describe("the embedded ledger", () => {
  test("begins a key once and finds it afterwards with its answer", async () => {
    const { ledger } = await opened(folder());
    expect(await begin(ledger, entry("a"))).toEqual({ kind: "begun" });
    expect(await begin(ledger, entry("a"))).toMatchObject({
      kind: "found",
      entry: { state: { kind: "started" } },
      answer: null,
    });
    expect(await answer(ledger, "a", "paid")).toBe(null);
    const found = await begin(ledger, entry("a"));
    if (found.kind !== "found") throw new Error(found.kind);
    expect(found.entry.state).toEqual({ kind: "answered", status: 201, kept: true, because: "" });
    expect(Buffer.from(found.answer?.body ?? []).toString()).toBe("paid");
  });

  test("of many that begin the same key at once one is told so", async () => {
    const { ledger } = await opened(folder());
    const begun = await Promise.all(Array.from({ length: 50 }, () => begin(ledger, entry("a"))));
    expect(begun.filter(({ kind }) => kind === "begun")).toHaveLength(1);
  });

  test("keeps what was reported when the process ends, and calls what was under way uncertain", async () => {
    const directory = folder();
    const first = await opened(directory);
    await begin(first.ledger, entry("a"));
    await begin(first.ledger, entry("b"));
    await answer(first.ledger, "a", "paid");
    await first.ledger.close();
    const second = await opened(directory);
    expect(second.events).toEqual([{ kind: "interrupted", keys: 1 }]);
    expect(await begin(second.ledger, entry("a"))).toMatchObject({
      kind: "found",
      entry: { state: { kind: "answered" } },
    });
    expect(await begin(second.ledger, entry("b"))).toMatchObject({
      kind: "found",
      entry: { state: { kind: "uncertain" } },
    });
    expect((await find(second.ledger, true)).map(({ id }) => id)).toEqual(["b"]);
  });

  test("an expired key begins anew, but not while it is under way", async () => {
    const { ledger } = await opened(folder());
    await begin(ledger, entry("a", { expiresAt: 2_000 }));
    expect((await begin(ledger, entry("a", { startedAt: 3_000 }))).kind).toBe("found");
    await answer(ledger, "a", "paid");
    expect((await begin(ledger, entry("a", { startedAt: 1_999 }))).kind).toBe("found");
    expect((await begin(ledger, entry("a", { startedAt: 2_000 }))).kind).toBe("begun");
  });

  test("a forgotten key is free, an uncertain one can be started again", async () => {
    const { ledger } = await opened(folder());
    await begin(ledger, entry("a"));
    expect(await new Promise((resolve) => ledger.forget("a", resolve))).toBe(null);
    expect((await begin(ledger, entry("a"))).kind).toBe("begun");
    expect(await new Promise((resolve) => ledger.mark("a", { kind: "uncertain", because: "reset" }, resolve))).toBe(
      null,
    );
    expect(await begin(ledger, entry("a"))).toMatchObject({
      entry: { state: { kind: "uncertain", because: "reset" } },
    });
    expect(await new Promise((resolve) => ledger.again("a", "r2", resolve))).toBe(null);
    expect(await begin(ledger, entry("a"))).toMatchObject({ entry: { requestId: "r2", state: { kind: "started" } } });
  });

  test("directory and file are for their owner alone", async () => {
    const directory = folder();
    const { ledger } = await opened(directory);
    await begin(ledger, entry("a"));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o777, name).toBe(0o600);
    expect(existsSync(join(directory, `${LEDGER_FILE}-wal`))).toBe(true);
  });

  test("a second owner is told so, and takes over when the first lets go", async () => {
    const directory = folder();
    const first = await opened(directory);
    const second = await opened(directory);
    expect(second.events).toMatchObject([{ kind: "unusable", code: "in-use" }]);
    expect(await begin(second.ledger, entry("a"))).toMatchObject({ kind: "failed" });
    expect((await begin(first.ledger, entry("a"))).kind).toBe("begun");
    await first.ledger.close();
    let begun = await begin(second.ledger, entry("a"));
    while (begun.kind === "failed") {
      second.later();
      begun = await begin(second.ledger, entry("a"));
    }
    expect(begun.kind).toBe("found");
    expect(second.events.at(-1)?.kind).toBe("interrupted");
    expect(second.events).toContainEqual({ kind: "usable" });
  });

  test("a file that is no database is moved aside and told", async () => {
    const directory = folder();
    const first = await opened(directory);
    await first.ledger.close();
    writeFileSync(join(directory, LEDGER_FILE), "this is no database, and it is longer than its header would be");
    const second = await opened(directory);
    expect(second.events).toMatchObject([{ kind: "moved aside" }]);
    expect((await begin(second.ledger, entry("a"))).kind).toBe("begun");
    expect(readdirSync(directory).filter((name) => name.includes("unreadable"))).toHaveLength(1);
  });

  test("a file of an older program is read on, and what it stored says nothing of whole requests", async () => {
    const directory = folder();
    const first = await opened(directory);
    for (const id of ["a", "b"]) await begin(first.ledger, entry(id));
    await answer(first.ledger, "a", "paid");
    await first.ledger.close();
    const database = new DatabaseSync(join(directory, LEDGER_FILE));
    database.exec("ALTER TABLE answers DROP COLUMN request; PRAGMA user_version = 1");
    database.close();
    const second = await opened(directory);
    expect(second.events).toEqual([{ kind: "interrupted", keys: 1 }]);
    expect(await begin(second.ledger, entry("a"))).toMatchObject({ answer: { status: 201, request: "" } });
    expect(await answer(second.ledger, "b", "late")).toBe(null);
    expect(await begin(second.ledger, entry("b"))).toMatchObject({ answer: { request: "whole b" } });
  });

  test("a file of a newer program is left alone", async () => {
    const directory = folder();
    const first = await opened(directory);
    await first.ledger.close();
    const database = new DatabaseSync(join(directory, LEDGER_FILE));
    database.exec("PRAGMA user_version = 99");
    database.close();
    const second = await opened(directory);
    expect(second.events).toMatchObject([{ kind: "unusable", code: "newer" }]);
    expect(readdirSync(directory).filter((name) => name.includes("unreadable"))).toHaveLength(0);
  });

  // Permissions do not bind root, as whom the tests may run; in sysfs nobody may make a directory.
  test.runIf(process.platform === "linux")("a directory that may not be written is told", async () => {
    const { events, ledger } = await opened("/sys/goodgate");
    expect(events).toMatchObject([{ kind: "unusable", code: "unusable" }]);
    expect(await begin(ledger, entry("a"))).toMatchObject({ kind: "failed" });
  });

  test("a path through a file is no directory, and that is told", async () => {
    const directory = folder();
    writeFileSync(directory, "");
    const { events, ledger } = await opened(join(directory, "deeper"));
    expect(events).toMatchObject([{ kind: "unusable", code: "unusable" }]);
    expect(await begin(ledger, entry("a"))).toMatchObject({ kind: "failed", code: "broken" });
  });

  test("a ledger that is given more room while it is used has it from the next key on", async () => {
    const { ledger, events } = await opened(folder(), 3_000);
    const now = 3 * HOUR;
    let number = 0;
    const one = (): Promise<Begun> => begin(ledger, entry(`key-${number++}`, { startedAt: now }));
    let begun = await one();
    while (begun.kind === "begun") begun = await one();
    expect(begun).toMatchObject({ kind: "failed", code: "full" });
    ledger.bound(1024 * 1024);
    expect((await one()).kind).toBe("begun");
    expect(events).toEqual([]);
  });

  test("a full ledger gives up old answers, then old keys, and never what is young, under way or uncertain", async () => {
    const { ledger, events } = await opened(folder(), 8_000);
    const old = { startedAt: 1_000 };
    await begin(ledger, entry("started", old));
    await begin(ledger, entry("uncertain", old));
    ledger.mark("uncertain", { kind: "uncertain", because: "reset" }, () => undefined);
    await begin(ledger, entry("first", old));
    await answer(ledger, "first", "x".repeat(2_000));
    await begin(ledger, entry("second", { startedAt: 2_000 }));
    await answer(ledger, "second", "y".repeat(2_000));
    const now = 3 * HOUR;
    expect((await begin(ledger, entry("new", { startedAt: now }))).kind).toBe("begun");
    expect(await answer(ledger, "new", "z".repeat(2_500))).toBe(null);
    expect(events).toEqual([{ kind: "forgetting" }]);
    expect(await begin(ledger, entry("first"))).toMatchObject({
      entry: { state: { kind: "answered", status: 201, kept: false } },
    });
    for (let number = 0; number < 20; number += 1) {
      const begun = await begin(ledger, entry(`more-${number}`, { startedAt: now }));
      if (begun.kind === "begun") continue;
      expect(begun).toMatchObject({ kind: "failed", code: "full" });
      expect(number).toBeGreaterThan(3);
    }
    expect(ledger.view().bytes).toBeLessThanOrEqual(8_000);
    const left = new Map((await find(ledger, false)).map((one) => [one.id, one.state]));
    expect(left.get("started")).toEqual({ kind: "started" });
    expect(left.get("uncertain")).toMatchObject({ kind: "uncertain" });
    expect(left.get("new")).toMatchObject({ kind: "answered", kept: true });
    expect(left.has("first")).toBe(false);
    expect(left.has("second")).toBe(false);
  });

  test("an answer that finds no room leaves the fact that there was one", async () => {
    const { ledger } = await opened(folder(), 2_000);
    await begin(ledger, entry("a"));
    expect(await answer(ledger, "a", "x".repeat(5_000))).toBe(null);
    expect(await begin(ledger, entry("a"))).toMatchObject({
      entry: { state: { kind: "answered", status: 201, kept: false } },
    });
  });

  test("its count of keys and bytes is the same after it was opened again", async () => {
    const directory = folder();
    const first = await opened(directory);
    for (const id of ["a", "b", "c"]) {
      await begin(first.ledger, entry(id));
      await answer(first.ledger, id, "x".repeat(100));
    }
    await new Promise((resolve) => first.ledger.forget("b", resolve));
    const counted = first.ledger.view();
    expect(counted.keys).toBe(2);
    await first.ledger.close();
    const second = await opened(directory);
    expect(second.ledger.view()).toEqual(counted);
  });

  test("what was asked before it closes is committed, what is asked afterwards fails", async () => {
    const directory = folder();
    const { ledger } = await opened(directory);
    const begun = begin(ledger, entry("a"));
    const closed = ledger.close();
    const late = await begin(ledger, entry("b"));
    await closed;
    expect(late).toMatchObject({ kind: "failed", code: "closed" });
    expect((await begun).kind).toBe("begun");
  });
});
