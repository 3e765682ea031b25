/** The listening sockets of a single process: those it finds, those it opens, and all of them for its successor. */
import type { Settings } from "../config/settings.ts";
import type { AdminServer } from "../net/admin-server.ts";
import type { HandedSocket, Heritage } from "../net/heritage.ts";
import type { OpenListener, SocketKeeper } from "../net/tcp-listen.ts";

export interface KeptSockets {
  readonly keeper: SocketKeeper;
  /** They belong to two processes from now on. */
  handOn(): HandedSocket[];
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
      open.flatMap(({ bind: { host, port }, descriptors }) =>
        descriptors().map((descriptor) => ({ descriptor, host, port })),
      ),
  };
}

/** As one of those that are handed on. */
export function adminSocket({ admin }: Settings, server: AdminServer | null): HandedSocket[] {
  const descriptor = server?.handOn() ?? null;
  return admin === null || descriptor === null ? [] : [{ descriptor, host: admin.bind.host, port: admin.bind.port }];
}
