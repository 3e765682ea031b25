/** The load of the row with WebSockets: `node socket-clients.ts URL CONNECTIONS SECONDS`. */
import { WebSocket } from "ws";

const [url = "", connections = "1", seconds = "1"] = process.argv.slice(2);
const MESSAGE = Buffer.alloc(100, "x");
let messages = 0;
let errors = 0;

for (let count = 0; count < Number(connections); count += 1) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on("open", () => socket.send(MESSAGE));
  socket.on("message", () => {
    messages += 1;
    socket.send(MESSAGE);
  });
  socket.on("error", () => {
    errors += 1;
  });
}
setTimeout(
  () => {
    process.stdout.write(`${messages} messages, ${errors} errors\n`, () => process.exit(0));
  },
  Number(seconds) * 1000,
);
