/** Ways of writing a listener in which a part of it would do nothing, or would turn everybody away. */
import { isUnix } from "../kernel/ip-text.ts";
import { valueAt } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";
import { isMapping } from "./yaml-tree.ts";

export function listenerFindings(file: unknown): Finding[] {
  const listeners = valueAt(file, ["listeners"]);
  const paths: Path[] = Array.isArray(listeners) ? listeners.map((_, index) => ["listeners", index]) : [];
  return [
    ...[...paths, ["admin"]].flatMap((path) => socketFindings(file, path)),
    ...paths.flatMap((path) => proxyFindings(file, path)),
  ];
}

function socketFindings(file: unknown, path: Path): Finding[] {
  const socket = valueAt(file, [...path, "socket"]);
  const bind = valueAt(file, [...path, "bind"]) ?? "";
  if (socket === undefined || typeof bind !== "string" || isUnix(bind)) return [];
  return [
    {
      path: [...path, "socket"],
      at: "key",
      message: "Where bind is no Unix socket, socket has no effect.",
      hint: "Leave this out, or bind to unix:/path.",
    },
  ];
}

function proxyFindings(file: unknown, path: Path): Finding[] {
  const written = valueAt(file, [...path, "proxyProtocol"]);
  if (written !== true && !isMapping(written)) return [];
  const peers = valueAt(file, [...path, "trustedProxies"]) ?? valueAt(file, ["trustedProxies"]) ?? [];
  if (!Array.isArray(peers) || peers.length > 0) return [];
  return [
    {
      path: [...path, "proxyProtocol"],
      at: "value",
      message: "Nobody may say whose a connection is: no trustedProxies are known here.",
      hint: "Name the addresses of the load balancer under trustedProxies.",
    },
  ];
}
