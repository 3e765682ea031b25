/**
 * What a fleet has in common, followed over one connection: made, made again when it breaks (with jitter, so that nodes do
 * not come back together), and asked every few seconds, because a notification is only ever a hint: it is lost while there
 * is no connection.
 *
 * Nothing here is needed to serve. While the database is away nobody has the lease, and what would be written waits.
 */
import type { FleetStore, FleetView, HearShared, SharedTerm } from "../../contract/fleet.ts";
import type { Chance, Clock, Schedule } from "../../kernel/clock.ts";
import type { DatabasePlace } from "../../kernel/database-place.ts";
import { hostPort } from "../../kernel/ip-text.ts";
import { Connection, DatabaseError } from "./connection.ts";
import type { FleetTimes } from "./fleet-times.ts";
import { FollowedRows } from "./followed-rows.ts";
import { LeaseTerm } from "./lease-term.ts";
import { sealOf } from "./sealed-text.ts";
import { statementsOf } from "./statements.ts";
import type { Statements } from "./statements.ts";
import { FleetUnusable, prepareTables, quotedName } from "./tables.ts";

export interface FleetSessionOptions {
  readonly schema: string;
  /** What this node is called. */
  readonly node: string;
  /** Another for each process: what a predecessor had is not ours. */
  readonly holder: string;
  readonly times: FleetTimes;
}

export interface FleetSessionPorts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly chance: Chance;
  /** Read for each connection: secrets may be changed meanwhile. A text says why they cannot be had. */
  access(): Promise<FleetAccess | string>;
  tell(code: string, detail: string): void;
}

export interface FleetAccess {
  readonly place: DatabasePlace;
  /** PEM; empty: whom the system trusts. */
  readonly ca: string;
  readonly key: string;
}

/** SQLSTATE: who we are, what we may, what is not there. That takes a person. */
const FOR_PEOPLE = /^(28|3D|3F|42501)/;

export class FleetSession implements FleetStore {
  readonly #options: FleetSessionOptions;
  readonly #ports: FleetSessionPorts;
  readonly #ask: Statements;
  readonly #channel: string;
  #hear: HearShared = () => Promise.resolve();
  #live: FollowedRows | null = null;
  #isRunning = false;
  #failures = 0;
  #cancel = (): void => undefined;
  #state: Pick<FleetView, "state" | "detail" | "since">;
  #database = "";

  constructor(options: FleetSessionOptions, ports: FleetSessionPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#ask = statementsOf(options.schema);
    this.#channel = `${options.schema}_changed`;
    this.#state = { state: "connecting", detail: "", since: ports.clock.wall() };
  }

  view(): FleetView {
    const { holder = "", others = [] } = this.#live ?? {};
    const isCurrent = this.#state.state === "connected";
    const own = { name: this.#options.node, seenAt: this.#ports.clock.wall(), isCurrent };
    return { ...this.#state, database: this.#database, holder, nodes: [own, ...others] };
  }

  start(hear: HearShared): void {
    this.#hear = hear;
    this.#isRunning = true;
    void this.#connect();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancel();
    const live = this.#live;
    this.#live = null;
    // Who is gone need not be waited for; where that cannot be said, it is seen after a while.
    await live?.connection.ask(this.#ask.leave, [this.#options.holder]).catch(() => undefined);
    live?.connection.close();
  }

  async take(): Promise<SharedTerm | null> {
    const { holder, node, times } = this.#options;
    const { connection } = this.#rows();
    const [row] = await connection.ask<{ epoch: string }>(this.#ask.take, [holder, node, times.leaseMs]);
    if (row === undefined) return null;
    const { clock, schedule } = this.#ports;
    const term = new LeaseTerm(row.epoch, {
      holder,
      channel: this.#channel,
      times,
      statements: this.#ask,
      clock,
      schedule,
      rows: () => this.#rows(),
    });
    try {
      await connection.ask(this.#ask.forget);
      await this.#rows().read();
      return term;
    } catch (error) {
      await term.giveBack();
      throw error;
    }
  }

  #rows(): FollowedRows {
    if (this.#live !== null) return this.#live;
    const { state, detail } = this.#state;
    throw new DatabaseError("", `the database is ${state}${detail === "" ? "" : `: ${detail}`}`);
  }

  async #connect(): Promise<void> {
    const { schema, node } = this.#options;
    let connection: Connection | null = null;
    let rows: FollowedRows | null = null;
    try {
      const access = await this.#ports.access();
      if (typeof access === "string") throw new FleetUnusable(access);
      this.#database = placeText(access.place);
      const seal = sealOf(access.key);
      if (seal === null) throw new FleetUnusable("fleet.key is no key: it takes 32 bytes in base64 or in hex");
      connection = await Connection.open({
        place: access.place,
        ca: access.ca,
        name: node,
        schedule: this.#ports.schedule,
        timeoutMs: this.#options.times.timeoutMs,
        onNotice: () => void this.#live?.read().catch(() => undefined),
        onEnd: (why) => this.#lost(rows, new DatabaseError("", why)),
      });
      // Whatever the database's own default is.
      await connection.ask("set session characteristics as transaction isolation level read committed");
      await prepareTables(connection, schema, seal.mark);
      await connection.ask(`listen ${quotedName(this.#channel)}`);
      if (!this.#isRunning) return connection.close();
      const { clock, tell } = this.#ports;
      rows = new FollowedRows(connection, seal, this.#ask, this.#options, {
        clock,
        hear: (news, isWhole) => this.#hear(news, isWhole),
        onBroken: (row) => tell("fleet.broken-row", `the row of ${row} cannot be opened: somebody changed it`),
      });
      this.#live = rows;
      await rows.read();
      if (this.#live !== rows) return;
      this.#failures = 0;
      this.#become("connected", "");
      this.#poll(rows);
    } catch (error) {
      if (rows !== null) return this.#lost(rows, error);
      connection?.close();
      this.#failed(error);
    }
  }

  #poll(rows: FollowedRows): void {
    const { pollMs } = this.#options.times;
    this.#again(pollMs * (0.75 + this.#ports.chance() / 2), () => {
      rows.read().then(
        () => (this.#live === rows ? this.#poll(rows) : undefined),
        (error: unknown) => this.#lost(rows, error),
      );
    });
  }

  #lost(rows: FollowedRows | null, error: unknown): void {
    // Null: it is still being made, and whoever makes it hears of it as well.
    if (rows === null || this.#live !== rows) return;
    this.#live = null;
    rows.connection.close();
    this.#failed(error);
  }

  #failed(error: unknown): void {
    if (!this.#isRunning) return;
    const code = error instanceof DatabaseError ? error.code : "";
    const isForPeople = error instanceof FleetUnusable || FOR_PEOPLE.test(code);
    const text = error instanceof Error ? error.message : String(error);
    this.#become(isForPeople ? "unusable" : "unreachable", code === "" ? text : `${text} (${code})`);
    const { base, max } = this.#options.times.retryMs;
    const limit = Math.min(max, base * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    this.#again(base / 4 + this.#ports.chance() * limit, () => void this.#connect());
  }

  #again(ms: number, run: () => void): void {
    this.#cancel();
    this.#cancel = this.#ports.schedule(ms, run);
  }

  #become(state: FleetView["state"], detail: string): void {
    const before = this.#state;
    if (before.state === state && before.detail === detail) return;
    const since = before.state === state ? before.since : this.#ports.clock.wall();
    this.#state = { state, detail, since };
    const { tell } = this.#ports;
    if (state === "connected")
      tell("fleet.connected", `${this.#database} answers; certificates are shared with the fleet`);
    else
      tell(
        `fleet.${state}`,
        `${this.#database} cannot be used: ${detail}; what was obtained is served, and no certificate is ordered`,
      );
  }
}

function placeText({ host, port, database }: DatabasePlace): string {
  return host.startsWith("/") ? `${host}/${database}` : `${hostPort(host, port)}/${database}`;
}
