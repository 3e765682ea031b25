/**
 * Runs alone in a network namespace (`unshare -n`) with one other network, where nobody answers: a gateway in front of
 * three addresses. Prints the verdicts on a request to each: `silent`, `absent` (its neighbour does not exist) and
 * `elsewhere` (no route). Argument: the caller's `/proc/self/ns/net`.
 */
import { execFileSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import type { JudgedExchange } from "../../src/contract/api-responses.ts";
import { startGateway } from "./gateway-process.ts";
import { rawClient } from "./raw-client.ts";

const [outside = ""] = process.argv.slice(2);
if (outside === "" || readlinkSync("/proc/self/ns/net") === outside) {
  process.stderr.write("run this in a network namespace of its own, with the link of the outer one as its argument\n");
  process.exit(2);
}
const ip = (...args: string[]): void => {
  execFileSync("ip", args);
};
ip("link", "set", "lo", "up");
ip("link", "add", "here", "type", "veth", "peer", "name", "there");
ip("address", "add", "198.51.100.1/24", "dev", "here");
ip("link", "set", "here", "up");
ip("link", "set", "there", "up");
// A neighbour of whom only the hardware address is known: packets to it are lost without a word, as behind a firewall.
ip("neigh", "add", "198.51.100.7", "lladdr", "02:00:5e:00:53:07", "dev", "here", "nud", "permanent");

const ADDRESSES = { silent: "198.51.100.7", absent: "198.51.100.8", elsewhere: "203.0.113.7" };
const gateway = await startGateway({
  accessLog: false,
  services: Object.fromEntries(
    Object.entries(ADDRESSES).map(([name, address]) => [
      name,
      {
        hosts: [`${name}.test`],
        health: false,
        retry: false,
        pools: [{ name: "only", origins: [`http://${address}:80`] }],
        // The kernel gives a neighbour up after three seconds.
        routes: [{ match: { path: "/*" }, timeouts: { connect: name === "silent" ? "600ms" : "20s" } }],
      },
    ]),
  ),
});
const verdicts: Record<string, unknown> = {};
for (const name of Object.keys(ADDRESSES)) {
  const client = await rawClient(gateway.port);
  await client.send(`GET /${name} HTTP/1.1\r\nHost: ${name}.test\r\n\r\n`);
  await client.response();
  const { id } = await gateway.record(name, ({ target }) => target === `/${name}`);
  verdicts[name] = (await gateway.api<JudgedExchange>(`/exchanges/${id}`)).verdict;
}
process.stdout.write(`${JSON.stringify(verdicts)}\n`);
await gateway.stop();
process.exit(0);
