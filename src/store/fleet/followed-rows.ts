/**
 * The rows, as far as they were heard over one connection: what is new is read and handed on, and what was handed on is
 * told to the others, who may wait for it. One reading at a time; what is asked for meanwhile makes one more.
 */
import type { FleetNode, HearShared, SharedRow } from "../../contract/fleet.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Connection } from "./connection.ts";
import type { Seal } from "./sealed-text.ts";
import type { Statements } from "./statements.ts";

/** What is sealed; the rest may be read by people who look into the database. */
const SECRET: ReadonlySet<string> = new Set<SharedRow["kind"]>(["account", "certificate", "proof"]);
const KINDS: ReadonlySet<string> = new Set<SharedRow["kind"]>(["account", "authority", "certificate", "name", "proof"]);

export interface FollowPorts {
  readonly clock: Clock;
  hear: HearShared;
  /** A row that cannot be read. */
  onBroken(row: string): void;
}

interface Overview {
  readonly made: string;
  readonly number: string;
  readonly holder: string;
  readonly others: readonly { readonly name: string; readonly agoMs: number; readonly isCurrent: boolean }[];
}

interface Row {
  readonly kind: string;
  readonly id: string;
  readonly body: string | null;
  readonly changed: string;
}

export class FollowedRows {
  readonly connection: Connection;
  readonly #seal: Seal;
  readonly #ask: Statements;
  readonly #who: { readonly holder: string; readonly node: string };
  readonly #ports: FollowPorts;
  /** Up to which change all was heard. */
  #has = 0n;
  #isWhole = true;
  #made = "";
  #isStale = false;
  #reading: Promise<void> | null = null;
  holder = "";
  others: readonly FleetNode[] = [];

  constructor(
    connection: Connection,
    seal: Seal,
    statements: Statements,
    who: { readonly holder: string; readonly node: string },
    ports: FollowPorts,
  ) {
    this.connection = connection;
    this.#seal = seal;
    this.#ask = statements;
    this.#who = who;
    this.#ports = ports;
  }

  /** Resolves when all is heard that was there when it was called. */
  read(): Promise<void> {
    this.#isStale = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      // oxlint-disable-next-line no-await-in-loop -- One reading at a time.
      await this.#readOnce();
    }
  }

  async #readOnce(): Promise<void> {
    const number = await this.#beat();
    // Smaller: the database was put back to what it was before.
    if (number < this.#has) this.#isWhole = true;
    if (this.#isWhole) this.#has = 0n;
    if (number === this.#has && !this.#isWhole) return;
    const rows = await this.connection.ask<Row>(this.#ask.news, [String(this.#has)]);
    await this.#ports.hear(
      rows.flatMap((row) => this.#opened(row) ?? []),
      this.#isWhole,
    );
    this.#isWhole = false;
    for (const { changed } of rows) if (BigInt(changed) > this.#has) this.#has = BigInt(changed);
    await this.#beat();
  }

  /** Says that this node is there and what it has; what there is by now. */
  async #beat(): Promise<bigint> {
    const { holder, node } = this.#who;
    const [overview] = await this.connection.ask<Overview>(this.#ask.beat, [holder, node, String(this.#has)]);
    if (overview === undefined) throw new Error("the table of the fleet is empty");
    // The tables were made anew under us: what we have is of other ones, whatever the numbers say.
    if (overview.made !== this.#made) this.#isWhole = true;
    this.#made = overview.made;
    const now = this.#ports.clock.wall();
    this.holder = overview.holder;
    this.others = overview.others.map(({ name, agoMs, isCurrent }) => ({ name, seenAt: now - agoMs, isCurrent }));
    return BigInt(overview.number);
  }

  #opened({ kind, id, body }: Row): SharedRow | null {
    // Of a later version, which has more kinds.
    if (!KINDS.has(kind)) return null;
    const row = { kind: kind as SharedRow["kind"], id };
    if (body === null || !SECRET.has(kind)) return { ...row, body };
    const open = this.#seal.open(body, rowName(row));
    if (open === null) this.#ports.onBroken(rowName(row));
    return open === null ? null : { ...row, body: open };
  }

  /** The number of the change; null: the lease is lost. */
  async write(epoch: string, rows: readonly SharedRow[], channel: string): Promise<bigint | null> {
    const { holder, node } = this.#who;
    const [written] = await this.connection.ask<{ number: string }>(this.#ask.write, [
      holder,
      epoch,
      node,
      rows.map(({ kind }) => kind),
      rows.map(({ id }) => id),
      rows.map((row) =>
        row.body !== null && SECRET.has(row.kind) ? this.#seal.close(row.body, rowName(row)) : row.body,
      ),
      channel,
    ]);
    return written === undefined ? null : BigInt(written.number);
  }
}

function rowName({ kind, id }: Pick<SharedRow, "kind" | "id">): string {
  return `${kind} ${id}`;
}
