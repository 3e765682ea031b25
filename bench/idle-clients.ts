/**
 * Holds idle keep-alive connections: each sends one GET, reads the answer, and then says nothing more, like
 * the browsers behind a gateway. Prints `holding N` when all are there and `lost N` when some were closed.
 *
 * Arguments: PORT COUNT. Ends at SIGTERM.
 */
import { connect } from "node:net";

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
/** Opened at a time: a whole crowd at once would overflow the accept queue and measure that instead. */
const AT_ONCE = 100;
const REQUEST = `GET /500 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;

let opened = 0;
let answered = 0;
let lost = 0;

function open(): void {
  if (opened === count) return;
  opened += 1;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => {
    socket.write(REQUEST);
  });
  socket.once("data", () => {
    answered += 1;
    if (answered === count) process.stdout.write(`holding ${count}\n`);
    open();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    lost += 1;
    process.stdout.write(`lost ${lost}\n`);
  });
}

for (let i = 0; i < AT_ONCE; i += 1) open();
