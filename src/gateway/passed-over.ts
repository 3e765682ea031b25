/**
 * A response of an origin that the client does not get, because something stored answers instead. Its end is waited
 * for, so that the connection can be used again, but not for long, and only as much of it is read.
 */
import type { Attempt } from "./attempt.ts";
import type { ResponseHearer } from "./attempt-host.ts";
import type { Visit } from "./cache/visit.ts";
import type { OriginConnection } from "./origin-connection.ts";

export interface PassingOver {
  /** The response is over, or is not waited for any more. `connection`: where it ended; null: nowhere. */
  passedOver(connection: OriginConnection | null, now: number): void;
  later(step: (now: number) => void): void;
  onFault(error: unknown): void;
}

const WAIT_MS = 1_000;
const READ_BYTES = 64 * 1024;

export class PassedOver implements ResponseHearer {
  readonly #host: PassingOver;
  readonly #visit: Visit | null;
  readonly #since: number;
  #bytes = 0;

  constructor(host: PassingOver, visit: Visit | null, connection: OriginConnection, now: number) {
    this.#host = host;
    this.#visit = visit;
    this.#since = now;
    connection.wait("gap", WAIT_MS, now);
  }

  onResponseBody(_attempt: Attempt, _bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
  }

  onResponseEnd(_attempt: Attempt, connection: OriginConnection, now: number): void {
    this.#host.passedOver(connection, now);
  }

  onAttemptFailed(_attempt: Attempt, _judgement: unknown, now: number): void {
    this.#host.passedOver(null, now);
  }

  onOriginTurnEnd(attempt: Attempt, connection: OriginConnection, now: number): void {
    this.#visit?.turnEnd();
    if (attempt.connection !== connection) return;
    if (now - this.#since < WAIT_MS && this.#bytes < READ_BYTES) return;
    attempt.drop();
    this.#host.later((at) => this.#host.passedOver(null, at));
  }

  onFault(error: unknown): void {
    this.#host.onFault(error);
  }
}
