/**
 * Runs alone in a network namespace with four local ports (`unshare -n`): a gateway, an origin, and as many other
 * connections to that origin as there are ports. Prints what became of a request that needs one more.
 * Argument: the caller's `/proc/self/ns/net`.
 */
import { readlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { inFrontOf, startGateway } from "./gateway-process.ts";
import { rawClient } from "./raw-client.ts";
import { rawOrigin } from "./raw-origin.ts";

const PORTS = 4;

// The range belongs to the namespace: in the machine's own it would cut off every program on it.
const [outside = ""] = process.argv.slice(2);
if (outside === "" || readlinkSync("/proc/self/ns/net") === outside) {
  process.stderr.write("run this in a network namespace of its own, with the link of the outer one as its argument\n");
  process.exit(2);
}
execFileSync("ip", ["link", "set", "lo", "up"]);
writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", `45000 ${45_000 + PORTS - 1}`);

const origin = await rawOrigin(() => {}, { port: 20_000 });
const gateway = await startGateway(inFrontOf([origin.url], { retry: false }));
// A local port is taken for one remote address at a time: towards the gateway and its admin API all are still free.
for (let n = 0; n < PORTS; n += 1) await rawClient(origin.port);
const client = await rawClient(gateway.port);
await client.send("GET /finds-none HTTP/1.1\r\nHost: test\r\n\r\n");
const { status } = await client.response();
const record = await gateway.record("it", ({ target }) => target === "/finds-none");
process.stdout.write(
  `${JSON.stringify({ status, cause: record.cause, party: record.party, evidence: record.evidence })}\n`,
);
await gateway.stop();
await origin.close();
process.exit(0);
