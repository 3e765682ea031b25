/**
 * Connects to one address, or to a Unix socket. No name resolution and no racing of address families: the gateway
 * chooses the address.
 */
import type { Dial } from "../kernel/socket.ts";
import { dialSocket, dialUnix } from "./tcp-socket.ts";

export const dialTcp: Dial = (address, listener, opening) => {
  const path = address.transport?.unixPath ?? "";
  const socket =
    path === "" ? dialSocket(address.ip, address.port, address.family, listener) : dialUnix(path, listener);
  if (opening !== undefined) socket.opening = opening;
  return socket;
};
