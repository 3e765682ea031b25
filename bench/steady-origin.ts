/**
 * Three origins in one process that cost next to nothing: `node steady-origin.ts`. Each answers "ok" to every request
 * head, however many come at once; requests have no body. Prints its ports.
 */
import net from "node:net";
import type { AddressInfo } from "node:net";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const END = "\r\n\r\n";

const ports = await Promise.all([startOrigin(), startOrigin(), startOrigin()]);
process.stdout.write(`ports ${ports.join(" ")}\n`);

async function startOrigin(): Promise<number> {
  const server = net.createServer({ noDelay: true }, (socket) => {
    let rest = "";
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      const heads = (rest + bytes.toString("latin1")).split(END);
      rest = heads.pop() ?? "";
      if (heads.length > 0) socket.write(ANSWER.repeat(heads.length));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 4096, resolve));
  return (server.address() as AddressInfo).port;
}
