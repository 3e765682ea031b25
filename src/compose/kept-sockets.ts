/** The listening sockets of a single process: those it finds, those it opens, and all of them for its successor. */
import type { Settings } from "../config/settings.ts";
import type { AdminServer } from "../net/admin-server.ts";
import type { Heritage } from "../net/heritage.ts";
import type { NextSocket } from "../net/keeper.ts";
import type { OpenListener, SocketKeeper } from "../net/tcp-listen.ts";

export interface KeptSockets {
  readonly keeper: SocketKeeper;
  /** They belong to two processes from now on. */
  handOn(): NextSocket[];
}

export function keepSockets({ listeners }: Settings, heritage: Heritage): KeptSockets {
  const open: OpenListener[] = [];
  return {
    keeper: {
      given: (bind) =>
        heritage.take(
          bind,
          listeners.find((one) => one.bind.host === bind.host && one.bind.port === bind.port)?.name ?? "",
        ),
      listens: (listener) => void open.push(listener),
    },
    handOn: () =>
      open.flatMap(({ bind: { host, port }, handOn }) => handOn().map((socket) => ({ ...socket, host, port }))),
  };
}

/** As one of those that are handed on. */
export function adminSocket({ admin }: Settings, server: AdminServer | null): NextSocket[] {
  const socket = server?.handOn() ?? null;
  return admin === null || socket === null ? [] : [{ ...socket, host: admin.bind.host, port: admin.bind.port }];
}
