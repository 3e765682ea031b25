/** The origin of the row with WebSockets: `node socket-origin.ts PORT`. */
import http from "node:http";
import { WebSocketServer } from "ws";

const server = http.createServer((_request, response) => response.end("ok"));
new WebSocketServer({ server }).on("connection", (socket) => {
  socket.on("message", (data: Buffer) => socket.send(data));
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.stdout.write("listening\n"));
