/**
 * The lease of one holder, renewed as long as it is held. Its epoch is the fencing token: every write names it, and the
 * database refuses what comes with one that is not the latest, or after its time. It is bound to no connection, so that
 * one that breaks and is made again in time changes nothing.
 */
import type { SharedRow, SharedTerm } from "../../contract/fleet.ts";
import type { Clock, Schedule } from "../../kernel/clock.ts";
import type { FleetTimes } from "./fleet-times.ts";
import type { FollowedRows } from "./followed-rows.ts";
import type { Statements } from "./statements.ts";

export interface TermPorts {
  readonly holder: string;
  readonly channel: string;
  readonly times: FleetTimes;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Throws when there is no connection. */
  rows(): FollowedRows;
}

const RENEWALS = 3;
const ASK_BEHIND_MS = 100;
/** A node that was not seen for so many times its turn is not waited for. */
const GONE_TURNS = 3;

export class LeaseTerm implements SharedTerm {
  readonly #epoch: string;
  readonly #ports: TermPorts;
  #written = 0n;
  #isOver = false;
  #cancel = (): void => undefined;

  constructor(epoch: string, ports: TermPorts) {
    this.#epoch = epoch;
    this.#ports = ports;
    this.#renewLater();
  }

  async write(rows: readonly SharedRow[]): Promise<boolean> {
    const { rows: followed, channel } = this.#ports;
    const number = await followed().write(this.#epoch, rows, channel);
    if (number === null) return false;
    this.#written = number;
    return true;
  }

  async spread(): Promise<void> {
    const { rows, holder, statements, times, clock, schedule } = this.#ports;
    const until = clock.monotonic() + times.spreadMs;
    const lately = times.pollMs * GONE_TURNS;
    for (;;) {
      const values = [holder, String(this.#written), lately];
      // oxlint-disable-next-line no-await-in-loop -- It is asked again after a while.
      const behind = await rows().connection.ask(statements.behind, values);
      if (behind.length === 0 || clock.monotonic() >= until) return;
      // oxlint-disable-next-line no-await-in-loop -- As above.
      await new Promise<void>((resolve) => schedule(ASK_BEHIND_MS, resolve));
    }
  }

  /** Where nobody can be told, it ends by itself. */
  async giveBack(): Promise<void> {
    this.#end();
    const { rows, holder, statements } = this.#ports;
    try {
      await rows().connection.ask(statements.giveBack, [holder, this.#epoch]);
    } catch {
      return;
    }
  }

  #renewLater(): void {
    const { times, schedule } = this.#ports;
    this.#cancel = schedule(times.leaseMs / RENEWALS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { rows, holder, statements, times } = this.#ports;
    try {
      const renewed = await rows().connection.ask(statements.renew, [holder, this.#epoch, times.leaseMs]);
      if (renewed.length === 0) this.#end();
    } catch {
      // While there is no connection it runs on; whether it is still ours the database says at the next write.
    }
    if (!this.#isOver) this.#renewLater();
  }

  #end(): void {
    this.#isOver = true;
    this.#cancel();
  }
}
