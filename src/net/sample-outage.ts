/**
 * Breaks a sample origin in the ways in which real ones break, and mends it. A crash frees its port and takes the same
 * one again afterwards; everything else happens in the answers, which `spoil` takes before the origin does.
 */
import type http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { OutageKind } from "../contract/samples.ts";

const SLOW_MS = 2_000;
const AGAIN_MS = 200;

export class Breakable {
  readonly #server: http.Server;
  readonly #sockets: ReadonlySet<Socket>;
  readonly #port: number;
  #kind: OutageKind | null = null;
  #isClosed = false;

  /** `sockets`: those that the server holds now. It listens already. */
  constructor(server: http.Server, sockets: ReadonlySet<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.#port = (server.address() as AddressInfo).port;
  }

  break(kind: OutageKind): void {
    this.#kind = kind;
    if (kind !== "crash") return;
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    const was = this.#kind;
    this.#kind = null;
    if (was === "crash") this.#listenAgain();
    // Who hangs in it would hang for ever.
    else if (was === "hang") for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#isClosed = true;
  }

  /** True: it has taken the request. */
  spoil(response: http.ServerResponse, answer: () => void): boolean {
    switch (this.#kind) {
      case "hang":
        return true;
      case "slow": {
        const timer = setTimeout(answer, SLOW_MS);
        response.on("close", () => clearTimeout(timer));
        return true;
      }
      case "errors":
        response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
        response.end("This sample is broken on purpose.\n");
        return true;
      case "crash":
      case null:
        return false;
    }
  }

  /** Somebody else may have the port for a moment: a connection of this machine that was given it. */
  #listenAgain(): void {
    if (this.#isClosed || this.#kind !== null) return;
    const again = (): void => {
      setTimeout(() => this.#listenAgain(), AGAIN_MS).unref();
    };
    this.#server.once("error", again);
    this.#server.listen(this.#port, "127.0.0.1", () => this.#server.off("error", again));
  }
}
