import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runChild, startChild } from "../../test/support/child.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { ManualSchedule } from "../../test/support/manual-schedule.ts";
import { sampleRecord } from "../../test/support/sample-record.ts";
import { accessLine } from "../../test/support/access-line.ts";
import { openAccessLog } from "./access-log.ts";
import type { AccessLog, AccessLogEvent, LogFiles } from "./access-log.ts";

let directory: string;
let file: string;
let time: ManualSchedule;
let events: AccessLogEvent[];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(tmpdir(), "goodgate-log-"));
  file = path.join(directory, "access.log");
  time = manualSchedule();
  events = [];
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

async function open(options: { path?: string; bufferBytes?: number; files?: LogFiles } = {}): Promise<AccessLog> {
  const opened = await openAccessLog({
    path: file,
    bufferBytes: 1024 * 1024,
    schedule: time.schedule,
    onEvent: (event) => events.push(event),
    ...options,
  });
  if (!opened.ok) throw new Error(opened.code);
  return opened.log;
}

function numbered(number: number): ReturnType<typeof sampleRecord> {
  return { ...sampleRecord(), id: `id-${number}` };
}

function idsIn(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { id: string }).id);
}

/** A disk whose writes end when and how the test says. */
function heldFiles(): {
  files: LogFiles;
  /** What a descriptor's file holds. */
  text(fd: number): string;
  closed: number[];
  /** How many writes have begun. */
  writes(): number;
  /** Ends the write that is under way: with an error, after some of its bytes, or whole. */
  finish(how?: { error?: string; bytes?: number }): void;
  writing(): boolean;
  /** Ends what `open` waits for. */
  finishOpen(error?: string): void;
  holdOpen: boolean;
} {
  const written = new Map<number, Buffer[]>();
  let writes = 0;
  const closed: number[] = [];
  let write: { end(how: { error?: string; bytes?: number }): void } | null = null;
  let openings: ((error?: string) => void)[] = [];
  let next = 100;
  const self = {
    text: (fd: number) => Buffer.concat(written.get(fd) ?? []).toString(),
    closed,
    writes: () => writes,
    holdOpen: false,
    writing: () => write !== null,
    finish(how: { error?: string; bytes?: number } = {}): void {
      const current = write;
      if (current === null) throw new Error("nothing is being written");
      write = null;
      current.end(how);
    },
    finishOpen(error?: string): void {
      const waiting = openings;
      openings = [];
      for (const end of waiting) end(error);
    },
    files: {
      open(
        _path: string,
        _flags: string,
        _mode: number,
        done: (error: NodeJS.ErrnoException | null, fd: number) => void,
      ) {
        const end = (code?: string): void => {
          if (code === undefined) done(null, (next += 1));
          else done(Object.assign(new Error(code), { code }), -1);
        };
        if (self.holdOpen) openings.push(end);
        else end();
      },
      writev(
        fd: number,
        pieces: Buffer[],
        _at: null,
        done: (error: NodeJS.ErrnoException | null, written: number) => void,
      ) {
        if (write !== null) throw new Error("two writes at once");
        writes += 1;
        write = {
          end({ error, bytes = Infinity }): void {
            if (error !== undefined) {
              done(Object.assign(new Error(error), { code: error }), 0);
              return;
            }
            // Read only now, as a system would that is late: the pieces must not have been reused.
            const some = Buffer.concat(pieces).subarray(0, bytes);
            written.set(fd, [...(written.get(fd) ?? []), some]);
            done(null, some.length);
          },
        };
      },
      close(fd: number): void {
        closed.push(fd);
      },
    } as unknown as LogFiles,
  };
  return self;
}

describe("a file", () => {
  test("lines are in it, in order and whole, once the log is closed", async () => {
    const log = await open({ bufferBytes: 4 * 1024 * 1024 });
    for (let count = 0; count < 2_000; count += 1) log.append(numbered(count));
    await log.close(1_000);
    const text = fs.readFileSync(file, "utf8");
    expect(idsIn(text)).toEqual(Array.from({ length: 2_000 }, (_, index) => `id-${index}`));
    expect(text.slice(0, text.indexOf("\n") + 1)).toBe(accessLine(numbered(0)));
    expect(log.dropped()).toBe(0);
    expect(events).toEqual([]);
    expect(time.waiting()).toBe(0);
  });

  test("what was there stays, and the file is not for everyone to read", async () => {
    fs.writeFileSync(file, `${JSON.stringify({ id: "earlier" })}\n`);
    const log = await open();
    log.append(numbered(1));
    await log.close(1_000);
    expect(idsIn(fs.readFileSync(file, "utf8"))).toEqual(["earlier", "id-1"]);
    const other = path.join(directory, "new.log");
    await (await open({ path: other })).close(1_000);
    expect(fs.statSync(other).mode & 0o007).toBe(0);
  });

  test("a path that cannot work is told before the first request", async () => {
    const wrong = {
      path: path.join(directory, "no", "such", "directory"),
      bufferBytes: 1,
      schedule: time.schedule,
      onEvent: () => {},
    };
    expect(await openAccessLog(wrong)).toEqual({ ok: false, code: "ENOENT" });
    expect(await openAccessLog({ ...wrong, path: directory })).toEqual({ ok: false, code: "EISDIR" });
  });

  test("a record may be reused as soon as append has returned", async () => {
    const log = await open();
    const record = numbered(1);
    log.append(record);
    record.id = "changed";
    await log.close(1_000);
    expect(idsIn(fs.readFileSync(file, "utf8"))).toEqual(["id-1"]);
  });

  test("after a rotation, lines go to the new file and none is lost", async () => {
    const log = await open();
    log.append(numbered(1));
    fs.renameSync(file, `${file}.1`);
    log.reopen();
    let count = 1;
    while (!fs.existsSync(file) || fs.statSync(file).size === 0) {
      log.append(numbered((count += 1)));
      time.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await log.close(1_000);
    const all = [...idsIn(fs.readFileSync(`${file}.1`, "utf8")), ...idsIn(fs.readFileSync(file, "utf8"))];
    expect(all).toEqual(Array.from({ length: count }, (_, index) => `id-${index + 1}`));
  });

  test.runIf(fs.existsSync("/dev/full"))("a full disk costs lines, said once, and never throws", async () => {
    const log = await open({ path: "/dev/full", bufferBytes: 64 * 1024 });
    for (let count = 0; count < 1_000; count += 1) log.append(numbered(count));
    time.advance(100);
    while (!events.some((event) => event.kind === "failing")) await new Promise((resolve) => setImmediate(resolve));
    expect(events.find((event) => event.kind === "failing")).toEqual({ kind: "failing", code: "ENOSPC" });
    const before = log.dropped();
    expect(before).toBeGreaterThan(0);
    const closed = log.close(500);
    time.advance(500);
    await closed;
    expect(log.dropped()).toBe(1_000);
    expect(events.filter((event) => event.kind === "failing")).toHaveLength(1);
  });
});

describe("standard output", () => {
  const CHILD = `
    import { openAccessLog } from "${import.meta.dirname}/access-log.ts";
    import { systemSchedule } from "${import.meta.dirname}/../net/clock.ts";
    import { sampleRecord } from "${import.meta.dirname}/../../test/support/sample-record.ts";
    const { log } = await openAccessLog({ path: "stdout", bufferBytes: 4194304, schedule: systemSchedule, onEvent() {} });
    for (let count = 0; count < 1000; count += 1) log.append({ ...sampleRecord(), id: "id-" + count });
    log.reopen();
    const keepAlive = setInterval(() => {}, 1000);
    await log.close(Number(process.argv[1]));
    process.stderr.write(String(log.dropped()));
    process.exit(0);
  `;

  /** For what needs a moment, so that a busy machine does not decide. */
  const LONG_MS = 120_000;
  const closingWithin = (ms: number): string[] => ["--input-type=module", "--eval", CHILD, String(ms)];
  /** Node's own way to connect a child is a socket; a real pipe leads through a shell, to this reader. */
  const throughPipe = (reader: string, ms: number): string[] => {
    const script = `("$@"; echo " exit $?" >&2) | ${reader}`;
    return ["-c", script, "sh", process.execPath, ...closingWithin(ms)];
  };

  test.each([
    ["socket", process.execPath, closingWithin(LONG_MS)],
    ["pipe", "sh", throughPipe("cat", LONG_MS)],
  ])("to a %s, every line arrives though it takes less than is written at a time", async (_kind, command, args) => {
    const { stdout, stderr } = await runChild(command, args);
    expect(idsIn(stdout), stderr).toEqual(Array.from({ length: 1_000 }, (_, index) => `id-${index}`));
  });

  test.runIf(process.platform === "linux")(
    "a socket's reader that has stopped does not keep the process from exiting",
    async () => {
      // Nobody reads its output, which is why it is not one of those of test/support/child.ts.
      const writer = spawn(process.execPath, closingWithin(50), { stdio: ["ignore", "pipe", "pipe"] });
      onTestFinished(() => void writer.kill("SIGKILL"));
      let dropped = "";
      writer.stderr.setEncoding("utf8").on("data", (text: string) => (dropped += text));
      const said = once(writer.stderr, "end");
      // With a write that blocks this would never come.
      expect(await new Promise((resolve) => writer.once("exit", resolve))).toBe(0);
      await said;
      expect(Number(dropped)).toBeGreaterThan(0);
      writer.stdout.destroy();
    },
  );

  test.runIf(process.platform === "linux")("a pipe's reader that has stopped does not either", async () => {
    // The reader is a sleeping shell, ended by the test once the writer has reported its own end.
    const shell = await startChild("sh", throughPipe("sh -c 'echo reader $$; exec sleep 600'", 50));
    onTestFinished(() => void shell.stop());
    const reader = await shell.printed(/reader (\d+)\n/);
    await shell.printed(/ exit \d+\n/);
    expect(shell.stderr()).toMatch(/^[1-9]\d* exit 0\n$/);
    process.kill(Number(reader[1]));
    await shell.ending;
  });
});

describe("batches", () => {
  test("the first line waits a tenth of a second for company; then one write takes them all", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    log.append(numbered(1));
    log.append(numbered(2));
    time.advance(99);
    expect(disk.writing()).toBe(false);
    time.advance(1);
    expect(disk.writing()).toBe(true);
    log.append(numbered(3));
    disk.finish();
    expect(idsIn(disk.text(101))).toEqual(["id-1", "id-2"]);
    time.advance(100);
    disk.finish();
    expect(idsIn(disk.text(101))).toEqual(["id-1", "id-2", "id-3"]);
    expect(time.waiting()).toBe(0);
  });

  test("a full block does not wait", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    for (let count = 0; !disk.writing(); count += 1) log.append(numbered(count));
    expect(disk.writing()).toBe(true);
  });

  test("all that came during a long turn of the loop goes in one write, however many blocks that are", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    let count = 0;
    while (!disk.writing()) log.append(numbered((count += 1)));
    const atFirst = count;
    const large = { ...numbered(0), evidence: "x".repeat(100_000) };
    for (let bytes = 0; bytes < 600_000; bytes += accessLine(numbered(count)).length) {
      log.append(numbered((count += 1)));
      if (count === 2 * atFirst) log.append(large);
    }
    disk.finish();
    disk.finish();
    expect(disk.writes()).toBe(2);
    expect(idsIn(disk.text(101))).toHaveLength(count + 1);
    expect(log.dropped()).toBe(0);
    expect(events).toEqual([]);
  });

  test("a write that took only a part goes on where it stopped", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    for (let count = 0; count < 5; count += 1) log.append(numbered(count));
    const closed = log.close(1_000);
    disk.finish({ bytes: 1 });
    disk.finish({ bytes: 700 });
    disk.finish({ bytes: 0 });
    disk.finish();
    await closed;
    expect(idsIn(disk.text(101))).toHaveLength(5);
    expect(disk.closed).toEqual([101]);
  });
});

describe("trouble", () => {
  test("beyond its bound lines are dropped and counted; the owner hears the beginning and the end", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files, bufferBytes: 2_000 });
    time.advance(100);
    for (let count = 0; count < 10; count += 1) log.append(numbered(count));
    const kept = 10 - log.dropped();
    expect(kept).toBeGreaterThan(0);
    expect(events).toEqual([{ kind: "dropping" }]);
    time.advance(100);
    disk.finish();
    expect(events).toEqual([{ kind: "dropping" }, { kind: "recovered", dropped: 10 - kept }]);
    log.append(numbered(11));
    time.advance(100);
    disk.finish();
    expect(idsIn(disk.text(101))).toHaveLength(kept + 1);
  });

  test("a failed write is tried again, ever more rarely, and loses nothing", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    log.append(numbered(1));
    time.advance(100);
    for (const wait of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
      disk.finish({ error: "EIO" });
      time.advance(wait - 1);
      expect(disk.writing()).toBe(false);
      time.advance(1);
      expect(disk.writing()).toBe(true);
    }
    disk.finish();
    expect(events).toEqual([
      { kind: "failing", code: "EIO" },
      { kind: "recovered", dropped: 0 },
    ]);
    expect(idsIn(disk.text(101))).toEqual(["id-1"]);
    expect(log.dropped()).toBe(0);
  });

  test("lines that come while the disk fails wait with the others and do not hurry it", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    log.append(numbered(1));
    time.advance(100);
    disk.finish({ error: "ENOSPC" });
    for (let count = 2; count < 400; count += 1) log.append(numbered(count));
    expect(disk.writing()).toBe(false);
    time.advance(250);
    disk.finish();
    expect(idsIn(disk.text(101))).toHaveLength(399);
    expect(time.waiting()).toBe(0);
  });

  test("a pipe that is full for a moment is nothing to report", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    log.append(numbered(1));
    time.advance(100);
    disk.finish({ error: "EAGAIN" });
    time.advance(5);
    disk.finish({ error: "EAGAIN" });
    time.advance(10);
    disk.finish();
    expect(events).toEqual([]);
    expect(idsIn(disk.text(101))).toEqual(["id-1"]);
  });
});

describe("reopening", () => {
  test("a line that is partly written is finished in the old file, at once; what came later is in the new one", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    log.append(numbered(1));
    log.append(numbered(2));
    time.advance(100);
    log.reopen();
    disk.finish({ bytes: accessLine(numbered(1)).length + 10 });
    log.append(numbered(3));
    expect(disk.closed).toEqual([]);
    disk.finish({ bytes: 3 });
    disk.finish();
    expect(disk.closed).toEqual([101]);
    time.advance(100);
    disk.finish();
    expect(idsIn(disk.text(101))).toEqual(["id-1", "id-2"]);
    expect(idsIn(disk.text(102))).toEqual(["id-3"]);
    expect(log.dropped()).toBe(0);
  });

  test("an old file that fails in the middle of a line is left; the line is whole in the new one", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    for (let count = 1; count <= 3; count += 1) log.append(numbered(count));
    time.advance(100);
    disk.finish({ bytes: accessLine(numbered(1)).length + 10 });
    log.reopen();
    expect(disk.closed).toEqual([]);
    disk.finish({ error: "ENOSPC" });
    expect(disk.closed).toEqual([101]);
    time.advance(250);
    disk.finish();
    expect(disk.text(101)).toBe(accessLine(numbered(1)) + accessLine(numbered(2)).slice(0, 10));
    expect(idsIn(disk.text(102))).toEqual(["id-2", "id-3"]);
    expect(log.dropped()).toBe(0);
  });

  test("whatever is written, in whatever parts, and whenever files change: every file holds whole lines, none is lost", async () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("append" as const),
          lines: fc.integer({ min: 1, max: 60 }),
          // Some are larger than a block; characters of three bytes are cut by partial writes.
          evidence: fc.constantFrom("", "日本", "x".repeat(3_000), "日".repeat(25_000)),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("finish" as const),
          bytes: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 90_000 })),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("finish whole" as const) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("reopen", "hold", "release", "wait", "fail") }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), fc.boolean(), async (steps, failures) => {
        const disk = heldFiles();
        const log = await open({ files: disk.files, bufferBytes: 256 * 1024 * 1024 });
        let appended = 0;
        for (const now of steps) {
          if ("lines" in now) {
            // The large ones are costly to check, so they come alone.
            for (let left = now.evidence.length > 9_000 ? 1 : now.lines; left > 0; left -= 1) {
              log.append({ ...numbered((appended += 1)), evidence: now.evidence });
            }
          } else if ("bytes" in now) {
            if (disk.writing()) disk.finish({ bytes: now.bytes });
          } else if (now.do === "finish whole") {
            if (disk.writing()) disk.finish();
          } else if (now.do === "reopen") log.reopen();
          else if (now.do === "hold") disk.holdOpen = true;
          else if (now.do === "release") {
            disk.holdOpen = false;
            disk.finishOpen();
          } else if (now.do === "wait") time.advance(5_000);
          else if (failures && disk.writing()) disk.finish({ error: "EIO" });
        }
        const closed = log.close(1_000);
        while (disk.writing()) disk.finish();
        await closed;
        const texts = Array.from({ length: steps.length + 1 }, (_, index) => disk.text(101 + index));
        // Only a file that failed may end with half a line, which is then whole in the next.
        if (!failures) for (const text of texts) expect(text === "" || text.endsWith("\n")).toBe(true);
        const whole = texts.map((text) => text.slice(0, text.lastIndexOf("\n") + 1));
        expect(whole.flatMap(idsIn)).toEqual(Array.from({ length: appended }, (_, index) => `id-${index + 1}`));
        expect(log.dropped()).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test("a new file that cannot be opened leaves the old one in use, and is said", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    disk.holdOpen = true;
    log.reopen();
    disk.finishOpen("EACCES");
    expect(events).toEqual([{ kind: "not reopened", code: "EACCES" }]);
    log.append(numbered(1));
    time.advance(100);
    disk.finish();
    expect(idsIn(disk.text(101))).toEqual(["id-1"]);
  });

  test("a second rotation during the first opens once more, and no descriptor is left open", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    disk.holdOpen = true;
    log.reopen();
    log.reopen();
    log.reopen();
    disk.finishOpen();
    disk.finishOpen();
    log.append(numbered(1));
    const closed = log.close(1_000);
    disk.finish();
    await closed;
    expect(idsIn(disk.text(103))).toEqual(["id-1"]);
    expect(new Set(disk.closed)).toEqual(new Set([101, 102, 103]));
  });
});

describe("closing", () => {
  test("is bounded: a write that hangs is left alone and what waits counts as dropped", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    log.append(numbered(1));
    log.append(numbered(2));
    const closed = log.close(300);
    expect(log.close(300)).toBe(closed);
    time.advance(300);
    await closed;
    expect(log.dropped()).toBe(2);
    expect(disk.closed).toEqual([]);
    disk.finish();
    expect(disk.closed).toEqual([101]);
    log.append(numbered(3));
    expect(log.dropped()).toBe(3);
    expect(time.waiting()).toBe(0);
  });

  test("a file that opens too late is closed again", async () => {
    const disk = heldFiles();
    const log = await open({ files: disk.files });
    disk.holdOpen = true;
    log.reopen();
    await log.close(100);
    disk.finishOpen();
    expect(new Set(disk.closed)).toEqual(new Set([101, 102]));
  });
});
