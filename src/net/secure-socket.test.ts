/** What is Node's own in a secure socket and done otherwise here; tls-socket.test.ts has it at work. */
import net from "node:net";
import tls from "node:tls";
import { expect, it } from "vitest";
import { SecureSocket } from "./secure-socket.ts";
import type { RawHandle } from "./secure-socket.ts";

const CHOICE = { context: tls.createSecureContext({}), alpn: [], clientCertificate: "none", rule: -1 } as const;

it("tells of a read that failed before it is closed, without the stack of it being written", async () => {
  const socket = await secured();
  let written = 0;
  const failure = Object.defineProperty(new Error("read ECONNRESET"), "stack", {
    get() {
      written += 1;
      return "";
    },
  });
  const told: unknown[] = [];
  socket.on("error", (error) => told.push(error));
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      told.push("close");
      resolve();
    });
  });
  socket.destroy(Object.assign(failure, { code: "ECONNRESET", syscall: "read" }));
  // Nothing is heard inside of the call that fails.
  expect(told).toEqual([]);
  await closed;
  expect(told).toEqual([failure, "close"]);
  expect(written).toBe(0);
});

/** On the handle of a connection whose other end says nothing. */
async function secured(): Promise<SecureSocket> {
  const server = net.createServer((peer) => peer.on("error", () => undefined));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const plain = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  await new Promise<void>((resolve) => plain.once("connect", () => resolve()));
  const inner = plain as unknown as { _handle: RawHandle | null };
  const handle = inner._handle;
  inner._handle = null;
  if (handle === null) throw new Error("no handle");
  const owner = { decrypted: () => undefined, written: () => undefined };
  const socket = new SecureSocket(handle, CHOICE, owner);
  socket.once("close", () => server.close());
  return socket;
}
