/** What a listener does before the gateway hears of a connection, from its settings. */
import type { ListenOptions } from "../kernel/socket.ts";
import type { ListenerRuntime } from "./client-connection.ts";
import type { Core } from "./core.ts";
import { createUnbegun } from "./unbegun.ts";

export function listenOptions({ name, settings, isTrusted }: ListenerRuntime, core: Core): ListenOptions {
  const { proxyProtocol, socketFile } = settings;
  return {
    proxyProtocol: proxyProtocol === null ? null : { ...proxyProtocol, isTrusted },
    socketFile,
    onUnbegun: createUnbegun(name, core),
  };
}
