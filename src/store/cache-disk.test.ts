import { mkdtemp, readdir, readFile, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openCacheDisk } from "./cache-disk.ts";
import type { CacheDisk } from "./cache-disk.ts";

let directory = "";
let failures: string[] = [];
const disks: CacheDisk[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "goodgate-cache-"));
  failures = [];
});

afterEach(async () => {
  // A directory into which something is still being written is not empty when it is to be removed.
  await Promise.all(disks.splice(0).map((disk) => disk.close()));
  await rm(directory, { recursive: true, force: true });
});

async function open(bytesMax = 1_000_000): Promise<CacheDisk> {
  const disk = await openCacheDisk({ directory, bytesMax, onFailure: (code) => failures.push(code) });
  disks.push(disk);
  return disk;
}

function get(disk: CacheDisk, id: number): Promise<string | null> {
  return new Promise((resolve) => disk.get(id, (body) => resolve(body === null ? null : body.toString("latin1"))));
}

async function loaded(disk: CacheDisk): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  disk.load((id, facts) => found.set(id, facts));
  await disk.settled();
  return found;
}

const pieces = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text, "latin1"));

describe("a disk of stored responses", () => {
  it("gives back what was put, also to the next process", async () => {
    const disk = await open();
    const id = disk.put("facts ü", pieces("one", "", "two"));
    expect(await get(disk, id)).toBe("onetwo");
    await disk.close();
    const next = await open();
    expect(await loaded(next)).toEqual(new Map([[id, "facts ü"]]));
    expect(await get(next, id)).toBe("onetwo");
    expect(next.put("more", [])).toBeGreaterThan(id);
    expect(failures).toEqual([]);
  });

  it("never gives back what is damaged in any byte, and drops it", async () => {
    const disk = await open();
    const id = disk.put("facts", pieces("the body"));
    await disk.settled();
    const file = join(directory, (await readdir(directory))[0] ?? "");
    const whole = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        await writeFile(file, bytes);
        const next = await open();
        await loaded(next);
        expect(await get(next, id)).toBeNull();
        await next.settled();
        expect(next.view()).toMatchObject({ entries: 0, damaged: 1, bytes: 0 });
        expect(await readdir(directory)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 1, 50, 90])("drops a file that was cut after %i bytes", async (length) => {
    const disk = await open();
    disk.put("facts", pieces("the body"));
    await disk.settled();
    await truncate(join(directory, (await readdir(directory))[0] ?? ""), length);
    const next = await open();
    expect(await loaded(next)).toEqual(new Map());
    await next.settled();
    expect(await readdir(directory)).toEqual([]);
  });

  it("throws away what a process left half written, and leaves strangers' files alone", async () => {
    for (const name of ["1.entry.part", "2.entry.part"]) await writeFile(join(directory, name), "half");
    await utimes(join(directory, "1.entry.part"), 1_000, 1_000);
    await writeFile(join(directory, "README"), "not ours");
    const disk = await open();
    expect(await loaded(disk)).toEqual(new Map());
    // The other may be under way in a process that is still there.
    expect((await readdir(directory)).toSorted()).toEqual(["2.entry.part", "README"]);
  });

  it("stays within its bytes: the oldest make room, and that is told", async () => {
    const disk = await open(1_000);
    const evicted: number[] = [];
    disk.onEvicted = (id) => evicted.push(id);
    const ids = [1, 2, 3, 4].map(() => disk.put("f", pieces("x".repeat(300))));
    await disk.settled();
    expect(disk.view().bytes).toBeLessThanOrEqual(1_000);
    expect(evicted).toEqual(ids.slice(0, evicted.length));
    expect(await get(disk, ids[3] ?? 0)).toBe("x".repeat(300));
    expect(await get(disk, ids[0] ?? 0)).toBeNull();
    expect(disk.put("f", pieces("x".repeat(2_000)))).toBe(0);
    const smaller = await open(400);
    await loaded(smaller);
    expect(smaller.view().bytes).toBeLessThanOrEqual(400);
  });

  it("does not write what was dropped before its turn came, and what is dropped does not come back", async () => {
    const disk = await open();
    const one = disk.put("one", pieces("1"));
    disk.drop(one);
    const two = disk.put("two", pieces("2"));
    await disk.settled();
    disk.drop(two);
    await disk.close();
    expect(await readdir(directory)).toEqual([]);
  });

  it("gives back nothing else under a name than what was put there, also when files change places", async () => {
    const disk = await open();
    const [one, two] = [disk.put("one", pieces("1st")), disk.put("two", pieces("2nd"))];
    await disk.settled();
    const [first, second] = (await readdir(directory)).toSorted().map((name) => join(directory, name));
    await rename(first ?? "", `${first}.aside`);
    await rename(second ?? "", first ?? "");
    await rename(`${first}.aside`, second ?? "");
    expect(await get(disk, one)).toBeNull();
    expect(await get(disk, two)).toBeNull();
  });

  it("shares its directory for a while with the process that is on its way out", async () => {
    const old = await open();
    const before = old.put("before", pieces("before"));
    await old.settled();
    const next = await open();
    await loaded(next);
    const [theirs, ours] = [old.put("theirs", pieces("theirs")), next.put("ours", pieces("ours"))];
    expect(await get(old, theirs)).toBe("theirs");
    expect(await get(next, ours)).toBe("ours");
    expect(await get(next, before)).toBe("before");
    old.drop(theirs);
    await old.close();
    expect(await get(next, ours)).toBe("ours");
    await next.close();
    expect([...(await loaded(await open())).values()].toSorted()).toEqual(["before", "ours"]);
  });

  it("tells when it fails, and goes on without", async () => {
    const disk = await open();
    await rm(directory, { recursive: true });
    const id = disk.put("facts", pieces("body"));
    expect(await get(disk, id)).toBeNull();
    disk.put("facts", pieces("body"));
    await disk.settled();
    expect(failures).toEqual(["ENOENT"]);
    expect(disk.view()).toMatchObject({ entries: 0, bytes: 0, skipped: 2 });
  });
});
