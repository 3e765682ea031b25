/** Files of sockets in a directory of the test's own. */
import { existsSync } from "node:fs";
import fs from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { localGateway } from "../../test/support/local-gateway.ts";
import { settingsFrom } from "../../test/support/gateway-parts.ts";
import { DEAF, PLAIN_LISTENER } from "../kernel/socket.ts";
import type { Address, ListeningPort, SocketPort } from "../kernel/socket.ts";
import { readHeritage, TESTAMENT } from "./heritage.ts";
import type { Heritage } from "./heritage.ts";
import { bindSocketFile } from "./inherited-sockets.ts";
import { createOriginContexts } from "./origin-contexts.ts";
import { createDial } from "./tcp-dial.ts";
import { createListen } from "./tcp-listen.ts";
import type { SocketKeeper } from "./tcp-listen.ts";

const dial = createDial(createOriginContexts({ onRefused: () => undefined }));

let folder = "";
let path = "";
const open: ListeningPort[] = [];

beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "goodgate-unix-"));
  path = join(folder, "http.sock");
});
afterEach(async () => {
  for (const port of open.splice(0)) await port.close();
  await fs.rm(folder, { recursive: true });
});

async function listen(mode = 0o660, sockets: SocketPort[] = []): Promise<ListeningPort> {
  const port = await createListen(() => undefined)(
    { host: `unix:${path}`, port: 0 },
    (socket) => {
      sockets.push(socket);
      return {
        ...DEAF,
        onData: (bytes, start, end) => void socket.write(Buffer.from(bytes.subarray(start, end))),
        onFin: () => socket.end(),
      };
    },
    { ...PLAIN_LISTENER, socketFile: { mode, user: "", group: "" } },
  );
  open.push(port);
  return port;
}

function to(unixPath: string): Address {
  return {
    ip: `unix:${unixPath}`,
    port: 0,
    family: 4,
    transport: { tls: null, proxyProtocol: 0, unixPath, http2: null },
  };
}

/** What comes back, or why nothing does. */
function ask(text: string, opening?: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let came = "";
    const socket = dial(
      to(path),
      {
        ...DEAF,
        onConnect: () => void socket.write(Buffer.from(text)),
        onData(bytes, start, end) {
          came += bytes.latin1Slice(start, end);
          if (!came.endsWith(text)) return;
          socket.destroy();
          resolve(came);
        },
        onError: (error) => resolve(`${error.code} on ${error.syscall}`),
      },
      opening,
    );
  });
}

/** A file as a process leaves it that was killed. */
async function leaveStaleSocket(at: string): Promise<void> {
  const server = net.createServer().listen({ path: `${at}.dead` });
  await new Promise((resolve) => server.once("listening", resolve));
  // Closing removes the name that it was made under, and no other.
  await fs.rename(`${at}.dead`, at);
  await new Promise((resolve) => server.close(resolve));
}

describe("listening on a Unix socket", () => {
  test("both ends of a connection are shown as what they are", async () => {
    const sockets: SocketPort[] = [];
    const port = await listen(0o660, sockets);
    expect(await ask("hello")).toBe("hello");
    expect([port.address, port.port]).toEqual([`unix:${path}`, 0]);
    expect(sockets[0]).toMatchObject({ remoteAddress: "unix:", remotePort: 0, carrier: { protocol: "unix" } });
  });

  test("the file has the mode that was asked for, whatever the umask, and is gone at the end", async () => {
    const port = await listen(0o606);
    expect((await fs.stat(path)).mode & 0o777).toBe(0o606);
    await port.close();
    expect(await fs.readdir(folder)).toEqual([]);
  });

  test("the file of a socket that workers inherit is gone at once, because the process that made it ends then", async () => {
    const socket = await bindSocketFile(path, { mode: 0o660, user: "", group: "" });
    expect(await fs.readdir(folder)).toEqual(["http.sock"]);
    socket.close();
    expect(existsSync(path)).toBe(false);
  });

  test("with another mode in the settings the file has it at once, and keeps it when the settings cannot be had", async () => {
    const listenerOf = (mode: string, rest: object[] = []): object => ({
      listeners: [{ bind: `unix:${path}`, socket: { mode } }, ...rest],
      admin: false,
      services: { shop: { pools: [{ origins: ["http://127.0.0.1:9"] }], health: false } },
    });
    const local = await localGateway(
      { shop: { pools: [{ origins: ["http://127.0.0.1:9"] }], health: false } },
      {
        bind: `unix:${path}`,
        socket: { mode: "0660" },
      },
    );
    const apply = async (file: object): Promise<string> => {
      const revision = { number: 2, hash: "h", at: 1, by: "", reason: "", changes: [] };
      const settings = settingsFrom(file as Record<string, unknown>);
      return (await local.gateway.apply({ settings, fallbackFiles: new Map(), revision })).kind;
    };
    const modeNow = async (): Promise<number> => (await fs.stat(path)).mode & 0o777;
    expect(await apply(listenerOf("0600"))).toBe("applied");
    expect(await modeNow()).toBe(0o600);
    const nowhere = { bind: `unix:${join(folder, "missing", "other.sock")}` };
    expect(await apply(listenerOf("0666", [nowhere]))).toBe("cannot listen");
    expect(await modeNow()).toBe(0o600);
    await local.close();
    expect(await fs.readdir(folder)).toEqual([]);
  });

  test("the file goes over with its socket, gets the mode of whoever has it then, and is gone with that one", async () => {
    const bound = await bindSocketFile(path, { mode: 0o660, user: "", group: "" });
    const { descriptor, file } = bound.handOn();
    // A copy, as another process has one.
    const keeper: SocketKeeper = { given: () => [{ descriptor, file }], listens: () => undefined };
    const socketFile = { mode: 0o600, user: "", group: "" };
    const port = await createListen(() => undefined, keeper)({ host: `unix:${path}`, port: 0 }, () => null, {
      ...PLAIN_LISTENER,
      socketFile,
    });
    expect((await fs.stat(path)).mode & 0o777).toBe(0o600);
    await port.close();
    expect(await fs.readdir(folder)).toEqual([]);
  });

  test("the file stays with the process before when the one that was to follow comes to nothing, and goes when that one serves", async () => {
    const bound = await bindSocketFile(path, { mode: 0o660, user: "", group: "" });
    const where = { host: `unix:${path}`, port: 0 };
    const { descriptor, file, takeBack } = bound.handOn();
    const heritage = (): Heritage =>
      readHeritage({ [TESTAMENT]: JSON.stringify({ sockets: [{ descriptor, file, ...where }], state: null }) }, 1);
    const follow = (from: Heritage): Promise<ListeningPort> => {
      const keeper: SocketKeeper = { given: (bind) => from.take(bind, ""), listens: () => undefined };
      return createListen(() => undefined, keeper)(where, () => null);
    };
    const fails = await follow(heritage());
    await fails.close();
    expect(await fs.readdir(folder)).toEqual(["http.sock"]);
    expect(takeBack).toBeDefined();
    const serves = heritage();
    // Its own socket was closed with the one that failed, in this process; its file is what this is about.
    expect(serves.take(where, "")).toMatchObject([{ file: { isLent: true } }]);
    serves.closeRest();
    takeBack?.();
    bound.close();
    expect(await fs.readdir(folder)).toEqual([]);
  });

  test("a file that somebody removed is made again on demand, with its mode, and whoever had connected is answered", async () => {
    const port = await listen(0o600);
    expect(await port.isFileGone?.()).toBe(false);
    await port.mendFile?.();
    await fs.unlink(path);
    expect(await port.isFileGone?.()).toBe(true);
    expect(await ask("hello")).toBe("ENOENT on connect");
    await port.mendFile?.();
    expect(await ask("hello")).toBe("hello");
    expect((await fs.stat(path)).mode & 0o777).toBe(0o600);
    // Another one in its place is not removed for it.
    await fs.unlink(path);
    await fs.writeFile(path, "precious");
    await expect(port.mendFile?.()).rejects.toMatchObject({ code: "EEXIST" });
    expect(await fs.readFile(path, "utf8")).toBe("precious");
    await fs.unlink(path);
    await port.mendFile?.();
    await port.close();
    expect(await fs.readdir(folder)).toEqual([]);
  });

  test("the file of a process that crashed is replaced", async () => {
    await leaveStaleSocket(path);
    await leaveStaleSocket(`${path}~`);
    await listen();
    expect(await ask("hello")).toBe("hello");
    expect(await fs.readdir(folder)).toEqual(["http.sock"]);
  });

  test("one that somebody listens on is not, and goes on", async () => {
    await listen();
    await expect(listen()).rejects.toMatchObject({ code: "EADDRINUSE", address: `unix:${path}` });
    expect(await ask("hello")).toBe("hello");
  });

  test("what is no socket is left alone", async () => {
    await fs.writeFile(path, "precious");
    await expect(listen()).rejects.toMatchObject({ code: "EEXIST" });
    expect(await fs.readFile(path, "utf8")).toBe("precious");
  });

  test("a file that another gateway has put in its place is left to that one", async () => {
    const port = await listen();
    await fs.unlink(path);
    await listen();
    await port.close();
    expect(await ask("hello")).toBe("hello");
  });

  test("a directory that is not there is told with its path", async () => {
    path = join(folder, "missing", "http.sock");
    await expect(listen()).rejects.toMatchObject({ code: "ENOENT", address: `unix:${path}` });
  });

  test("an account that is not known is told", async () => {
    const options = { ...PLAIN_LISTENER, socketFile: { mode: 0o660, user: "nobody-of-that-name", group: "" } };
    const listening = createListen(() => undefined)({ host: `unix:${path}`, port: 0 }, () => null, options);
    await expect(listening).rejects.toThrow("/etc/passwd has no nobody-of-that-name");
    expect(await fs.readdir(folder)).toEqual([]);
  });
});

describe("dialling a Unix socket", () => {
  test("what it begins with leaves before all else", async () => {
    await listen();
    expect(await ask("hello", Buffer.from("first "))).toBe("first hello");
  });

  test("says what is wrong in the system's words", async () => {
    expect(await ask("")).toBe("ENOENT on connect");
    await leaveStaleSocket(path);
    expect(await ask("")).toBe("ECONNREFUSED on connect");
  });
});
