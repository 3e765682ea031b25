/**
 * A name server for tests, on one loopback port over UDP and TCP. What it answers is set for each name and
 * family and may change at any time; what it was asked is kept, and can be waited for. It is the other side of
 * the real protocol: nothing in the resolver knows that it is being tested.
 */
import dgram from "node:dgram";
import net from "node:net";
import { decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED_RESPONSE } from "dns-packet";
import type { Answer, Packet, Question } from "dns-packet";

export type Behaviour =
  | {
      readonly kind: "addresses";
      readonly ips: readonly string[];
      /** Seconds, as on the wire. */
      readonly ttl?: number;
      /** Names between the question and the address records. */
      readonly aliases?: readonly string[];
      /** UDP says only that the answer is too long for it; TCP gives it. */
      readonly truncated?: boolean;
    }
  | { readonly kind: "nxdomain" | "nodata" | "servfail" | "refused" }
  /** No answer at all, or bytes that are none. */
  | { readonly kind: "silent" }
  | { readonly kind: "garbage" }
  /** Nothing until `release`; then what is set for the name by that time. */
  | { readonly kind: "held" };

export interface Asked {
  readonly name: string;
  readonly family: 4 | 6;
  readonly over: "udp" | "tcp";
}

export interface DnsServer {
  /** `127.0.0.1:port`, as it stands in the configuration. */
  readonly address: string;
  /** Both families, or one. A name that was never set does not exist. */
  set(name: string, behaviour: Behaviour, family?: 4 | 6): void;
  readonly asked: readonly Asked[];
  /** Resolves when it has been asked `count` questions in all. */
  askedTimes(count: number): Promise<void>;
  /** Answers what was held. */
  release(): void;
  close(): Promise<void>;
}

const RCODES = { nxdomain: 3, nodata: 0, servfail: 2, refused: 5 } as const;

export async function startDnsServer(): Promise<DnsServer> {
  const behaviours = new Map<string, Behaviour>();
  const asked: Asked[] = [];
  const held: (() => void)[] = [];
  let waits: { readonly count: number; readonly resolve: () => void }[] = [];

  function respond(bytes: Buffer, over: "udp" | "tcp", send: (response: Buffer) => void): void {
    const query = decode(bytes);
    const question = query.questions?.[0];
    if (question === undefined || (question.type !== "A" && question.type !== "AAAA")) return;
    const family = question.type === "A" ? 4 : 6;
    asked.push({ name: question.name, family, over });
    waits = waits.filter((wait) => {
      if (wait.count <= asked.length) wait.resolve();
      return wait.count > asked.length;
    });
    const answer = (): void => {
      const behaviour = behaviours.get(`${question.name.toLowerCase()} ${family}`) ?? { kind: "nxdomain" };
      if (behaviour.kind === "held") held.push(answer);
      else if (behaviour.kind === "garbage") send(Buffer.from([bytes[0] ?? 0, bytes[1] ?? 0, 0xff]));
      else if (behaviour.kind !== "silent") send(encode(responseTo(query, question, behaviour, over)));
    };
    answer();
  }

  const { udp, tcp, port } = await bindBoth();
  const connections = new Set<net.Socket>();
  udp.on("message", (bytes, peer) => {
    respond(bytes, "udp", (response) => udp.send(response, peer.port, peer.address));
  });
  tcp.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => socket.destroy());
    onMessages(socket, (bytes) => {
      respond(bytes, "tcp", (response) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(response.length);
        socket.write(Buffer.concat([length, response]));
      });
    });
  });

  return {
    address: `127.0.0.1:${port}`,
    set(name, behaviour, family): void {
      for (const each of family === undefined ? [4, 6] : [family]) behaviours.set(`${name} ${each}`, behaviour);
    },
    asked,
    askedTimes: (count) =>
      new Promise((resolve) => {
        if (asked.length >= count) resolve();
        else waits.push({ count, resolve });
      }),
    release(): void {
      for (const answer of held.splice(0)) answer();
    },
    async close(): Promise<void> {
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

function responseTo(
  query: Packet,
  question: Question,
  behaviour: Exclude<Behaviour, { kind: "held" | "silent" | "garbage" }>,
  over: "udp" | "tcp",
): Packet {
  const flags = RECURSION_DESIRED | RECURSION_AVAILABLE;
  const response = { id: query.id ?? 0, type: "response" as const, questions: [question] };
  if (behaviour.kind !== "addresses") return { ...response, flags: flags | RCODES[behaviour.kind] };
  if (behaviour.truncated === true && over === "udp") return { ...response, flags: flags | TRUNCATED_RESPONSE };
  const ttl = behaviour.ttl ?? 60;
  const answers: Answer[] = [];
  let owner = question.name;
  for (const alias of behaviour.aliases ?? []) {
    answers.push({ type: "CNAME", name: owner, ttl, data: alias });
    owner = alias;
  }
  for (const ip of behaviour.ips) {
    // Only the records of the family that was asked for.
    if (net.isIPv6(ip) === (question.type === "AAAA"))
      answers.push({ type: question.type, name: owner, ttl, data: ip });
  }
  return { ...response, flags, answers };
}

/** The same port for both: UDP takes any, and TCP tries it. */
async function bindBoth(): Promise<{ udp: dgram.Socket; tcp: net.Server; port: number }> {
  for (;;) {
    const udp = dgram.createSocket("udp4");
    await new Promise<void>((resolve, reject) => {
      udp.once("error", reject);
      udp.bind(0, "127.0.0.1", resolve);
    });
    const { port } = udp.address();
    const tcp = net.createServer();
    const free = await new Promise<boolean>((resolve) => {
      tcp.once("error", () => resolve(false));
      tcp.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (free) return { udp, tcp, port };
    udp.close();
  }
}

/** DNS over TCP puts two bytes of length before each message (RFC 1035 §4.2.2). */
function onMessages(socket: net.Socket, onMessage: (bytes: Buffer) => void): void {
  let waiting: Buffer = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes]);
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
      const end = 2 + waiting.readUInt16BE(0);
      onMessage(waiting.subarray(2, end));
      waiting = waiting.subarray(end);
    }
  });
}
