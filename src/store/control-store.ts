/**
 * What the control plane keeps, in an SQLite database of its own in the state directory. Used synchronously: it lives
 * in the control process, which nobody waits for.
 *
 * Write-ahead log with `synchronous=NORMAL`: a crash of the machine may cost the last seconds, never the file. A file
 * that cannot be read is moved aside and told. While nothing can be written (a full disk, another process) the control
 * plane goes on in memory; the incidents and documents of that time are written when it works again.
 *
 * One process at a time: it holds a lock beside the file and not on it, so that `goodgate replay` can read facts while
 * they are written.
 *
 * Room: figures leave by their age, then facts by their bytes, oldest first; when the file comes near its bound all the
 * same, facts, then the oldest incidents and figures go.
 */
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { FactBatch } from "../contract/control-messages.ts";
import type {
  ControlMemory,
  ControlStore,
  ControlStoreState,
  ControlWriting,
  Document,
} from "../contract/control-store.ts";
import type { Incident } from "../contract/incident.ts";
import type { Resolution, SeriesRow } from "../contract/series.ts";
import { batchOf } from "./recorded-facts.ts";

export interface ControlStoreOptions {
  readonly directory: string;
  /** All of it. */
  readonly bytesMax: number;
  readonly factsBytesMax: number;
  /** Told when it begins and when it ends. */
  readonly onEvent: (code: string, detail: string) => void;
  /** Monotonic ms. */
  readonly now: () => number;
}

export const CONTROL_FILE = "control.sqlite";
const LOCK_FILE = "control.lock";
const VERSION = 1;
/** As long as the engine has rings for them (control/rollup.ts). */
const KEPT_MS: Readonly<Record<Resolution, number>> = {
  1: 0,
  10: 3_600_000,
  60: 6 * 3_600_000,
  3600: 35 * 86_400_000,
};
/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const CORRUPT: readonly [number, number] = [11, 26];
const FULL = 13;
const BUSY = 5;
const TRY_AGAIN_MS = 10_000;
/** Old rows are looked for once in so many writings. */
const TIDY_EVERY = 60;
/** Of the file's bound; the rest is room for the log that is written ahead, and to tidy up in. */
const FULL_RATIO = 0.8;
/** Compressed: a few seconds of work at a start. */
const UNSAVED_MAX_BYTES = 8 * 1024 * 1024;
const PENDING_MAX = 1_000;

const SCHEMA = `
  CREATE TABLE series (
    resolution INTEGER NOT NULL, at INTEGER NOT NULL, service TEXT NOT NULL, dimension TEXT NOT NULL, value TEXT NOT NULL,
    exchanges REAL NOT NULL, failed REAL NOT NULL, rescued REAL NOT NULL, p50 REAL, p95 REAL, p99 REAL,
    PRIMARY KEY (resolution, at, service, dimension, value)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE incidents (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, first_at INTEGER NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_by_time ON incidents (first_at);
  CREATE TABLE documents (
    kind TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
    bytes INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE saved (
    one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL, fact INTEGER NOT NULL, session TEXT NOT NULL,
    number INTEGER NOT NULL, body BLOB
  ) STRICT;
  INSERT INTO saved VALUES (1, 0, 0, '', 0, NULL);
  PRAGMA user_version = ${VERSION};
`;

export function openControlStore(options: ControlStoreOptions): ControlStore {
  return new SqliteStore(options);
}

class SqliteStore implements ControlStore {
  readonly #options: ControlStoreOptions;
  readonly #path: string;
  #open: Open | null = null;
  #lock: DatabaseSync | null = null;
  #failing = "";
  #triedAt = -Infinity;
  #writings = 0;
  #factsBytes = 0;
  #sinceSavedBytes = 0;
  /** What is to be written when it works again. */
  readonly #incidents = new Map<string, Incident>();
  readonly #documents = new Map<string, Document>();

  constructor(options: ControlStoreOptions) {
    this.#options = options;
    this.#path = join(options.directory, CONTROL_FILE);
    this.#ensure();
  }

  write(writing: ControlWriting): void {
    for (const incident of writing.incidents) this.#pend(this.#incidents, incident.id, incident);
    for (const document of writing.documents) this.#pend(this.#documents, `${document.kind}\n${document.id}`, document);
    this.#guarded((open) => {
      try {
        this.#transact(open, writing);
      } catch (error) {
        if (codeOf(error) !== FULL) throw error;
        // Its own bound, most likely: with less of the past there is room for the present.
        this.#makeRoom(open);
        this.#transact(open, writing);
      }
      this.#incidents.clear();
      this.#documents.clear();
      if (writing.saved !== null) this.#sinceSavedBytes = 0;
      this.#writings += 1;
      if (this.#writings % TIDY_EVERY === 0) this.#tidy(open, writing.at);
    });
  }

  read(): ControlMemory {
    const nothing = { saved: null, savedAt: 0, rows: [], batches: [], session: "", number: 0 };
    return (
      this.#guarded((open) => {
        const saved = open.database.prepare("SELECT at, fact, session, number, body FROM saved").get();
        if (saved === undefined) return nothing;
        // What came after it is in the facts, and would be counted twice.
        const rows = open.database
          .prepare("SELECT * FROM series WHERE at + resolution * 1000 <= ? ORDER BY resolution, at")
          .all(Number(saved["at"]))
          .map(rowOf);
        const body = saved["body"];
        return {
          saved: body instanceof Uint8Array ? (JSON.parse(inflateRawSync(body).toString()) as unknown) : null,
          savedAt: Number(saved["at"]),
          rows,
          batches: this.#batchesAfter(Number(saved["fact"])),
          session: String(saved["session"]),
          number: Number(saved["number"]),
        };
      }) ?? nothing
    );
  }

  closedIncidents(limit: number): readonly Incident[] {
    return (
      this.#guarded(({ database }) =>
        database
          .prepare("SELECT body FROM incidents WHERE state IN ('closed', 'merged') ORDER BY first_at DESC LIMIT ?")
          .all(limit)
          .map(({ body }) => JSON.parse(String(body)) as Incident),
      ) ?? []
    );
  }

  incident(id: string): Incident | null {
    return (
      this.#guarded(({ database }) => {
        const row = database.prepare("SELECT body FROM incidents WHERE id = ?").get(id);
        return row === undefined ? null : (JSON.parse(String(row["body"])) as Incident);
      }) ?? null
    );
  }

  incidentsSince(at: number): readonly Incident[] {
    return (
      this.#guarded(({ database }) =>
        database
          .prepare(
            "SELECT body FROM incidents WHERE state IN ('open', 'recovering') OR first_at >= ? ORDER BY first_at",
          )
          .all(at)
          .map(({ body }) => JSON.parse(String(body)) as Incident),
      ) ?? []
    );
  }

  documents(kind: string): readonly Document[] {
    return (
      this.#guarded(({ database }) =>
        database
          .prepare("SELECT kind, id, at, until, body FROM documents WHERE kind = ? ORDER BY at, id")
          .all(kind)
          .map((row) => ({
            kind,
            id: String(row["id"]),
            at: Number(row["at"]),
            until: Number(row["until"]),
            body: JSON.parse(String(row["body"])) as unknown,
          })),
      ) ?? []
    );
  }

  state(): ControlStoreState {
    const bytes = this.#open === null ? 0 : usedBytes(this.#open.database);
    return {
      failing: this.#failing,
      bytes,
      bytesMax: this.#options.bytesMax,
      isSaveUrgent: this.#sinceSavedBytes >= Math.min(UNSAVED_MAX_BYTES, this.#options.factsBytesMax / 2),
    };
  }

  close(): void {
    this.#letGo();
    this.#lock?.close();
    this.#lock = null;
  }

  /** One after the other: all of them at once could be more than the process may hold. */
  *#batchesAfter(fact: number): Generator<FactBatch> {
    const next = this.#open?.database.prepare(
      "SELECT id, session, number, body FROM facts WHERE id > ? ORDER BY id LIMIT 1",
    );
    for (let row = next?.get(fact); row !== undefined; row = next?.get(Number(row["id"]))) yield batchOf(row);
  }

  // ------------------------------------------------------------------ writing

  #transact(open: Open, writing: ControlWriting): void {
    const factsBytes = this.#factsBytes;
    open.database.exec("BEGIN");
    try {
      this.#put(open, writing);
      open.database.exec("COMMIT");
    } catch (error) {
      this.#factsBytes = factsBytes;
      // SQLite may have done it already, as it does when the disk is full.
      if (open.database.isTransaction) open.database.exec("ROLLBACK");
      throw error;
    }
  }

  #put(open: Open, { batch, rows, saved, at }: ControlWriting): void {
    const { statements, database } = open;
    if (batch !== null) {
      let fact = 0;
      if (this.#options.factsBytesMax > 0) {
        const body = deflateRawSync(JSON.stringify(batch.facts), { level: 1 });
        fact = Number(statements.putFacts.run(batch.session, batch.number, at, body.length, body).lastInsertRowid);
        this.#factsBytes += body.length;
        this.#sinceSavedBytes += body.length;
        if (this.#factsBytes > this.#options.factsBytesMax) this.#dropFacts(open, this.#options.factsBytesMax * 0.9);
      }
      statements.putNumber.run(batch.session, batch.number);
      if (saved !== null) statements.putSaved.run(at, fact, deflateRawSync(JSON.stringify(saved), { level: 1 }));
    } else if (saved !== null) {
      const last = Number(Object.values(database.prepare("SELECT max(id) FROM facts").get() ?? {})[0] ?? 0);
      statements.putSaved.run(at, last, deflateRawSync(JSON.stringify(saved), { level: 1 }));
    }
    for (const row of rows) {
      if (row.resolution === 1) continue;
      const { resolution, service, by, value, exchanges, failed, rescued, p50Ms, p95Ms, p99Ms } = row;
      statements.putRow.run(resolution, row.at, service, by, value, exchanges, failed, rescued, p50Ms, p95Ms, p99Ms);
    }
    for (const incident of this.#incidents.values()) {
      statements.putIncident.run(
        incident.id,
        incident.state,
        Math.round(incident.firstFailureAt),
        JSON.stringify(incident),
      );
    }
    for (const { kind, id, at: madeAt, until, body } of this.#documents.values()) {
      if (body === null) statements.dropDocument.run(kind, id);
      else statements.putDocument.run(kind, id, Math.round(madeAt), Math.round(until), JSON.stringify(body));
    }
  }

  /** Oldest first, until at most so many bytes of them are left. */
  #dropFacts({ database }: Open, bytes: number): void {
    const oldest = database.prepare("SELECT id, bytes FROM facts ORDER BY id LIMIT 500");
    while (this.#factsBytes > bytes) {
      let last = 0;
      for (const row of oldest.all()) {
        if (this.#factsBytes <= bytes) break;
        last = Number(row["id"]);
        this.#factsBytes -= Number(row["bytes"]);
      }
      if (last === 0) {
        this.#factsBytes = 0;
        return;
      }
      database.prepare("DELETE FROM facts WHERE id <= ?").run(last);
    }
  }

  #tidy(open: Open, at: number): void {
    const { database } = open;
    for (const [resolution, keptMs] of Object.entries(KEPT_MS)) {
      database.prepare("DELETE FROM series WHERE resolution = ? AND at < ?").run(Number(resolution), at - keptMs);
    }
    database.prepare("DELETE FROM documents WHERE until < ?").run(at);
    if (usedBytes(database) > this.#options.bytesMax * FULL_RATIO) this.#makeRoom(open);
  }

  /** Facts first: they are the most and mean the least. */
  #makeRoom(open: Open): void {
    const { database } = open;
    this.#dropFacts(open, this.#factsBytes / 2);
    if (usedBytes(database) <= this.#options.bytesMax * FULL_RATIO) return;
    database.exec(`
      DELETE FROM incidents WHERE id IN (
        SELECT id FROM incidents WHERE state IN ('closed', 'merged') ORDER BY first_at LIMIT
          (SELECT 1 + count(*) / 4 FROM incidents)
      );
      DELETE FROM series WHERE at < (SELECT (min(at) + max(at)) / 2 FROM series WHERE resolution = 3600) AND resolution = 3600;
    `);
  }

  #pend<Value>(pending: Map<string, Value>, id: string, value: Value): void {
    pending.delete(id);
    pending.set(id, value);
    if (pending.size > PENDING_MAX) pending.delete(pending.keys().next().value ?? "");
  }

  // ------------------------------------------------------------------ failing

  #guarded<Result>(run: (open: Open) => Result): Result | null {
    const open = this.#ensure();
    if (open === null) return null;
    try {
      const result = run(open);
      if (this.#failing !== "") {
        this.#failing = "";
        this.#options.onEvent("control.store-works", "what the control plane keeps is written again");
      }
      return result;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #letGo(): void {
    try {
      this.#open?.database.close();
    } catch {
      // It could not be used anyway, which was told.
    }
    this.#open = null;
  }

  #fail(error: unknown): void {
    this.#letGo();
    this.#triedAt = this.#options.now();
    const isCorrupt = CORRUPT.includes(codeOf(error));
    const detail = textOf(error);
    if (isCorrupt) this.#moveAside(detail);
    if (this.#failing === "" && !isCorrupt) {
      this.#options.onEvent(
        "control.store-failing",
        `${this.#path} cannot be written (${detail}); incidents and figures are kept in memory and forgotten at a restart`,
      );
    }
    this.#failing = detail;
  }

  #ensure(): Open | null {
    if (this.#open !== null) return this.#open;
    const now = this.#options.now();
    if (now - this.#triedAt < TRY_AGAIN_MS) return null;
    try {
      this.#open = this.#openFile();
    } catch (error) {
      this.#fail(error);
      // Moved aside: a new one can be begun at once.
      if (CORRUPT.includes(codeOf(error))) {
        try {
          this.#open = this.#openFile();
          this.#failing = "";
        } catch (again) {
          this.#fail(again);
        }
      }
    }
    return this.#open;
  }

  #openFile(): Open {
    const { directory, bytesMax } = this.#options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    closeSync(openSync(this.#path, "a", 0o600));
    this.#lock ??= lockFile(join(directory, LOCK_FILE));
    const database = new DatabaseSync(this.#path);
    try {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000;");
      database.exec("PRAGMA journal_size_limit = 8388608; PRAGMA cache_size = -4096;");
      const version = Number(Object.values(database.prepare("PRAGMA user_version").get() ?? {})[0]);
      if (version > VERSION) throw new Error(`it was written by a newer Goodgate (form ${version})`);
      if (version === 0) database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
      const checked = String(Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0]);
      if (checked !== "ok") throw new Unreadable(checked);
      const pageBytes = Number(Object.values(database.prepare("PRAGMA page_size").get() ?? {})[0]);
      database.exec(`PRAGMA max_page_count = ${Math.max(64, Math.floor(bytesMax / pageBytes))}`);
      const total = (where: string): number =>
        Number(Object.values(database.prepare(`SELECT total(bytes) FROM facts ${where}`).get() ?? {})[0] ?? 0);
      this.#factsBytes = total("");
      this.#sinceSavedBytes = total("WHERE id > (SELECT fact FROM saved)");
      return { database, statements: prepare(database) };
    } catch (error) {
      try {
        database.close();
      } catch {
        // It was not open.
      }
      throw error;
    }
  }

  /** One such file is kept for whoever wants to look at it. */
  #moveAside(detail: string): void {
    const { directory, onEvent } = this.#options;
    const movedTo = `${CONTROL_FILE}.unreadable-${new Date().toISOString().replaceAll(":", "")}`;
    try {
      for (const name of readdirSync(directory)) {
        if (name.startsWith(`${CONTROL_FILE}.unreadable-`)) rmSync(join(directory, name), { force: true });
      }
      renameSync(this.#path, join(directory, movedTo));
      for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(this.#path + suffix, { force: true });
      onEvent(
        "control.store-moved-aside",
        `what the control plane kept could not be read (${detail}) and is now ${movedTo}; it begins anew`,
      );
    } catch {
      // Then it cannot be used, which the next try tells.
    }
  }
}

interface Open {
  readonly database: DatabaseSync;
  readonly statements: ReturnType<typeof prepare>;
}

class Unreadable extends Error {
  readonly errcode: number = CORRUPT[0];
}

/** Held as long as the process lives, and let go by the system however it ends. Throws when another one has it. */
function lockFile(path: string): DatabaseSync {
  closeSync(openSync(path, "a", 0o600));
  const lock = new DatabaseSync(path);
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;");
    return lock;
  } catch (error) {
    lock.close();
    if (codeOf(error) === BUSY) throw new Error("another process uses the state directory", { cause: error });
    throw error;
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- a list of statements is its own type
function prepare(database: DatabaseSync) {
  const statement = (sql: string): StatementSync => database.prepare(sql);
  return {
    putRow: statement("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    putIncident: statement("INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?)"),
    putDocument: statement("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)"),
    dropDocument: statement("DELETE FROM documents WHERE kind = ? AND id = ?"),
    putFacts: statement("INSERT INTO facts (session, number, at, bytes, body) VALUES (?, ?, ?, ?, ?)"),
    putNumber: statement("UPDATE saved SET session = ?, number = ?"),
    putSaved: statement("UPDATE saved SET at = ?, fact = ?, body = ?"),
  };
}

function usedBytes(database: DatabaseSync): number {
  const one = (pragma: string): number =>
    Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] ?? 0);
  return (one("page_count") - one("freelist_count")) * one("page_size");
}

function rowOf(row: Record<string, unknown>): SeriesRow {
  const quantile = (value: unknown): number | null => (value === null ? null : Number(value));
  return {
    // Both come from rows that this file wrote.
    resolution: Number(row["resolution"]) as Resolution,
    by: String(row["dimension"]) as SeriesRow["by"],
    at: Number(row["at"]),
    service: String(row["service"]),
    value: String(row["value"]),
    exchanges: Number(row["exchanges"]),
    failed: Number(row["failed"]),
    rescued: Number(row["rescued"]),
    p50Ms: quantile(row["p50"]),
    p95Ms: quantile(row["p95"]),
    p99Ms: quantile(row["p99"]),
  };
}

function codeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : -1;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
