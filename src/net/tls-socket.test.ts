/** The socket port over TLS on real sockets: Node's own TLS as the client, and the promises of tcp-socket.ts kept. */
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { testAuthority } from "../../test/support/certificates.ts";
import type { TestAuthority } from "../../test/support/certificates.ts";
import { Told } from "../../test/support/told.ts";
import { until } from "../../test/support/until.ts";
import { PLAIN_LISTENER } from "../kernel/socket.ts";
import type { SocketPort } from "../kernel/socket.ts";
import { issueCertificate } from "./make-certificate.ts";
import { readBuffer } from "./read-buffer.ts";
import { ListenerContexts } from "./secure-contexts.ts";
import type { ContextTerms } from "./secure-contexts.ts";
import { TicketKeys } from "./ticket-keys.ts";
import { createListen } from "./tcp-listen.ts";

const TERMS: ContextTerms = { minVersion: "1.2", isStrict: false, alpn: ["http/1.1"], clientRules: [] };
const TICKET_KEYS = new TicketKeys("secret", () => 0);

let authority: TestAuthority;
let shop: { cert: string; key: string };
beforeAll(async () => {
  authority = await testAuthority();
  shop = await authority.server(["shop.test", "*.shop.test"]);
});

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const run of cleanUp.splice(0).toReversed()) await run();
});

interface Accepted {
  readonly socket: SocketPort;
  readonly told: Told;
}

async function listen(terms: Partial<ContextTerms> = {}): Promise<{ port: number; next: () => Promise<Accepted> }> {
  const contexts = new ListenerContexts(TICKET_KEYS);
  contexts.use([{ ...shop, names: ["shop.test", "*.shop.test"], keyType: "ec" }], { ...TERMS, ...terms });
  const accepted: Accepted[] = [];
  const waiting = new Told();
  let taken = 0;
  const port = await createListen(() => undefined)(
    { host: "127.0.0.1", port: 0 },
    (socket) => {
      const told = new Told();
      accepted.push({ socket, told });
      waiting.onDrain();
      return told;
    },
    { ...PLAIN_LISTENER, tls: contexts },
  );
  cleanUp.push(async () => {
    for (const { socket } of accepted) socket.destroy();
    await port.close();
  });
  return {
    port: port.port,
    async next() {
      taken += 1;
      await waiting.until(() => accepted.length >= taken);
      return accepted[taken - 1] as Accepted;
    },
  };
}

function plain(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  cleanUp.push(() => void socket.destroy());
  return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
}

function secure(port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port, host: "127.0.0.1", servername: "shop.test", ca: authority.root.cert, ...options });
  socket.on("error", () => undefined);
  cleanUp.push(() => void socket.destroy());
  return new Promise((resolve) => socket.once("secureConnect", () => resolve(socket)));
}

/** What came until the end, and how it ended. */
function heard(socket: net.Socket): Promise<{ text: string; error: string }> {
  let text = "";
  let error = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.latin1Slice()));
  socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => (error = code));
  return new Promise((resolve) => socket.once("close", () => resolve({ text, error })));
}

/** What a connection of a client is, on the wire: its handshake and a question. */
async function bytesOfClient(server: Awaited<ReturnType<typeof listen>>): Promise<number> {
  const wire = await plain(server.port);
  const client = tls.connect({ socket: wire, servername: "shop.test", ca: authority.root.cert });
  const { socket, told } = await server.next();
  client.write("question");
  await told.until(() => told.text === "question");
  const sent = wire.bytesWritten;
  socket.destroy();
  await told.heard("close");
  return sent;
}

/** A client whose bytes come through as far as the cut. */
async function cutAfter(port: number, cut: number, byReset: boolean): Promise<void> {
  const wire = await plain(port);
  let left = cut;
  const cutNow = (): void => {
    if (byReset) wire.resetAndDestroy();
    else wire.end();
  };
  const through = passedOn(wire, (chunk) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) wire.write(part);
    if (left === 0) cutNow();
  });
  const client = tls.connect({ socket: through, servername: "shop.test", ca: authority.root.cert });
  client.on("error", () => undefined);
  client.write("question");
}

/** What a client of TLS says goes to `say`, and what it is told comes from the wire. */
function passedOn(wire: net.Socket, say: (chunk: Buffer) => void): Duplex {
  const through = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      say(chunk);
      done();
    },
  });
  wire.on("data", (chunk: Buffer) => through.push(chunk));
  wire.on("close", () => through.destroy());
  return through;
}

/** A client that has read all that belongs to its handshake, and the wire under it. */
async function settled(server: Awaited<ReturnType<typeof listen>>): Promise<Accepted & { readonly wire: net.Socket }> {
  const wire = await plain(server.port);
  const through = passedOn(wire, (chunk) => wire.write(chunk));
  const client = tls.connect({ socket: through, servername: "shop.test", ca: authority.root.cert });
  client.on("error", () => undefined);
  const { socket, told } = await server.next();
  await told.heard("connect");
  // Tickets would leave behind the handshake, and a write that hears of a reset keeps it from whoever reads.
  const word = new Promise((resolve) => client.once("data", resolve));
  socket.write(Buffer.from("word"));
  await word;
  return { socket, told, wire };
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}

describe("a handshake", () => {
  it.each(["TLSv1.2", "TLSv1.3"] as const)("over %s ends in a port that says what was agreed on", async (version) => {
    const server = await listen();
    const client = await secure(server.port, { minVersion: version, maxVersion: version, ALPNProtocols: ["http/1.1"] });
    const { socket, told } = await server.next();
    await told.heard("connect");
    expect(socket.carrier.tls).toMatchObject({
      version,
      serverName: "shop.test",
      alpn: "http/1.1",
      resumed: false,
      client: null,
    });
    expect(client.authorized).toBe(true);
    expect(client.getCipher().standardName).toBe(socket.carrier.tls?.cipher);
  });

  it("asks for its place before a byte was read, so that what is refused costs nothing", async () => {
    const contexts = new ListenerContexts(TICKET_KEYS);
    contexts.use([{ ...shop, names: [], keyType: "ec" }], TERMS);
    let asked = 0;
    const port = await createListen(() => undefined)(
      { host: "127.0.0.1", port: 0 },
      () => {
        asked += 1;
        return null;
      },
      { ...PLAIN_LISTENER, tls: contexts },
    );
    cleanUp.push(() => port.close());
    const client = await plain(port.port);
    await heard(client);
    expect(asked).toBe(1);
  });

  it("may come byte by byte", async () => {
    const server = await listen();
    const through = net.createServer((from) => {
      const to = net.connect(server.port, "127.0.0.1");
      from.on("data", (chunk: Buffer) => {
        for (const byte of chunk) to.write(Buffer.from([byte]));
      });
      to.pipe(from);
      for (const side of [from, to]) side.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => through.listen(0, "127.0.0.1", resolve));
    cleanUp.push(() => void through.close());
    const client = await secure((through.address() as net.AddressInfo).port);
    const { told } = await server.next();
    client.write("hello");
    await told.until(() => told.text === "hello");
  });

  it("is told with its reason when nothing is shared, and the client gets the alert for it", async () => {
    const server = await listen({ minVersion: "1.3" });
    const client = tls.connect({
      port: server.port,
      host: "127.0.0.1",
      servername: "shop.test",
      maxVersion: "TLSv1.2",
      rejectUnauthorized: false,
    });
    const { error } = await heard(client);
    expect(error).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    const { told } = await server.next();
    await told.heard("close");
    expect(told.events).toEqual(["error ERR_SSL_UNSUPPORTED_PROTOCOL tls", "close"]);
  });

  it("that the client leaves is told, unless it said nothing at all", async () => {
    const server = await listen();
    const silent = await plain(server.port);
    silent.end();
    const { told } = await server.next();
    await told.heard("close");
    expect(told.events).toEqual(["close"]);

    const begun = await plain(server.port);
    begun.end(Buffer.from([22, 3, 1, 2, 0, 1]));
    const other = await server.next();
    await other.told.heard("close");
    expect(other.told.events).toEqual(["error LEFT tls", "close"]);
  });

  it("for a name that nobody has gets unrecognized_name from a strict listener", async () => {
    const server = await listen({ isStrict: true });
    const client = tls.connect({ port: server.port, host: "127.0.0.1", servername: "other.test" });
    const { error } = await heard(client);
    expect(error).toBe("ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
    const { socket, told } = await server.next();
    expect(told.events).toEqual(["error UNRECOGNIZED_NAME tls"]);
    socket.end();
    await told.heard("close");
  });

  it("goes on with the session of one before", async () => {
    const server = await listen();
    const first = await secure(server.port);
    const session = await new Promise<Buffer>((resolve) => {
      first.once("session", resolve);
      first.write("x");
    });
    await secure(server.port, { session });
    await server.next();
    const { socket, told } = await server.next();
    await told.heard("connect");
    expect(socket.carrier.tls?.resumed).toBe(true);
  });
});

function sessionOf(client: tls.TLSSocket): Promise<Buffer> {
  return new Promise((resolve) => {
    client.once("session", resolve);
    client.write("x");
  });
}

describe("a session of before", () => {
  it("goes on at another worker, which knows the same secret", async () => {
    const [one, other] = [await listen(), await listen()];
    const session = await sessionOf(await secure(one.port));
    await secure(other.port, { session });
    const { socket, told } = await other.next();
    await told.heard("connect");
    expect(socket.carrier.tls?.resumed).toBe(true);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "over %s is no way around a rule for certificates that holds for another name",
    async (maxVersion) => {
      const server = await listen({
        clientRules: [{ hosts: ["staff.shop.test"], ca: authority.root.cert, file: "root.pem", isRequired: true }],
      });
      // Node's client keeps a session to its name, unless it does not look whose it is.
      const careless = { maxVersion, rejectUnauthorized: false };
      const first = await secure(server.port, careless);
      if (maxVersion === "TLSv1.3") await sessionOf(first);
      const session = first.getSession();
      if (session === undefined) throw new Error("there is no session");
      await server.next();
      await secure(server.port, { ...careless, session });
      const same = await server.next();
      await same.told.heard("connect");
      expect(same.socket.carrier.tls?.resumed).toBe(true);
      await secure(server.port, { ...careless, session, servername: "staff.shop.test" });
      const { socket, told } = await server.next();
      await told.until(() => told.events.length > 0);
      expect(told.events).toEqual(["error CERTIFICATE_MISSING tls"]);
      expect(socket.carrier.tls?.resumed).toBe(false);
    },
  );
});

describe("a client's certificate", () => {
  const rules = (): Partial<ContextTerms> => ({
    clientRules: [{ hosts: ["shop.test"], ca: authority.root.cert, file: "root.pem", isRequired: false }],
  });

  it("is known with its issuers when it is right, also when the session goes on", async () => {
    const server = await listen(rules());
    const client = await authority.client("sensor-7");
    const first = await secure(server.port, client);
    const { socket, told } = await server.next();
    await told.heard("connect");
    expect(socket.carrier.tls).toMatchObject({
      rule: { ca: "root.pem", isRequired: false },
      client: { subject: "CN=sensor-7" },
    });
    expect(socket.carrier.tls?.client?.chain[0]).toMatch(/^MII/);
    const session = await sessionOf(first);
    await secure(server.port, { ...client, session });
    const again = await server.next();
    await again.told.heard("connect");
    expect(again.socket.carrier.tls).toMatchObject({ resumed: true, client: { subject: "CN=sensor-7" } });
  });

  // Of a file with an authority that is no root nobody had been believed, and nothing had said so before.
  it("is believed by the authority that issued it, also where that one is no root", async () => {
    const { intermediate } = authority;
    const server = await listen({
      clientRules: [{ hosts: null, ca: intermediate.cert, file: "between.pem", isRequired: true }],
    });
    const dates = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) };
    const client = { names: [], subject: "CN=sensor-8", isClient: true };
    await secure(server.port, await issueCertificate(intermediate, client, dates));
    const { socket, told } = await server.next();
    await told.until(() => told.events.length > 0);
    expect(told.events).toEqual(["connect"]);
    expect(socket.carrier.tls).toMatchObject({ client: { subject: "CN=sensor-8" } });
    // Of the root above it nobody is believed who has not come by way of it.
    await secure(server.port, await authority.client("sensor-9"));
    const other = await server.next();
    await other.told.until(() => other.told.events.length > 0);
    expect(other.told.events).toEqual(["error CERTIFICATE_REFUSED tls"]);
  });

  it("that is not believed is refused, and what the client says behind it is not read", async () => {
    const server = await listen(rules());
    const stranger = await testAuthority("Somebody else");
    const client = await secure(server.port, await stranger.client("sensor-7"));
    const answer = heard(client);
    client.write("GET /secret HTTP/1.1\r\n\r\n");
    const { socket, told } = await server.next();
    await told.until(() => told.events.length > 0);
    expect(told.events).toEqual(["error CERTIFICATE_REFUSED tls"]);
    expect(socket.carrier.tls?.client).toBeNull();
    socket.write(Buffer.from("no"));
    socket.end();
    expect((await answer).text).toBe("no");
    expect(told.text).toBe("");
  });

  it("that is not believed does not keep a client of HTTP/2 from its answer", async () => {
    const server = await listen({ ...rules(), alpn: ["h2", "http/1.1"] });
    const stranger = await testAuthority("Somebody else");
    const client = await secure(server.port, { ...(await stranger.client("sensor-7")), ALPNProtocols: ["h2"] });
    client.write("PRI *");
    const { socket, told } = await server.next();
    await told.heard("connect");
    await told.until(() => told.text.length > 0);
    expect(socket.carrier.tls).toMatchObject({ alpn: "h2", client: null, refused: { code: "CERTIFICATE_REFUSED" } });
  });

  it("that has expired is refused with that reason", async () => {
    const server = await listen(rules());
    await secure(server.port, await authority.client("sensor-7", { from: -9, to: -2 }));
    const { told } = await server.next();
    await told.until(() => told.events.length > 0);
    expect(told.events).toEqual(["error CERTIFICATE_REFUSED tls"]);
  });
});

describe("what is no TLS", () => {
  it("is told as HTTP when it is, and can be answered in plain text", async () => {
    const server = await listen();
    const client = await plain(server.port);
    const answer = heard(client);
    client.write("GET /shop HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    const { socket, told } = await server.next();
    await told.heard("error PLAIN_HTTP tls");
    socket.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    socket.end();
    client.end();
    expect((await answer).text).toBe("HTTP/1.1 400 Bad Request\r\n\r\n");
  });

  it("gets nothing when it is nothing", async () => {
    const server = await listen();
    const client = await plain(server.port);
    client.write("\0\0\0 what is this");
    expect(await heard(client)).toMatchObject({ text: "" });
    const { told } = await server.next();
    await told.heard("close");
    expect(told.events).toEqual(["error NOT_TLS tls", "close"]);
  });
});

describe("reading", () => {
  it("goes into the one buffer, and stops and goes on without losing a byte", async () => {
    const server = await listen();
    const client = await secure(server.port);
    const { socket, told } = await server.next();
    await told.heard("connect");
    let pieces = 0;
    told.onBytes = (bytes) => {
      expect(bytes.buffer).toBe(readBuffer.buffer);
      pieces += 1;
      expect(told.text.length).toBeLessThanOrEqual(16_384 * pieces);
      socket.pause();
      setImmediate(() => socket.resume());
    };
    // Several records in one read: OpenSSL goes on decrypting when nobody wants more.
    client.end(Buffer.alloc(200_000, "a"));
    await told.heard("fin");
    expect(told.text.length).toBe(200_000);
    expect(told.events).toEqual(["connect", "fin"]);
  });

  it("is not called while it is paused, however much was decrypted", async () => {
    const server = await listen();
    const client = await secure(server.port);
    const { socket, told } = await server.next();
    await told.heard("connect");
    told.onBytes = () => socket.pause();
    client.write(Buffer.alloc(100_000, "a"));
    await told.until(() => told.text.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told.text.length).toBe(16_384);
  });
});

describe("writing", () => {
  it("takes what the kernel takes, says when it does not, and loses nothing", async () => {
    const server = await listen();
    const client = await secure(server.port);
    const { socket, told } = await server.next();
    await told.heard("connect");
    client.pause();
    const piece = Buffer.alloc(50_000, "b");
    let written = 0;
    while (!socket.writing) {
      socket.write(piece);
      written += piece.length;
      // Whoever is told that all was taken may use the bytes again.
      if (!socket.writing) piece.fill("b");
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(socket.waitingBytes).toBeGreaterThan(0);
    const answer = heard(client);
    client.resume();
    await told.heard("drain");
    expect(socket.waitingBytes).toBe(0);
    socket.end();
    client.end();
    expect((await answer).text.length).toBe(written);
  });

  it("of bytes that are used again at once sends what they were", async () => {
    const server = await listen();
    const client = await secure(server.port);
    const answer = heard(client);
    const { socket, told } = await server.next();
    await told.heard("connect");
    const bytes = Buffer.alloc(4);
    for (const word of ["one ", "two ", "thre", "four"]) {
      bytes.write(word);
      expect(socket.write(bytes)).toBe(true);
    }
    bytes.fill(0);
    socket.end();
    client.end();
    expect((await answer).text).toBe("one two threfour");
  });

  it("of nothing reads nothing: what was decrypted together is heard one behind the other", async () => {
    const server = await listen();
    const wire = await plain(server.port);
    let isTogether = false;
    const together: Buffer[] = [];
    const through = passedOn(wire, (chunk) => {
      if (isTogether) together.push(chunk);
      else wire.write(chunk);
    });
    const client = tls.connect({ socket: through, servername: "shop.test", ca: authority.root.cert });
    client.on("error", () => undefined);
    const { socket, told } = await server.next();
    await told.heard("connect");
    const heard: string[] = [];
    const results: boolean[] = [];
    told.onBytes = (bytes, start, end) => {
      results.push(socket.write(Buffer.alloc(0)));
      heard.push(bytes.latin1Slice(start, end));
    };
    isTogether = true;
    for (const word of ["one", "two", "six"]) await new Promise<void>((resolve) => client.write(word, () => resolve()));
    wire.write(Buffer.concat(together));
    await told.until(() => told.text.length === 9);
    expect(heard).toEqual(["one", "two", "six"]);
    expect(results).toEqual([true, true, true]);
  });

  it("goes on behind the client's end", async () => {
    const server = await listen();
    const client = await secure(server.port, { ALPNProtocols: ["http/1.1"] });
    const answer = heard(client);
    client.end("question");
    const { socket, told } = await server.next();
    await told.heard("fin");
    socket.write(Buffer.from("answer"));
    socket.end();
    expect((await answer).text).toBe("answer");
    await told.heard("close");
  });

  it("fails once when the client is gone", async () => {
    const server = await listen();
    const client = await secure(server.port);
    const { socket, told } = await server.next();
    await told.heard("connect");
    client.destroy();
    await told.until(() => {
      if (!told.events.includes("close")) socket.write(Buffer.alloc(10_000));
      return told.events.includes("fin") || told.events.includes("close");
    });
    socket.destroy();
    await told.heard("close");
    expect(told.events.filter((event) => event === "close")).toHaveLength(1);
  });
});

it("a write that the system refuses at once is told of behind the call", async () => {
  const server = await listen();
  const { socket, told, wire } = await settled(server);
  // Nobody reads, so it is the write that hears of the reset.
  socket.pause();
  wire.resetAndDestroy();
  await until("a write to fail", () => {
    const { length } = told.events;
    if (length > 1) return true;
    socket.write(Buffer.from("word"));
    expect(told.events).toHaveLength(length);
    return null;
  });
  await told.heard("close");
  expect(told.events[1]).toMatch(/^error (EPIPE|ECONNRESET) write$/);
  expect(told.events).toHaveLength(3);
});

describe("the end", () => {
  it("by reset is seen as one, so that a body without an end of its own does not look whole", async () => {
    const server = await listen();
    const client = await secure(server.port);
    const answer = heard(client);
    const { socket, told } = await server.next();
    await told.heard("connect");
    socket.write(Buffer.from("part"));
    client.once("data", () => socket.reset());
    expect(await answer).toEqual({ text: "part", error: "ECONNRESET" });
    await told.heard("close");
  });

  it("that the client makes by reset is heard as an error, then the close, once each", async () => {
    const server = await listen();
    const { told, wire } = await settled(server);
    wire.resetAndDestroy();
    await told.heard("close");
    expect(told.events).toEqual(["connect", "error ECONNRESET read", "close"]);
  });

  it("is there at once when a record cannot be read", async () => {
    const server = await listen();
    const wire = await plain(server.port);
    const client = tls.connect({ socket: wire, servername: "shop.test", ca: authority.root.cert });
    client.on("error", () => undefined);
    const { told } = await server.next();
    await told.heard("connect");
    const kind = 23;
    wire.write(Buffer.from([kind, 3, 3, 0, 20, ...Buffer.alloc(20)]));
    await told.heard("close");
    expect(told.events[1]).toMatch(/^error ERR_SSL_DECRYPTION_FAILED\w* tls$/);
    expect(told.events).toHaveLength(3);
  });

  it("keeps back what was decrypted together with what made an end of it", async () => {
    const server = await listen();
    const wire = await plain(server.port);
    const records: Buffer[] = [];
    let isHeld = false;
    const through = passedOn(wire, (chunk) => {
      if (isHeld) records.push(chunk);
      else wire.write(chunk);
    });
    const client = tls.connect({ socket: through, servername: "shop.test", ca: authority.root.cert });
    client.on("error", () => undefined);
    const { socket, told } = await server.next();
    await told.heard("connect");
    told.onBytes = () => socket.destroy();
    isHeld = true;
    for (const piece of ["one", "two"]) await new Promise((resolve) => client.write(piece, resolve));
    expect(records).toHaveLength(2);
    wire.write(Buffer.concat(records));
    await told.heard("close");
    expect(told.text).toBe("one");
  });

  it("may come as soon as the handshake is done", async () => {
    for (const leave of ["end", "reset", "destroy"] as const) {
      const server = await listen();
      const ca = authority.root.cert;
      const client = tls.connect({ port: server.port, host: "127.0.0.1", servername: "shop.test", ca });
      const over = heard(client);
      let tickets = 0;
      client.on("session", () => (tickets += 1));
      const { socket, told } = await server.next();
      const { onConnect } = told;
      told.onConnect = () => {
        onConnect.call(told);
        socket[leave]();
      };
      client.once("end", () => client.end());
      await over;
      await told.heard("close");
      expect(told.events.filter((event) => event === "close")).toHaveLength(1);
      // An end in order waits for what belongs to the handshake.
      if (leave === "end") expect(tickets).toBe(2);
    }
  });

  it("at any byte, by FIN or by reset, leaves nothing behind", async () => {
    const server = await listen();
    const before = openSockets();
    const sent = await bytesOfClient(server);
    expect(sent).toBeGreaterThan(400);
    const cuts = Array.from({ length: 24 }, (_, at) => Math.round((at * sent) / 23));
    for (const cut of cuts) {
      for (const byReset of [false, true]) {
        await cutAfter(server.port, cut, byReset);
        const { socket, told } = await server.next();
        await told.until(() => told.events.some((event) => event === "fin" || event === "close"));
        socket.end();
        await told.heard("close");
        expect(told.events.filter((event) => event === "close")).toHaveLength(1);
      }
    }
    await until("their descriptors to be closed", () => (openSockets() <= before ? true : null));
  });

  it("in the middle of the handshake closes at once", async () => {
    const server = await listen();
    const client = await plain(server.port);
    client.write(Buffer.from([22, 3, 1]));
    const { socket, told } = await server.next();
    socket.end();
    await heard(client);
    await told.heard("close");
  });
});
