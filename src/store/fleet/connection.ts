/**
 * One connection to PostgreSQL, on which one thing is asked after the other. Every question has an end: the server is told
 * how long a statement may take, and when nothing at all comes back the connection is given up, because what the other
 * side has done is then not known. Nobody waits behind many: who comes when so many wait is refused.
 *
 * The driver is loaded here and nowhere else, and only where a fleet is configured.
 */
import net from "node:net";
import { userInfo } from "node:os";
import type { Client as Driver } from "pg";
import type { DatabasePlace } from "../../kernel/database-place.ts";
import type { Schedule } from "../../kernel/clock.ts";

/** SQLSTATE and a sentence. Code empty: it did not come from the server. */
export class DatabaseError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ConnectionOptions {
  readonly place: DatabasePlace;
  /** PEM: who signs the server's certificate; empty: whom the system trusts. */
  readonly ca: string;
  readonly name: string;
  readonly schedule: Schedule;
  /** For what is asked: the server's own end comes first. */
  readonly timeoutMs: number;
  onNotice(): void;
  /** Once: it is of no more use. */
  onEnd(why: string): void;
}

const WAITING_MAX = 32;
/** The server's end of a statement, and of a transaction whose node has fallen silent: before ours. */
const SERVER_RATIO = 0.8;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: Driver;
  readonly #socket: net.Socket;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Why it is of no more use; empty: it is of use. */
  #ended = "";

  /** Rejects with a DatabaseError. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { Client } = await import("pg");
    const { place, ca, name, timeoutMs } = options;
    const socket = new net.Socket();
    socket.setKeepAlive(true, 10_000);
    // A gateway that ends does not wait for it.
    socket.unref();
    const client = new Client({
      ...place,
      user: place.user === "" ? userInfo().username : place.user,
      ssl: place.tls ? { rejectUnauthorized: true, ...(ca === "" ? {} : { ca }) } : false,
      application_name: `goodgate ${name}`.slice(0, 63),
      statement_timeout: Math.ceil(timeoutMs * SERVER_RATIO),
      idle_in_transaction_session_timeout: Math.ceil(timeoutMs * SERVER_RATIO),
      stream: () => socket,
    });
    const connection = new Connection(options, client, socket);
    await connection.#within("to connect", () => client.connect());
    return connection;
  }

  private constructor(options: ConnectionOptions, client: Driver, socket: net.Socket) {
    this.#options = options;
    this.#client = client;
    this.#socket = socket;
    client.on("error", (error) => this.#end(textOf(error)));
    client.on("end", () => this.#end("the database closed the connection"));
    client.on("notification", () => options.onNotice());
  }

  /** Rejects with a DatabaseError. */
  async ask<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (this.#waiting >= WAITING_MAX) throw new DatabaseError("", "too much waits for the database");
    this.#waiting += 1;
    const before = this.#last;
    const answer = before.then(() => this.#within("to answer", () => this.#client.query(text, values)));
    this.#last = answer.catch(() => undefined);
    try {
      return (await answer).rows as Row[];
    } finally {
      this.#waiting -= 1;
    }
  }

  /** All or nothing; nothing else is asked meanwhile. */
  async together(work: (ask: Connection["ask"]) => Promise<void>): Promise<void> {
    await this.ask("begin");
    try {
      await work((text, values) => this.ask(text, values));
      await this.ask("commit");
    } catch (error) {
      await this.ask("rollback").catch(() => undefined);
      throw error;
    }
  }

  /** Without a word to the server: it must not wait for one. */
  close(): void {
    this.#end("");
  }

  async #within<T>(what: string, ask: () => Promise<T>): Promise<T> {
    if (this.#ended !== "") throw new DatabaseError("", this.#ended);
    const { schedule, timeoutMs } = this.#options;
    let cancel = (): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      cancel = schedule(timeoutMs, () => {
        const why = `the database took longer than ${timeoutMs} ms ${what}`;
        this.#end(why);
        reject(new DatabaseError("", why));
      });
    });
    try {
      return await Promise.race([ask(), late]);
    } catch (error) {
      throw error instanceof DatabaseError ? error : new DatabaseError(codeOf(error), textOf(error));
    } finally {
      cancel();
    }
  }

  #end(why: string): void {
    if (this.#ended !== "") return;
    this.#ended = why === "" ? "the connection is closed" : why;
    this.#socket.destroy();
    if (why !== "") this.#options.onEnd(why);
  }
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join(", ");
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
