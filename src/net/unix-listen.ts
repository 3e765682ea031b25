/**
 * Listening on a Unix socket: a file that others connect to. It is made under a name beside its own and moved there
 * when its mode and owner are right, so that nobody connects before, and nobody finds the place empty meanwhile.
 *
 * A file that is left from a process that crashed is replaced; one that somebody listens on is not, and neither is
 * anything that is no socket. At the end the file goes, if it is still the one that was made here.
 */
import { lstatSync, unlinkSync } from "node:fs";
import fs from "node:fs/promises";
import net from "node:net";
import { dirname } from "node:path";
import type { SocketFile } from "../kernel/socket.ts";

/** Behind the path. Short, because the system has room for about a hundred bytes in all. */
const BESIDE = "~";

/** A file that was made here, or by a process whose place this one takes: another one at its path is somebody else's. */
export interface OwnFile {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  /** It is still of the process whose place this one is to take, and stays when this one comes to nothing. */
  isLent?: boolean;
}

/** Resolves when clients can connect. Rejects with the system's code and the path. */
export function listenOnPath(server: net.Server, path: string, file: SocketFile, backlog: number): Promise<OwnFile> {
  return makeSocketFile(path, file, async (beside) => {
    await listening(server, { path: beside, backlog });
    return () => void server.close();
  });
}

/** `bind` makes a socket at the path that it is given, and returns what closes it. */
export async function makeSocketFile(
  path: string,
  file: SocketFile,
  bind: (beside: string) => (() => void) | Promise<() => void>,
): Promise<OwnFile> {
  const beside = path + BESIDE;
  let close = (): void => undefined;
  try {
    // Binding would say EACCES of a directory that is not there.
    await fs.stat(dirname(path));
    await makeRoom(path, false);
    await makeRoom(beside, true);
    close = await bind(beside);
    await fs.chmod(beside, file.mode);
    if (file.user !== "" || file.group !== "") {
      await fs.chown(beside, await numberOf(file.user, "/etc/passwd"), await numberOf(file.group, "/etc/group"));
    }
    // Somebody else may have come first since it was looked at.
    await makeRoom(path, false);
    await fs.rename(beside, path);
    const { dev, ino } = await fs.stat(path);
    return { path, dev, ino };
  } catch (error) {
    close();
    throw Object.assign(error as Error, { address: `unix:${path}`, port: 0 });
  }
}

/**
 * Gives the file another mode and owner; the result takes that back. A file that somebody else has put in its place is
 * left alone. Rejects with the system's code, and then nothing has changed.
 */
export async function changeSocketFile(own: OwnFile, file: SocketFile): Promise<() => Promise<void>> {
  const { path } = own;
  const before = await fs.lstat(path).catch(() => null);
  if (before === null || before.dev !== own.dev || before.ino !== own.ino) return () => Promise.resolve();
  const undo = async (): Promise<void> => {
    await fs.chown(path, before.uid, before.gid);
    await fs.chmod(path, before.mode);
  };
  try {
    const uid = await numberOf(file.user, "/etc/passwd");
    const gid = await numberOf(file.group, "/etc/group");
    // Where none is named it is the process's own, also when another one was named before.
    await fs.chown(
      path,
      uid === -1 ? (process.geteuid?.() ?? -1) : uid,
      gid === -1 ? (process.getegid?.() ?? -1) : gid,
    );
    await fs.chmod(path, file.mode);
  } catch (error) {
    await undo().catch(() => undefined);
    throw Object.assign(error as Error, { address: `unix:${path}`, port: 0 });
  }
  return undo;
}

/** Somebody removed it, or put another in its place. */
export async function isSocketFileGone({ path, dev, ino }: OwnFile): Promise<boolean> {
  const stat = await fs.lstat(path).catch(() => null);
  return stat === null || stat.dev !== dev || stat.ino !== ino;
}

/** At once: the process may end with the next line. */
export function removeSocketFile({ path, dev, ino, isLent = false }: OwnFile): void {
  if (isLent) return;
  try {
    const stat = lstatSync(path);
    if (stat.dev === dev && stat.ino === ino) unlinkSync(path);
  } catch {
    // It is gone, or the directory is: nothing is left to be cleaned.
  }
}

/** Null: a socket could be made there. Otherwise the system's code. Makes nothing and removes nothing. */
export async function trySocketFile(path: string): Promise<string | null> {
  try {
    await makeRoom(path, false);
    await fs.access(dirname(path), fs.constants.W_OK | fs.constants.X_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "EIO";
  }
}

/** What is in the way and of no use any more. What is left under the name beside goes at once; the other is moved over. */
async function makeRoom(path: string, remove: boolean): Promise<void> {
  const stat = await fs.lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (stat === null) return;
  if (!stat.isSocket()) throw failure("EEXIST", `${path} exists and is no socket`);
  if (await isListenedOn(path)) throw failure("EADDRINUSE", `somebody listens on ${path}`);
  if (remove) await fs.unlink(path);
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      // Its queue is full: somebody is there, and busy.
      else if (error.code === "EAGAIN") resolve(true);
      else reject(error);
    });
  });
}

/** By the system's own lists, which is where service accounts are. -1 leaves it as it is. */
async function numberOf(account: string, list: string): Promise<number> {
  if (account === "") return -1;
  if (/^\d+$/.test(account)) return Number(account);
  const lines = (await fs.readFile(list, "utf8")).split("\n").map((line) => line.split(":"));
  const id = lines.find(([name]) => name === account)?.[2];
  if (id === undefined) throw failure("ENOENT", `${list} has no ${account}`);
  return Number(id);
}

function listening(server: net.Server, options: net.ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
