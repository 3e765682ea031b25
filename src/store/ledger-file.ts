/**
 * The file of the ledger: an SQLite database that only one process has open. Synchronous, so it lives in a thread of
 * its own (ledger-worker.ts); nothing else opens the file, because closing it anywhere in a process would drop the
 * locks of all.
 *
 * Write-ahead log with `synchronous=FULL`: one fsync for each batch, and what was reported is there after a crash
 * of the machine. Exclusive locking: a second process is told at once, and the system lets go of the lock with the
 * process that held it, however that ended.
 *
 * Room is made in this order: what has expired; stored answers, oldest first, of which then only the fact is known;
 * at last whole keys, oldest first. Nothing younger than `YOUNG_MS`, nothing under way and nothing uncertain is
 * ever touched before it expires; when that is not enough the ledger is full and says so.
 */
import { chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SQLOutputValue, StatementSync } from "node:sqlite";
import type {
  Begun,
  KeyState,
  LedgerAnswer,
  LedgerEntry,
  LedgerFailure,
  LedgerFilter,
  NewLedgerEntry,
} from "../kernel/ledger.ts";

export type LedgerOperation =
  | { readonly op: "begin"; readonly entry: NewLedgerEntry }
  | { readonly op: "again"; readonly id: string; readonly requestId: string }
  | { readonly op: "answer"; readonly id: string; readonly answer: LedgerAnswer }
  | { readonly op: "mark"; readonly id: string; readonly state: Exclude<KeyState, { kind: "started" }> }
  | { readonly op: "forget"; readonly id: string }
  | { readonly op: "find"; readonly filter: LedgerFilter };

export type LedgerResult =
  | Begun
  | { readonly kind: "done" }
  | { readonly kind: "entries"; readonly entries: readonly LedgerEntry[] };

export interface LedgerFileOptions {
  readonly directory: string;
  readonly bytesMax: number;
  /** Keys that this process works on already, by a ledger that another one had: they were not interrupted. */
  readonly underWay?: readonly string[];
}

export type OpenedFile =
  | {
      readonly ok: true;
      readonly file: LedgerFile;
      /** Keys that were under way when the last owner ended. */
      readonly interrupted: number;
      /** Where a file that could not be read was moved; empty: there was none. */
      readonly movedTo: string;
    }
  | { readonly ok: false; readonly code: "in-use" | "newer" | "unusable"; readonly detail: string };

export const LEDGER_FILE = "ledger.db";
const VERSION = 2;
/** What a key costs beside its texts and its answer: columns, indexes, page overhead. Measured, rounded up. */
const ENTRY_BYTES = 420;
/** A client that repeats a request does so within minutes. */
const YOUNG_MS = 3_600_000;
/** Expired keys that one batch may take along. */
const EXPIRED_AT_ONCE = 64;

const SCHEMA = `
  CREATE TABLE keys (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, fingerprint TEXT NOT NULL, service TEXT NOT NULL, route TEXT NOT NULL,
    method TEXT NOT NULL, target TEXT NOT NULL, request_id TEXT NOT NULL, started_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, state TEXT NOT NULL, status INTEGER NOT NULL, kept INTEGER NOT NULL,
    because TEXT NOT NULL, bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keys_by_expiry ON keys (expires_at);
  CREATE INDEX keys_by_state ON keys (state, kept, started_at);
  CREATE INDEX keys_by_key ON keys (key);
  CREATE TABLE answers (
    id TEXT PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL, request TEXT NOT NULL DEFAULT ''
  ) STRICT;
  PRAGMA user_version = ${VERSION};
`;

/** What is stored from before says nothing of the whole of a long request. */
const FROM_1 = `
  ALTER TABLE answers ADD COLUMN request TEXT NOT NULL DEFAULT '';
  PRAGMA user_version = ${VERSION};
`;

export function openLedgerFile(options: LedgerFileOptions): OpenedFile {
  const path = join(options.directory, LEDGER_FILE);
  try {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    // Before SQLite opens it, and with nobody else: the log beside it gets the same mode.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    return { ok: false, code: "unusable", detail: textOf(error) };
  }
  const opened = open(path, options);
  if (opened.ok || opened.code !== "corrupt") return opened.ok ? { ...opened, movedTo: "" } : refusalOf(opened);
  // What it knew is lost either way; a gateway that starts is worth more than one that does not, and people are told.
  const movedTo = `${path}.unreadable-${new Date().toISOString().replaceAll(":", "")}`;
  try {
    renameSync(path, movedTo);
    for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
    closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    return { ok: false, code: "unusable", detail: textOf(error) };
  }
  const again = open(path, options);
  return again.ok ? { ...again, movedTo } : refusalOf(again);
}

type Opening =
  | { readonly ok: true; readonly file: LedgerFile; readonly interrupted: number }
  | { readonly ok: false; readonly code: "in-use" | "newer" | "unusable" | "corrupt"; readonly detail: string };

function refusalOf(opening: Extract<Opening, { ok: false }>): OpenedFile {
  const { code, detail } = opening;
  return { ok: false, code: code === "corrupt" ? "unusable" : code, detail };
}

function open(path: string, { bytesMax, underWay = [] }: LedgerFileOptions): Opening {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    database.exec("PRAGMA journal_size_limit = 16777216; BEGIN EXCLUSIVE; COMMIT;");
    const version = Number(Object.values(database.prepare("PRAGMA user_version").get() ?? {})[0]);
    if (version > VERSION) {
      database.close();
      return { ok: false, code: "newer", detail: `${path} was written by a newer Goodgate (form ${version})` };
    }
    if (version === 0) database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    if (version === 1) database.exec(`BEGIN; ${FROM_1} COMMIT;`);
    const checked = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
    if (checked !== "ok") throw new Unreadable(String(checked));
    const interrupted = database
      .prepare(
        "UPDATE keys SET state = 'uncertain', because = ? WHERE state = 'started' AND id NOT IN (SELECT value FROM json_each(?))",
      )
      .run("the gateway was interrupted after it had begun to send the request", JSON.stringify(underWay));
    return { ok: true, file: new LedgerFile(path, database, bytesMax), interrupted: Number(interrupted.changes) };
  } catch (error) {
    try {
      database?.close();
    } catch {
      // It was not open.
    }
    const detail = `${path}: ${textOf(error)}`;
    const code = sqliteCode(error);
    if (code === 5) return { ok: false, code: "in-use", detail };
    return {
      ok: false,
      code: error instanceof Unreadable || code === 11 || code === 26 ? "corrupt" : "unusable",
      detail,
    };
  }
}

class Unreadable extends Error {}

export class LedgerFile {
  readonly #database: DatabaseSync;
  /** It may hold so much. */
  bytesMax: number;
  readonly #statements: ReturnType<typeof prepare>;
  /** What `#isInPlace` compares. */
  readonly #path: string;
  readonly #inode: bigint;
  /** Of all entries, by our own count. */
  #bytes: number;
  #keys: number;
  /** Keys that were forgotten, or lost their answer, before their time. */
  #forgottenEarly = 0;

  constructor(path: string, database: DatabaseSync, bytesMax: number) {
    this.#path = path;
    this.#inode = inodeOf(path);
    this.#database = database;
    this.bytesMax = bytesMax;
    this.#statements = prepare(database);
    const sums = database.prepare("SELECT total(bytes) AS bytes, count(*) AS keys FROM keys").get();
    this.#bytes = Number(sums?.["bytes"] ?? 0);
    this.#keys = Number(sums?.["keys"] ?? 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get keys(): number {
    return this.#keys;
  }

  get forgottenEarly(): number {
    return this.#forgottenEarly;
  }

  /**
   * SQLite goes on in a file that somebody has deleted or replaced, and what it commits there nobody will find again: a
   * promise made in it would be broken by the next start. False: that has happened.
   */
  get isInPlace(): boolean {
    return inodeOf(this.#path) === this.#inode && inodeOf(`${this.#path}-wal`) !== 0n;
  }

  /** All in one transaction; when that fails each in its own, so that one that cannot be done costs no other. */
  apply(operations: readonly LedgerOperation[]): LedgerResult[] {
    const together = this.#transact(() => {
      this.#expire(operations);
      return operations.map((operation) => this.#perform(operation));
    });
    if (!("kind" in together)) return together;
    return operations.map((operation) => this.#transact(() => this.#perform(operation)));
  }

  close(): void {
    this.#database.close();
  }

  #transact<Result>(work: () => Result): Result | LedgerFailure {
    const { bytes, keys } = this;
    const early = this.#forgottenEarly;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#bytes = bytes;
      this.#keys = keys;
      this.#forgottenEarly = early;
      // Some failures have rolled back already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      return failureOf(error);
    }
  }

  #perform(operation: LedgerOperation): LedgerResult {
    const statements = this.#statements;
    switch (operation.op) {
      case "begin":
        return this.#begin(operation.entry);
      case "again":
        return done(statements.again.run(operation.requestId, operation.id).changes, operation.id);
      case "answer":
        return this.#answer(operation.id, operation.answer);
      case "mark":
        return this.#mark(operation.id, operation.state);
      case "forget":
        this.#remove(operation.id);
        return { kind: "done" };
      case "find":
        return { kind: "entries", entries: this.#find(operation.filter) };
    }
  }

  #begin(entry: NewLedgerEntry): LedgerResult {
    const row = this.#statements.get.get(entry.id);
    if (row !== undefined) {
      const known = entryOf(row);
      if (known.expiresAt > entry.startedAt || known.state.kind === "started") return this.#found(known);
      this.#remove(entry.id);
    }
    const texts = entry.key.length + entry.target.length + entry.service.length + entry.route.length;
    const bytes = ENTRY_BYTES + texts;
    const failure = this.#makeRoom(bytes, entry.startedAt);
    if (failure !== null) return failure;
    this.#statements.insert.run(
      entry.id,
      entry.key,
      entry.fingerprint,
      entry.service,
      entry.route,
      entry.method,
      entry.target,
      entry.requestId,
      entry.startedAt,
      entry.expiresAt,
      bytes,
    );
    this.#bytes += bytes;
    this.#keys += 1;
    return { kind: "begun" };
  }

  #found(entry: LedgerEntry): LedgerResult {
    if (entry.state.kind !== "answered" || !entry.state.kept) return { kind: "found", entry, answer: null };
    const row = this.#statements.answer.get(entry.id);
    if (row === undefined) throw new Unreadable(`the answer of key ${entry.id} is missing`);
    const answer = {
      request: String(row["request"]),
      status: entry.state.status,
      head: bytesOf(row["head"]),
      body: bytesOf(row["body"]),
    };
    return { kind: "found", entry, answer };
  }

  #answer(id: string, answer: LedgerAnswer): LedgerResult {
    const row = this.#statements.get.get(id);
    if (row === undefined) throw new Unreadable(`key ${id} is missing`);
    const bytes = answer.head.length + answer.body.length;
    if (this.#makeRoom(bytes, Number(row["started_at"])) !== null) {
      return this.#mark(id, {
        kind: "answered",
        status: answer.status,
        kept: false,
        because: "the ledger had no room for it (idempotency.bytes)",
      });
    }
    this.#statements.insertAnswer.run(id, answer.head, answer.body, answer.request);
    this.#statements.setState.run("answered", answer.status, 1, "", bytes, id);
    this.#bytes += bytes;
    return { kind: "done" };
  }

  #mark(id: string, state: Exclude<KeyState, { kind: "started" }>): LedgerResult {
    const row = this.#statements.get.get(id);
    if (row !== undefined && row["kept"] === 1) this.#thin(id, "");
    const [status, because] = state.kind === "answered" ? [state.status, state.because] : [0, state.because];
    return done(this.#statements.setState.run(state.kind, status, 0, because, 0, id).changes, id);
  }

  #find(filter: LedgerFilter): LedgerEntry[] {
    const { id, key, uncertain, limit } = filter;
    const conditions: string[] = [];
    const values: string[] = [];
    if (id !== undefined) {
      conditions.push("id = ?");
      values.push(id);
    }
    if (key !== undefined) {
      conditions.push("key = ?");
      values.push(key);
    }
    if (uncertain === true) conditions.push("state = 'uncertain'");
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const rows = this.#database
      .prepare(`SELECT * FROM keys ${where} ORDER BY started_at DESC LIMIT ?`)
      .all(...values, limit);
    return rows.map((row) => entryOf(row));
  }

  #expire(operations: readonly LedgerOperation[]): void {
    const begun = operations.find((operation) => operation.op === "begin");
    if (begun === undefined) return;
    for (const row of this.#statements.expired.all(begun.entry.startedAt, EXPIRED_AT_ONCE))
      this.#remove(String(row["id"]));
  }

  #makeRoom(bytes: number, now: number): LedgerFailure | null {
    const wanted = this.bytesMax - bytes;
    while (this.#bytes > wanted) {
      const expired = this.#statements.expired.all(now, EXPIRED_AT_ONCE);
      if (expired.length > 0) {
        for (const row of expired) this.#remove(String(row["id"]));
        continue;
      }
      const full = this.#statements.oldest.get(1, now - YOUNG_MS);
      const bare = full === undefined ? this.#statements.oldest.get(0, now - YOUNG_MS) : undefined;
      if (full !== undefined) this.#thin(String(full["id"]), "its place was needed for newer keys (idempotency.bytes)");
      else if (bare !== undefined) this.#remove(String(bare["id"]));
      else return { kind: "failed", code: "full", detail: `the ledger holds ${this.#bytes} of ${this.bytesMax} bytes` };
      this.#forgottenEarly += 1;
    }
    return null;
  }

  /** The answer goes, the fact stays. */
  #thin(id: string, because: string): void {
    const row = this.#statements.answerBytes.get(id);
    const bytes = Number(row?.["bytes"] ?? 0);
    this.#statements.removeAnswer.run(id);
    this.#statements.thin.run(because, bytes, id);
    this.#bytes -= bytes;
  }

  #remove(id: string): void {
    const row = this.#statements.remove.get(id);
    if (row === undefined) return;
    this.#statements.removeAnswer.run(id);
    this.#bytes -= Number(row["bytes"]);
    this.#keys -= 1;
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- The type is the list below.
function prepare(database: DatabaseSync) {
  const sql = (text: string): StatementSync => database.prepare(text);
  return {
    get: sql("SELECT * FROM keys WHERE id = ?"),
    insert: sql(
      `INSERT INTO keys (id, key, fingerprint, service, route, method, target, request_id, started_at, expires_at,
       bytes, state, status, kept, because) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'started', 0, 0, '')`,
    ),
    again: sql("UPDATE keys SET state = 'started', because = '', request_id = ? WHERE id = ?"),
    setState: sql("UPDATE keys SET state = ?, status = ?, kept = ?, because = ?, bytes = bytes + ? WHERE id = ?"),
    thin: sql("UPDATE keys SET kept = 0, because = ?, bytes = bytes - ? WHERE id = ?"),
    remove: sql("DELETE FROM keys WHERE id = ? RETURNING bytes"),
    expired: sql("SELECT id FROM keys WHERE expires_at <= ? AND state <> 'started' ORDER BY expires_at LIMIT ?"),
    oldest: sql(
      "SELECT id FROM keys WHERE state = 'answered' AND kept = ? AND started_at <= ? ORDER BY started_at LIMIT 1",
    ),
    answer: sql("SELECT head, body, request FROM answers WHERE id = ?"),
    answerBytes: sql("SELECT length(head) + length(body) AS bytes FROM answers WHERE id = ?"),
    insertAnswer: sql("INSERT OR REPLACE INTO answers (id, head, body, request) VALUES (?, ?, ?, ?)"),
    removeAnswer: sql("DELETE FROM answers WHERE id = ?"),
  };
}

function done(changes: number | bigint, id: string): LedgerResult {
  if (Number(changes) === 1) return { kind: "done" };
  throw new Unreadable(`key ${id} is missing`);
}

function entryOf(row: Record<string, SQLOutputValue>): LedgerEntry {
  const text = (name: string): string => String(row[name]);
  return {
    id: text("id"),
    key: text("key"),
    fingerprint: text("fingerprint"),
    service: text("service"),
    route: text("route"),
    method: text("method"),
    target: text("target"),
    requestId: text("request_id"),
    startedAt: Number(row["started_at"]),
    expiresAt: Number(row["expires_at"]),
    state: stateOf(row),
  };
}

function stateOf(row: Record<string, SQLOutputValue>): KeyState {
  const because = String(row["because"]);
  const state = row["state"];
  if (state === "started") return { kind: "started" };
  if (state === "answered") {
    return { kind: "answered", status: Number(row["status"]), kept: row["kept"] === 1, because };
  }
  return { kind: "uncertain", because };
}

function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}

/** The primary result code of SQLite; -1 for other errors. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : -1;
}

/** 0: there is none. */
function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
}

function failureOf(error: unknown): LedgerFailure {
  return { kind: "failed", code: sqliteCode(error) === 13 ? "disk-full" : "broken", detail: textOf(error) };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
