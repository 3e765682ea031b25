/**
 * The proxy that anybody writes with Node's own HTTP: a server, a client with a keep-alive agent, a pipe each
 * way. It is the yardstick for what the codec on sockets buys. It keeps no records, no log and no checks.
 *
 * Arguments: PORT ORIGIN_PORT…
 */
import { Agent, createServer, request } from "node:http";

const [port, ...origins] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
let next = 0;

const server = createServer((incoming, reply) => {
  next = (next + 1) % origins.length;
  const outgoing = request(
    {
      host: "127.0.0.1",
      port: origins[next],
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
      agent,
    },
    (response) => {
      reply.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(reply);
    },
  );
  outgoing.on("error", () => {
    reply.writeHead(502).end();
  });
  incoming.pipe(outgoing);
});
server.keepAliveTimeout = 75_000;
server.listen(port, "127.0.0.1", 4096);
