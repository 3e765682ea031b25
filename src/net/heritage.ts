/**
 * What a process that takes over finds open: the listening sockets that its predecessor or the service manager left to
 * it, by where they listen. systemd passes descriptors from 3 on and says so in LISTEN_PID, LISTEN_FDS and
 * LISTEN_FDNAMES (sd_listen_fds(3)); a predecessor says in one variable which descriptor listens where. Both are
 * taken out of the environment, because they are about this process and no other.
 *
 * A socket that no listener of the configuration is meant for is closed once everything listens: whoever still connects
 * to it should be refused, and not wait for ever.
 */
import { closeSync, readFileSync } from "node:fs";
import type { ConfigurationLeft } from "../contract/succession.ts";
import { addressOfDescriptor } from "./inherited-sockets.ts";
import type { GivenSocket } from "./inherited-sockets.ts";
import { removeSocketFile } from "./unix-listen.ts";
import type { OwnFile } from "./unix-listen.ts";

export interface HandedSocket {
  readonly descriptor: number;
  /** As configured: `127.0.0.1`, `unix:/run/goodgate.sock`. */
  readonly host: string;
  readonly port: number;
  /** Made by the predecessor or one before it, and to be removed when it is listened on no more. Absent: there is none. */
  readonly file?: OwnFile | null;
}

/** What the predecessor says. */
export interface Testament {
  readonly sockets: readonly HandedSocket[];
  /** What it keeps is there until it lets go. Null: it keeps nothing. */
  readonly state: string | null;
  /** A descriptor to read its configuration from. Null: the one on the disk holds. Absent in older programs. */
  readonly configuration?: number | null;
  /** Whoever started this process stays until it has ended, because somebody waits for that. Absent in older programs. */
  readonly stays?: boolean;
  /** And starts the next one too, when it is asked to (keeper.ts). Absent in older programs. */
  readonly keeps?: boolean;
}

export interface Heritage {
  readonly from: "nobody" | "service manager" | "predecessor";
  /** The state directory that the predecessor still uses; null: none. */
  readonly state: string | null;
  /** Whoever started the first of these processes waits for that one, which waits for this. */
  readonly isWaitedFor: boolean;
  /** That one starts whoever follows. */
  readonly isKept: boolean;
  /** Sockets that listen there; null: there are none. Each is taken once. `name`: what the service manager may call it. */
  take(bind: { readonly host: string; readonly port: number }, name: string): readonly GivenSocket[] | null;
  /** This process serves: files of sockets are its own now. Closes what nobody took, and says what that was. */
  closeRest(): readonly string[];
}

interface Found extends HandedSocket {
  readonly name: string;
}

/** systemd's first descriptor. */
const FIRST = 3;
export const TESTAMENT = "GOODGATE_TESTAMENT";

export function readHeritage(env: NodeJS.ProcessEnv, pid: number): Heritage {
  const left = env[TESTAMENT];
  const named = namedByManager(env, pid);
  for (const key of [TESTAMENT, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete env[key];
  if (left !== undefined) {
    // It comes from another run of this program, which wrote it a moment ago.
    const { sockets, state, stays = false, keeps = false } = JSON.parse(left) as Testament;
    const found = sockets.map((socket) => ({ ...socket, name: "" }));
    return heritage("predecessor", found, { state, isWaitedFor: stays, isKept: stays && keeps });
  }
  const unknown = { state: null, isWaitedFor: false, isKept: false };
  return heritage(named.length === 0 ? "nobody" : "service manager", named, unknown);
}

/** What the predecessor was given to put into effect. Null: nothing, and the file says. To be asked once, and first. */
export function readConfigurationLeft(env: NodeJS.ProcessEnv): ConfigurationLeft | null {
  const left = env[TESTAMENT];
  const descriptor = left === undefined ? null : ((JSON.parse(left) as Testament).configuration ?? null);
  if (descriptor === null) return null;
  const text = readFileSync(descriptor, "utf8");
  closeSync(descriptor);
  return JSON.parse(text) as ConfigurationLeft;
}

function namedByManager(env: NodeJS.ProcessEnv, pid: number): Found[] {
  const count = Number(env["LISTEN_FDS"] ?? 0);
  // A variable that was meant for a process above this one.
  if (env["LISTEN_PID"] !== String(pid) || !Number.isInteger(count) || count < 1) return [];
  const names = (env["LISTEN_FDNAMES"] ?? "").split(":");
  return Array.from({ length: count }, (_, index) => {
    const descriptor = FIRST + index;
    return { descriptor, name: names[index] ?? "", ...(addressOfDescriptor(descriptor) ?? { host: "", port: 0 }) };
  });
}

function heritage(
  from: Heritage["from"],
  found: readonly Found[],
  rest: Pick<Heritage, "state" | "isWaitedFor" | "isKept">,
): Heritage {
  let left = found;
  // Until this process serves they are those of the predecessor, which goes on if this one comes to nothing.
  const files = found.flatMap(({ file }) => file ?? []);
  for (const file of files) file.isLent = true;
  return {
    from,
    ...rest,
    take(bind, name) {
      const fits = ({ host, port, name: own }: Found): boolean =>
        (host === bind.host && port === bind.port) || (own !== "" && own === name);
      const taken = left.filter(fits);
      left = left.filter((socket) => !fits(socket));
      return taken.length === 0 ? null : taken.map(({ descriptor, file = null }) => ({ descriptor, file }));
    },
    closeRest() {
      const rest = left;
      left = [];
      for (const file of files) file.isLent = false;
      for (const { descriptor, file } of rest) {
        closeSync(descriptor);
        if (file !== undefined && file !== null) removeSocketFile(file);
      }
      return rest.map(({ host, port, name }) => (host === "" ? name : `${host}:${port}`));
    },
  };
}
