/**
 * A black hole for large packets, from the bytes that do not come to the sentence of the incident: the real gateway in memory, whose
 * facts the engine is told, and the ladder that the engine wishes for, on a link that loses what is large.
 */
import { expect, it } from "vitest";
import { memoryGateway, memorySettings, seededChance } from "../../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../../test/support/memory-gateway.ts";
import type { Peer } from "../../../test/support/memory-socket.ts";
import type { Fact, ProbeFact } from "../../contract/facts.ts";
import type { Answered, Rungs, Seen } from "../../contract/rungs.ts";
import { createEngine } from "../engine.ts";
import type { Output } from "../engine-port.ts";
import { createLadder } from "./ladder-companion.ts";

const LOST_ABOVE = 1_300;
const LARGE_BYTES = 20_000;
const LOSING = "10.0.0.1";
const OPTIONS: MemoryGatewayOptions = {
  chance: seededChance(),
  origins: [`http://${LOSING}`, "http://10.0.0.2"],
  service: { routes: [{ timeouts: { gap: "1s" }, resume: false }], retry: false },
};

/** Small answers come whole. Of a large one that is lost comes the head, which had a packet of its own. */
function answer(peer: Peer, losesLarge: boolean): void {
  for (const head of peer.take().split("\r\n\r\n").slice(0, -1)) {
    const bytes = head.startsWith("GET /large ") ? LARGE_BYTES : 20;
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
    if (bytes <= LOST_ABOVE || !losesLarge) peer.send("x".repeat(bytes));
  }
}

/** So many seconds in each of which a large answer and a few small ones are asked for. */
function ask(world: MemoryGateway, seconds: number, losesLarge: boolean): void {
  for (let second = 0; second < seconds; second += 1) {
    for (const target of ["/large", "/", "/", "/", "/large"]) {
      const client = world.client();
      client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      for (const peer of world.network.dialled) answer(peer, losesLarge && peer.address.startsWith(LOSING));
      world.advance(200);
    }
  }
}

/** What the ladder meets on that link: whatever fits into a small packet comes. */
const LINK: Rungs = {
  resolversFor: () => [],
  resolve: (_, ip) => Promise.resolve({ ...holds("an address"), addresses: [{ ip, family: 4 }] }),
  connect: () => Promise.resolve(holds("connected")),
  handshake: () => Promise.resolve(holds("done")),
  request(to, { method, target, fields, bodyBytes }) {
    const isPart = method === "HEAD" || fields["range"] !== undefined;
    const size = isPart ? 1 : target === "/large" ? LARGE_BYTES : 20;
    const isLost = to.ip === LOSING && size > LOST_ABOVE && bodyBytes > 0;
    const lost: Seen = { ok: false, ms: 5_000, text: "no answer within 5000 ms", failure: "silent" };
    const seen: Answered = {
      ...(isLost ? lost : holds("status 200")),
      status: isLost ? 0 : 200,
      bodyBytes: size,
      date: "",
    };
    return Promise.resolve(seen);
  },
};

function holds(text: string): Seen {
  return { ok: true, ms: 1, text, failure: "" };
}

it("A link that loses large packets is named by the incident: by what stood still at first, and then by the ladder", async () => {
  const world = await memoryGateway(OPTIONS);
  ask(world, 30, false);
  ask(world, 20, true);

  const engine = createEngine({ keepsFigures: false });
  const found = Promise.withResolvers<ProbeFact>();
  const hands = {
    fact: (fact: Fact) => fact.kind === "probe" && found.resolve(fact),
    news: () => undefined,
    keep: () => undefined,
    kept: () => [],
  };
  const ladder = createLadder(hands, {
    settings: () => memorySettings(OPTIONS),
    rungs: LINK,
    clock: world.clock,
    onFault: found.reject,
  });
  for (const fact of world.facts) {
    const outputs: Output[] = [...engine.step(fact), ...engine.tick(fact.at)];
    if (fact.kind === "second") ladder.hear?.(fact, outputs, false);
  }
  const [traffic] = engine.answer({ ask: "incidents", state: "open" });
  const lost = { cause: "net.mtu_blackhole", party: "network", verdict: "decided" };
  expect(traffic).toMatchObject({ ...lost, title: `Large packets between here and http://${LOSING} vanish` });

  const probe = await found.promise;
  engine.step(probe);
  engine.tick(probe.at + 1_000);
  const incident = engine.answer({ ask: "incident", id: traffic?.id ?? "" });
  expect(incident).toMatchObject({ ...lost, title: `Large packets from http://${LOSING} vanish` });
  const cited = incident?.hypotheses[0].for.flatMap(({ cites }) => cites).filter(({ kind }) => kind === "probe");
  expect(cited).toMatchObject([{ rung: "large response", result: "breaks" }]);
  expect(incident?.timeline.map(({ text }) => text)).toContain(probe.located);
});
