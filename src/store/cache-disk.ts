/**
 * Stored responses in files, one for each, so that they outlive the process. A file appears under its name when it is
 * complete, and carries digests of its two parts: what a crash, a full disk or a bad sector has done to it shows when
 * it is read, and then it is dropped and never served.
 *
 * For a while two processes may share the directory, when one begins before the other has ended: each writes under names
 * of its own, and takes nothing from a file but what it knows to be there.
 *
 * There is no fsync: a response that is lost costs one fetch, and one that was torn is found by its digest. There is
 * no index on disk either, because an index and the files can contradict each other; the heads of the files are read
 * at the start, behind the traffic's back.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { CacheShelf, ShelfView } from "../kernel/cache-shelf.ts";

export interface CacheDiskOptions {
  /** Made when it is missing; everything in it that looks like ours is ours. */
  readonly directory: string;
  readonly bytesMax: number;
  /** The disk failed; told once until it works again. */
  readonly onFailure: (code: string) => void;
}

export interface CacheDisk extends CacheShelf {
  /** What waits is written, or given up when the disk does not take it. */
  close(): Promise<void>;
  /** Everything that was asked for until now has been done. */
  settled(): Promise<void>;
}

const MAGIC = "ggcache1";
/** Magic, length of the facts, length of the body, digest of the facts, digest of the body. */
const HEAD_BYTES = 8 + 4 + 8 + 32 + 32;
const FACTS_BYTES_MAX = 1024 * 1024;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
/** A number, by which the older ones are known, and whose it is. */
const NAME = /^([0-9a-f]{12})-[0-9a-f]{16}\.entry$/;
/** Of another process, which may be at work on it; older than this it is gone. */
const PART_MS = 60_000;

interface Kept {
  readonly file: string;
  /** `digestIn`: no other file has it. */
  readonly digest: Buffer;
  readonly bytes: number;
  /** It has been written. */
  written: boolean;
}

export async function openCacheDisk(options: CacheDiskOptions): Promise<CacheDisk> {
  const { directory, bytesMax, onFailure } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  /** In the order in which they came, which is the order in which they go. */
  const kept = new Map<number, Kept>();
  let lastId = 0;
  let bytes = 0;
  let waitingBytes = 0;
  let damaged = 0;
  let skipped = 0;
  let failing = false;
  let closing = false;
  let work: Promise<void> = Promise.resolve();

  const ours = randomBytes(8).toString("hex");
  const found: { readonly id: number; readonly file: string }[] = [];
  for (const name of names) {
    const id = Number.parseInt(NAME.exec(name)?.[1] ?? "0", 16);
    const file = join(directory, name);
    if (id > 0) found.push({ id, file });
    else if (name.endsWith(".part")) after(() => removeIfOld(file));
    lastId = Math.max(lastId, id);
  }

  /** One thing after another: a drop that follows a put finds the file. */
  function after(step: () => Promise<void>): void {
    work = work.then(step).catch((error: unknown) => failed(error));
  }

  function failed(error: unknown): void {
    if (!failing) onFailure((error as NodeJS.ErrnoException).code ?? String(error));
    failing = true;
  }

  const fileOf = (id: number): string => join(directory, `${id.toString(16).padStart(12, "0")}-${ours}.entry`);

  function nextId(): number {
    lastId += 1;
    return lastId;
  }

  function forget(id: number): void {
    const one = kept.get(id);
    if (one === undefined) return;
    kept.delete(id);
    bytes -= one.bytes;
  }

  function makeRoom(needed: number): void {
    for (const id of kept.keys()) {
      if (bytes + needed <= bytesMax) return;
      disk.drop(id);
      disk.onEvicted(id);
    }
  }

  const disk: CacheDisk = {
    onEvicted: () => undefined,

    load(tell) {
      for (const { id: number, file } of found.sort((one, other) => one.id - other.id)) {
        after(async () => {
          if (closing) return;
          const entry = await readFacts(file);
          if (entry === null) {
            damaged += 1;
            await removeFile(file);
            return;
          }
          makeRoom(entry.bytes);
          // Two processes may have counted alike.
          const id = kept.has(number) ? nextId() : number;
          kept.set(id, { file, digest: entry.digest, bytes: entry.bytes, written: true });
          bytes += entry.bytes;
          tell(id, entry.facts, entry.bodyBytes);
        });
      }
    },

    put(facts, pieces) {
      const head = headOf(facts, pieces);
      const size = head.length + pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (closing || size > bytesMax || waitingBytes + size > WAITING_BYTES_MAX) {
        skipped += 1;
        return 0;
      }
      makeRoom(size);
      const id = nextId();
      const one: Kept = { file: fileOf(id), digest: digestIn(head), bytes: size, written: false };
      kept.set(id, one);
      bytes += size;
      waitingBytes += size;
      after(async () => {
        waitingBytes -= size;
        // It was dropped before its turn came.
        if (kept.get(id) !== one) return;
        try {
          await writeWhole(one.file, [head, ...pieces], size);
          one.written = true;
          failing = false;
        } catch (error) {
          skipped += 1;
          forget(id);
          disk.onEvicted(id);
          failed(error);
        }
      });
      return id;
    },

    get(id, done) {
      after(async () => {
        const one = kept.get(id);
        const body = one?.written === true ? await readBody(one.file, one.digest) : null;
        if (body === null && kept.has(id)) {
          damaged += 1;
          disk.drop(id);
        }
        done(body);
      });
    },

    drop(id) {
      const one = kept.get(id);
      if (one === undefined) return;
      forget(id);
      after(() => removeFile(one.file));
    },

    view: (): ShelfView => ({ bytes, bytesMax, entries: kept.size, damaged, skipped }),

    async settled() {
      // What is done may ask for more.
      for (let last: Promise<void> | null = null; last !== work;) {
        last = work;
        await last;
      }
    },

    async close() {
      closing = true;
      await disk.settled();
    },
  };
  return disk;
}

function headOf(facts: string, pieces: readonly Buffer[]): Buffer {
  const text = Buffer.from(facts, "utf8");
  const body = createHash("sha256");
  let bodyBytes = 0;
  for (const piece of pieces) {
    body.update(piece);
    bodyBytes += piece.length;
  }
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, 0, "latin1");
  head.writeUInt32BE(text.length, 8);
  head.writeBigUInt64BE(BigInt(bodyBytes), 12);
  body.digest().copy(head, 52);
  factsDigest(head, text).copy(head, 20);
  return Buffer.concat([head, text]);
}

/** Also over the lengths and the digest of the body, so that nothing of a head can change unseen. */
function factsDigest(head: Buffer, facts: Buffer): Buffer {
  return createHash("sha256").update(head.subarray(0, 20)).update(head.subarray(52, HEAD_BYTES)).update(facts).digest();
}

/** Over everything else in the file, its body by a digest of its own. */
function digestIn(head: Buffer): Buffer {
  return Buffer.from(head.subarray(20, 52));
}

async function writeWhole(file: string, parts: readonly Buffer[], size: number): Promise<void> {
  const part = `${file}.part`;
  try {
    const handle = await open(part, "w", 0o600);
    try {
      const { bytesWritten } = await handle.writev([...parts]);
      // A disk that has become full takes a part and says nothing.
      if (bytesWritten !== size) throw Object.assign(new Error("the disk took a part only"), { code: "ENOSPC" });
    } finally {
      await handle.close();
    }
    await rename(part, file);
  } catch (error) {
    await removeFile(part);
    throw error;
  }
}

interface Found {
  readonly facts: string;
  readonly digest: Buffer;
  readonly bytes: number;
  readonly bodyBytes: number;
}

/** Null: it is not a whole entry. */
async function readFacts(file: string): Promise<Found | null> {
  const handle = await open(file, "r").catch(() => null);
  if (handle === null) return null;
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0);
    const lengths = lengthsOf(head, bytesRead);
    if (lengths === null) return null;
    const facts = Buffer.alloc(lengths.facts);
    const read = await handle.read(facts, 0, lengths.facts, HEAD_BYTES);
    const { size } = await handle.stat();
    const whole = read.bytesRead === lengths.facts && size === HEAD_BYTES + lengths.facts + lengths.body;
    if (!whole || !factsDigest(head, facts).equals(head.subarray(20, 52))) return null;
    return { facts: facts.toString("utf8"), digest: digestIn(head), bytes: size, bodyBytes: lengths.body };
  } catch {
    // A sector that cannot be read is one more way of being damaged.
    return null;
  } finally {
    await handle.close();
  }
}

async function readBody(file: string, digest: Buffer): Promise<Buffer | null> {
  const bytes = await readFile(file).catch(() => null);
  if (bytes === null) return null;
  const lengths = lengthsOf(bytes, bytes.length);
  if (lengths === null || bytes.length !== HEAD_BYTES + lengths.facts + lengths.body) return null;
  const facts = bytes.subarray(HEAD_BYTES, HEAD_BYTES + lengths.facts);
  const body = bytes.subarray(HEAD_BYTES + lengths.facts);
  if (!factsDigest(bytes.subarray(0, HEAD_BYTES), facts).equals(digest)) return null;
  return createHash("sha256").update(body).digest().equals(bytes.subarray(52, HEAD_BYTES)) ? body : null;
}

function lengthsOf(head: Buffer, length: number): { facts: number; body: number } | null {
  if (length < HEAD_BYTES || head.toString("latin1", 0, 8) !== MAGIC) return null;
  const facts = head.readUInt32BE(8);
  const body = Number(head.readBigUInt64BE(12));
  return facts > FACTS_BYTES_MAX || !Number.isSafeInteger(body) ? null : { facts, body };
}

async function removeIfOld(file: string): Promise<void> {
  const { mtimeMs } = await stat(file);
  if (Date.now() - mtimeMs > PART_MS) await removeFile(file);
}

async function removeFile(file: string): Promise<void> {
  // It may be gone already, and what cannot be removed is found again at the next start.
  await unlink(file).catch(() => undefined);
}
