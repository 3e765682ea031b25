/** A way to a server of TCP that can be cut and mended, and on which everything can be swallowed. */
import net from "node:net";

export interface Road {
  readonly port: number;
  /** What is under way is broken, and nobody gets through. */
  cut(): void;
  /** What is under way stays, and nothing comes through it any more: a machine that lost its power. */
  silence(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function roadTo(port: number): Promise<Road> {
  let state: "open" | "cut" | "silent" = "open";
  const sockets = new Set<net.Socket>();
  const keep = (socket: net.Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const server = net.createServer((client) => {
    keep(client);
    if (state === "cut") client.destroy();
    if (state === "cut") return;
    const origin = net.connect(port, "127.0.0.1");
    keep(origin);
    const pass = (from: net.Socket, to: net.Socket): void => {
      from.on("data", (bytes) => (state === "silent" ? false : to.write(bytes)));
      from.on("close", () => (state === "silent" ? undefined : to.destroy()));
    };
    pass(client, origin);
    pass(origin, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  return {
    port: typeof at === "object" && at !== null ? at.port : 0,
    cut() {
      state = "cut";
      for (const socket of sockets) socket.destroy();
    },
    silence() {
      state = "silent";
    },
    mend() {
      state = "open";
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
