/**
 * The tables of a fleet, and how they become what this program knows. Steps are only ever added. A node that knows fewer
 * than there are does not touch them: it serves from what it has, and says that it has to be updated.
 *
 * Most starts find all done and ask one question, so that the user of the database needs no right to make tables once
 * somebody else has made them. Of several that find them missing, one makes them and the others wait for it.
 */
import { randomUUID } from "node:crypto";
import { DatabaseError } from "./connection.ts";
import type { Connection } from "./connection.ts";

/** `{}` is the schema. */
const STEPS: readonly (readonly string[])[] = [
  [
    // One row. `made` is another when the tables are. `number` counts changes: whoever writes holds the row until that is done, so they are seen in order.
    `create table {}.fleet (
       sole boolean primary key default true check (sole),
       version integer not null,
       made text not null,
       key_mark text not null,
       number bigint not null
     )`,
    `create table {}.rows (
       kind text not null,
       id text not null,
       body text,
       changed bigint not null,
       epoch bigint not null,
       writer text not null,
       at timestamptz not null,
       primary key (kind, id)
     )`,
    "create index rows_changed on {}.rows (changed)",
    `create table {}.leases (
       job text primary key,
       holder text not null,
       node text not null,
       epoch bigint not null,
       until timestamptz not null
     )`,
    `create table {}.nodes (
       id text primary key,
       name text not null,
       seen timestamptz not null,
       has bigint not null
     )`,
  ],
];

const KNOWN = STEPS.length;
/** What a node of ours may wait for another that makes the tables. */
const LOCK_MS = 3_000;

/** Something that takes a person. */
export class FleetUnusable extends Error {}

/** Rejects with FleetUnusable or DatabaseError. */
export async function prepareTables(connection: Connection, schema: string, keyMark: string): Promise<void> {
  const found = await versionOf(connection, schema);
  if (found === null || found.version < KNOWN) await bringUp(connection, schema, keyMark);
  const now = await versionOf(connection, schema);
  if (now === null) throw new DatabaseError("", `the schema ${schema} is not there`);
  if (now.version > KNOWN) {
    throw new FleetUnusable(
      `the tables are of version ${now.version}, and this program knows ${KNOWN}: update it, as other nodes were`,
    );
  }
  if (now.keyMark !== keyMark)
    throw new FleetUnusable("fleet.key is not the one that the other nodes have: nothing there can be read with it");
}

async function versionOf(
  connection: Pick<Connection, "ask">,
  schema: string,
): Promise<{ readonly version: number; readonly keyMark: string } | null> {
  if (!(await isThere(connection, TABLE, schema))) return null;
  const [row] = await connection.ask<{ version: number; keyMark: string }>(
    `select version, key_mark as "keyMark" from ${quotedName(schema)}.fleet`,
  );
  return row ?? null;
}

async function bringUp(connection: Connection, schema: string, keyMark: string): Promise<void> {
  await connection.together(async (ask) => {
    await ask(`set local lock_timeout = ${LOCK_MS}`);
    await ask("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`goodgate ${schema}`]);
    // It may have been done by who had the lock before.
    const found = (await versionOf({ ask }, schema))?.version ?? 0;
    if (found >= KNOWN) return;
    // Asked first: who may not make schemas may not say `if not exists` either.
    if (!(await isThere({ ask }, SCHEMA, schema))) await ask(`create schema ${quotedName(schema)}`);
    for (const statement of STEPS.slice(found).flat()) {
      // oxlint-disable-next-line no-await-in-loop -- In their order, in one transaction.
      await ask(statement.replaceAll("{}", quotedName(schema)));
    }
    await ask(
      `insert into ${quotedName(schema)}.fleet (version, made, key_mark, number) values ($1, $2, $3, 0)
       on conflict (sole) do update set version = excluded.version`,
      [KNOWN, randomUUID(), keyMark],
    );
  });
}

/**
 * Read from the catalogue and not asked by `to_regclass`, which within a transaction may answer from what the server
 * remembers: that it was not there before another node made it.
 */
const SCHEMA = `select 1 from pg_catalog.pg_namespace where nspname = $1`;
const TABLE = `select 1 from pg_catalog.pg_class as class join pg_catalog.pg_namespace as schema
                 on schema.oid = class.relnamespace
               where schema.nspname = $1 and class.relname = 'fleet'`;

async function isThere(connection: Pick<Connection, "ask">, question: string, schema: string): Promise<boolean> {
  return (await connection.ask(question, [schema])).length > 0;
}

/** Names are checked where they are configured; this is for capital letters. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
