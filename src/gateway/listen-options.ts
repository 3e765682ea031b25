/** What a listener does before the gateway hears of a connection, from its settings. */
import type { ListenOptions } from "../kernel/socket.ts";
import type { ListenerRuntime } from "./listener-runtime.ts";
import type { Core } from "./core.ts";
import { createUnbegun } from "./unbegun.ts";

export function listenOptions({ name, settings, isTrusted }: ListenerRuntime, core: Core): ListenOptions {
  const { proxyProtocol, socketFile, tls } = settings;
  return {
    proxyProtocol: proxyProtocol === null ? null : { ...proxyProtocol, isTrusted },
    tls: tls === null ? null : core.secureContexts(settings),
    socketFile,
    onUnbegun: createUnbegun(name, core),
  };
}
