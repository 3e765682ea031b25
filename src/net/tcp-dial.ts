import type { Dial } from "../kernel/socket.ts";
import { dialSocket } from "./tcp-socket.ts";

/** Connects to one address. No name resolution and no racing of address families: the gateway chooses the address. */
export const dialTcp: Dial = (address, listener) => dialSocket(address.ip, address.port, address.family, listener);
