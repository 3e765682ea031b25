/**
 * A client that sends exactly the bytes it is told to, in the pieces it is told to, and keeps every byte it
 * gets. For requests that no client library would send, and for leaving in ways that none would leave.
 */
import { connect, type Socket } from "node:net";
import { createByteLog, type ByteLog } from "./byte-log.ts";
import { readMessage, type Message } from "./http-message.ts";

export interface RawClient {
  readonly received: ByteLog;
  readonly localPort: number;
  /** Sends the pieces one after the other, each in a segment of its own. */
  send(...pieces: (string | Buffer)[]): Promise<void>;
  /**
   * The next complete message, interim ones included; consumes it. `method` decides about a body (HEAD has
   * none). A message that ends with the connection is complete at FIN.
   */
  response(method?: string): Promise<Message>;
  /** The raw text after the messages taken so far. */
  rest(): string;
  /** FIN: nothing more will be sent; reading goes on. */
  halfClose(): void;
  /** RST. */
  reset(): void;
  close(): void;
  /** Stop taking bytes, and go on. */
  pause(): void;
  resume(): void;
  /** How it ended: `fin` when the peer ended in order, or the error code (`ECONNRESET`). */
  readonly over: Promise<string>;
}

/** Connects; rejects when that fails. */
export function rawClient(port: number, host = "127.0.0.1"): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(clientOn(socket));
    });
  });
}

function clientOn(socket: Socket): RawClient {
  const received = createByteLog();
  let taken = 0;
  let tellOver: (how: string) => void = () => {};
  const over = new Promise<string>((resolve) => {
    tellOver = resolve;
  });
  const localPort = socket.localPort ?? 0;
  socket.on("data", (chunk: Buffer) => {
    received.append(chunk);
  });
  socket.on("end", () => {
    received.end("fin");
    tellOver("fin");
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    received.end(error.code ?? error.message);
    tellOver(error.code ?? error.message);
  });
  socket.on("close", () => {
    received.end("closed");
    tellOver("closed");
  });

  return {
    received,
    localPort,
    over,
    async send(...pieces): Promise<void> {
      for (const piece of pieces) await write(socket, typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    },
    async response(method = "GET"): Promise<Message> {
      // The wait fails when the connection ends, which completes a message without framing; so that is looked at last.
      await received
        .until("a complete response", (text) => readMessage(text.slice(taken), method, false))
        .catch(() => {});
      const message = readMessage(received.text.slice(taken), method, received.ended === "fin");
      if (message === null) {
        const rest = received.text.slice(taken);
        throw new Error(
          `no complete response, ${received.ended ?? "still open"}: ${JSON.stringify(rest.slice(0, 600))}`,
        );
      }
      taken += message.bytes;
      return message;
    },
    rest(): string {
      return received.text.slice(taken);
    },
    halfClose(): void {
      socket.end();
    },
    reset(): void {
      socket.resetAndDestroy();
    },
    close(): void {
      socket.destroy();
    },
    pause(): void {
      socket.pause();
    },
    resume(): void {
      socket.resume();
    },
  };
}

/** One turn of the event loop lies between two pieces, so that with TCP_NODELAY they leave as two segments. */
function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error) reject(error);
      else setImmediate(resolve);
    });
  });
}
