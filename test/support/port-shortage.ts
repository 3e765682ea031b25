/**
 * Runs alone in a network namespace with four local ports (`unshare -n`): a gateway, an origin, and more
 * requests at once than there are ports towards the origin. Prints the record of the one that found none.
 */
import { writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { inFrontOf, startGateway } from "./gateway-process.ts";
import { rawClient } from "./raw-client.ts";
import { rawOrigin } from "./raw-origin.ts";

const PORTS = 4;

execFileSync("ip", ["link", "set", "lo", "up"]);
writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", `45000 ${45_000 + PORTS - 1}`);

const origin = await rawOrigin(
  async (connection) => {
    await connection.head();
    await connection.over;
  },
  { port: 20_000 },
);
const gateway = await startGateway(inFrontOf([origin.url], { retry: false }));
for (let n = 0; n < PORTS; n += 1) {
  // Each from another address, because the clients need local ports too.
  const client = await rawClient(gateway.port, "127.0.0.1", `127.0.1.${n + 1}`);
  await client.send(`GET /holds-${n} HTTP/1.1\r\nHost: test\r\n\r\n`);
  await origin.connection(n + 1);
}
const last = await rawClient(gateway.port, "127.0.0.1", "127.0.2.1");
await last.send("GET /finds-none HTTP/1.1\r\nHost: test\r\n\r\n");
const { status } = await last.response();
const record = await gateway.record("it", ({ target }) => target === "/finds-none");
process.stdout.write(
  `${JSON.stringify({ status, cause: record.cause, party: record.party, evidence: record.evidence })}\n`,
);
await gateway.stop();
await origin.close();
process.exit(0);
