/** On real sockets: what the owner of a connection hears behind a header of the PROXY protocol. */
import net from "node:net";
import tls from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { localProxyHeader, writeProxyHeader } from "../kernel/proxy-protocol-writer.ts";
import { DEAF, PLAIN_LISTENER } from "../kernel/socket.ts";
import type { ListeningPort, ProxyProtocolOptions, SocketPort, Unbegun } from "../kernel/socket.ts";
import { acceptHandle } from "./accepted-socket.ts";
import { issueCertificate, makeAuthority } from "./make-certificate.ts";
import { behindProxies } from "./proxy-gate.ts";
import { ListenerContexts } from "./secure-contexts.ts";
import { createListen } from "./tcp-listen.ts";
import { TicketKeys } from "./ticket-keys.ts";

const ENDS = { source: "203.0.113.9", sourcePort: 51_000, destination: "198.51.100.1", destinationPort: 443 };
const OPTIONS: ProxyProtocolOptions = {
  isTrusted: () => true,
  othersAreClients: false,
  timeoutMs: 60_000,
  bytesMax: 4096,
  waitingMax: 10,
};

interface World {
  readonly port: number;
  /** Those that the owner heard of, and what came on the first of them. */
  readonly sockets: readonly SocketPort[];
  readonly heard: () => string;
  readonly unbegun: Promise<Unbegun>;
  readonly told: readonly Unbegun[];
}

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function world(options: Partial<ProxyProtocolOptions> = {}): Promise<World> {
  const sockets: SocketPort[] = [];
  const told: Unbegun[] = [];
  let heard = "";
  const { promise: unbegun, resolve } = Promise.withResolvers<Unbegun>();
  const listening: ListeningPort = await createListen(() => undefined)(
    { host: "127.0.0.1", port: 0 },
    (socket) => {
      sockets.push(socket);
      return {
        ...DEAF,
        onData(bytes, start, end) {
          heard += bytes.latin1Slice(start, end);
          socket.write(Buffer.from("heard"));
        },
        onFin: () => socket.end(),
      };
    },
    {
      ...PLAIN_LISTENER,
      proxyProtocol: { ...OPTIONS, ...options },
      onUnbegun(one) {
        told.push(one);
        resolve(one);
      },
    },
  );
  open.push(() => listening.close());
  return { port: listening.port, sockets, heard: () => heard, unbegun, told };
}

/** Sends the pieces, each when the one before has left, and resolves with what comes back, or when it is closed. */
async function send(port: number, ...pieces: readonly (Buffer | string)[]): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  open.push(() => void socket.destroy());
  for (const piece of pieces) {
    await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
  }
  return new Promise((resolve) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.latin1Slice()));
    socket.once("error", () => resolve("closed"));
    socket.once("close", () => resolve("closed"));
  });
}

test.each([true, false])(
  "a connection that was gone before it was accepted came round nobody (%j)",
  (othersAreClients) => {
    const heard: unknown[] = [];
    const onSocket = behindProxies(
      { ...OPTIONS, isTrusted: () => false, othersAreClients },
      (unbegun) => heard.push(unbegun),
      (socket) => {
        heard.push(socket);
        return DEAF;
      },
    );
    // Of such a one the system does not say any more whose it was.
    const isNotConnected = -107;
    let isClosed = false;
    acceptHandle(
      {
        fd: -1,
        owner: null,
        writeQueueSize: 0,
        onread: () => undefined,
        useUserBuffer: () => undefined,
        getpeername: () => isNotConnected,
        readStart: () => 0,
        readStop: () => 0,
        writeBuffer: () => isNotConnected,
        shutdown: () => isNotConnected,
        close: () => (isClosed = true),
      },
      onSocket,
    );
    // Each check of HAProxy had left a record of a client that came round it.
    expect([heard, isClosed]).toEqual([[], true]);
  },
);

describe("a trusted peer", () => {
  test.each([1, 2] as const)("tells of its client in version %d, and what follows is the client's", async (version) => {
    const { port, sockets, heard } = await world();
    await send(port, Buffer.concat([writeProxyHeader(version, ENDS), Buffer.from("GET /")]));
    expect(heard()).toBe("GET /");
    expect(sockets[0]).toMatchObject({
      remoteAddress: "203.0.113.9",
      remotePort: 51_000,
      carrier: { proxy: { version, address: "127.0.0.1", destination: "198.51.100.1", destinationPort: 443 } },
    });
  });

  test("may send its header byte by byte", async () => {
    const { port, sockets, heard } = await world();
    const bytes = [...writeProxyHeader(2, ENDS)].map((byte) => Buffer.from([byte]));
    await send(port, ...bytes, "GET /");
    expect([sockets[0]?.remoteAddress, heard()]).toEqual(["203.0.113.9", "GET /"]);
  });

  test("speaks for itself where it says so", async () => {
    const { port, sockets } = await world();
    await send(port, localProxyHeader(2), "GET /");
    expect(sockets[0]).toMatchObject({ remoteAddress: "127.0.0.1", carrier: { proxy: null } });
  });

  test("tells of its client's TLS", async () => {
    const { port, sockets } = await world();
    const tls = { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", commonName: "" };
    await send(port, writeProxyHeader(2, ENDS, { alpn: "h2", authority: "shop.example.com", tls }), "GET /");
    expect(sockets[0]?.carrier.tls).toEqual({
      version: "TLSv1.3",
      cipher: "TLS_AES_128_GCM_SHA256",
      serverName: "shop.example.com",
      alpn: "h2",
      resumed: false,
    });
  });

  test("without a header is closed at its first byte, and that is told", async () => {
    const { port, sockets, unbegun } = await world();
    expect(await send(port, "GET / HTTP/1.1\r\n\r\n")).toBe("closed");
    expect(await unbegun).toMatchObject({ cause: "gw.proxy_header", remoteAddress: "127.0.0.1" });
    expect(sockets).toEqual([]);
  });

  test("that does not finish its header in time is closed", async () => {
    const { port, unbegun } = await world({ timeoutMs: 10 });
    expect(await send(port, "PROXY TCP4 ")).toBe("closed");
    expect((await unbegun).evidence).toContain("not complete after 10 ms");
  });

  test("that closes in the middle of its header is told of, and one that says nothing is not", async () => {
    const { port, unbegun, told } = await world();
    for (const said of ["", "PROXY "]) net.connect({ port, host: "127.0.0.1" }).end(said);
    expect((await unbegun).evidence).toContain("closed after 6 bytes");
    expect(told.length).toBe(1);
  });

  test("waits among no more than may wait", async () => {
    const { port, unbegun } = await world({ waitingMax: 1 });
    const first = net.connect({ port, host: "127.0.0.1" });
    open.push(() => void first.destroy());
    await new Promise((resolve) => first.once("connect", resolve));
    expect(await send(port, "P")).toBe("closed");
    expect((await unbegun).evidence).toContain("proxyProtocol.waiting");
  });
});

test("the header comes before TLS, and TLS is then with the client that it names", async () => {
  const validity = { notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await makeAuthority("CA", validity, null);
  const issued = await issueCertificate(authority, { names: ["a.test"], subject: "CN=a", isClient: false }, validity);
  const contexts = new ListenerContexts(new TicketKeys("secret", () => 0));
  const terms = { minVersion: "1.2", isStrict: false, alpn: ["http/1.1"], clientRules: [] } as const;
  contexts.use([{ ...issued, names: ["a.test"], keyType: "ec" }], terms);
  const { promise: heard, resolve } = Promise.withResolvers<string>();
  const listening = await createListen(() => undefined)(
    { host: "127.0.0.1", port: 0 },
    (socket) => ({
      ...DEAF,
      onData(bytes, start, end) {
        const { version = "" } = socket.carrier.tls ?? {};
        resolve(`${socket.remoteAddress} ${version} ${bytes.latin1Slice(start, end)}`);
      },
      onFin: () => socket.end(),
    }),
    { ...PLAIN_LISTENER, proxyProtocol: OPTIONS, tls: contexts },
  );
  open.push(() => listening.close());
  const raw = net.connect({ port: listening.port, host: "127.0.0.1" });
  open.push(() => void raw.destroy());
  raw.write(writeProxyHeader(2, ENDS));
  const client = tls.connect({ socket: raw, servername: "a.test", ca: authority.cert });
  client.write("GET /");
  expect(await heard).toBe("203.0.113.9 TLSv1.3 GET /");
});

describe("a peer that is not trusted", () => {
  test("is turned away before it can say anything", async () => {
    const { port, sockets, unbegun } = await world({ isTrusted: () => false });
    expect(await send(port, writeProxyHeader(1, ENDS))).toBe("closed");
    expect((await unbegun).cause).toBe("client.not_proxied");
    expect(sockets).toEqual([]);
  });

  test("is a client like any other where that is wanted, and its header is no header", async () => {
    const { port, sockets, heard } = await world({ isTrusted: () => false, othersAreClients: true });
    await send(port, writeProxyHeader(1, ENDS));
    expect(sockets[0]?.remoteAddress).toBe("127.0.0.1");
    expect(heard()).toContain("PROXY TCP4");
  });
});
