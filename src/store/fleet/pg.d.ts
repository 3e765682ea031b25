/** As much of `pg` as is used here. */
declare module "pg" {
  import type { EventEmitter } from "node:events";
  import type { Duplex } from "node:stream";
  import type { ConnectionOptions } from "node:tls";

  interface ClientConfig {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
    readonly ssl: ConnectionOptions | false;
    readonly application_name?: string;
    readonly statement_timeout?: number;
    readonly idle_in_transaction_session_timeout?: number;
    readonly stream?: () => Duplex;
  }

  interface Notification {
    readonly channel: string;
    readonly payload?: string;
  }

  export class Client extends EventEmitter {
    constructor(config: ClientConfig);
    connect(): Promise<void>;
    end(): Promise<void>;
    query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
    on(event: "error", hear: (error: Error) => void): this;
    on(event: "end", hear: () => void): this;
    on(event: "notification", hear: (notification: Notification) => void): this;
  }
}
