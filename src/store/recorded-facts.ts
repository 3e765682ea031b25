/**
 * Facts that a control process wrote down (control-store.ts), read by somebody else: for `goodgate replay`. Readers do
 * not disturb it, and it may be at work.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { inflateRawSync } from "node:zlib";
import type { FactBatch } from "../contract/control-messages.ts";

const MAGIC = "SQLite format 3\0";

/** Whether the file is a database and no text. Throws when it cannot be read at all. */
export function holdsFacts(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(MAGIC.length);
    return readSync(file, head, 0, head.length, 0) === head.length && head.toString("latin1") === MAGIC;
  } finally {
    closeSync(file);
  }
}

/** One fact to a line, oldest first. */
export function* factLines(path: string): Generator<string> {
  for (const { facts } of readFacts(path)) for (const fact of facts) yield JSON.stringify(fact);
}

/** Batches as they were told, oldest first. */
export function* readFacts(path: string): Generator<FactBatch> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    for (const row of database.prepare("SELECT session, number, body FROM facts ORDER BY id").iterate()) {
      yield batchOf(row);
    }
  } finally {
    database.close();
  }
}

/** A row of the table `facts`. */
export function batchOf(row: Record<string, unknown>): FactBatch {
  const { session, number, body } = row;
  const text = body instanceof Uint8Array ? inflateRawSync(body).toString() : "[]";
  return { session: String(session), number: Number(number), facts: JSON.parse(text) as FactBatch["facts"] };
}
