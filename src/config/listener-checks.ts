/** Ways of writing a listener in which a part of it would do nothing, or would turn everybody away. */
import { isUnix } from "../kernel/ip-text.ts";
import { acmeNamesOf } from "./acme-names.ts";
import { hstsSchema } from "./listener-tls-schema.ts";
import { valueAt } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";
import { isMapping } from "./yaml-tree.ts";

export function listenerFindings(file: unknown): Finding[] {
  const listeners = valueAt(file, ["listeners"]);
  const paths: Path[] = Array.isArray(listeners) ? listeners.map((_, index) => ["listeners", index]) : [];
  return [
    ...[...paths, ["admin"]].flatMap((path) => socketFindings(file, path)),
    ...paths.flatMap((path) => proxyFindings(file, path)),
    ...paths.flatMap((path) => hstsFindings(file, path)),
    ...paths.flatMap((path) => redirectFindings(file, path)),
    ...paths.flatMap((path) => acmeFindings(file, path)),
    ...authorityFindings(file),
    ...fleetFindings(file),
  ];
}

/** Certificates that nobody obtains, that would be lost with the process, or that are for no name. */
function acmeFindings(file: unknown, listener: Path): Finding[] {
  const tls = [...listener, "tls"];
  const acme = valueAt(file, [...tls, "acme"]) ?? false;
  const files = valueAt(file, [...tls, "certificates"]);
  if (!isMapping(valueAt(file, tls))) return [];
  if (acme === false) {
    const isNone = files === undefined || (Array.isArray(files) && files.length === 0);
    const hint = "Name files under certificates, or write acme: true.";
    return isNone ? [{ path: tls, at: "value", message: "There is no certificate to be shown.", hint }] : [];
  }
  const path = [...tls, "acme"];
  if (valueAt(file, ["acme"]) === undefined) {
    const hint = "Add  acme: { agree: true }  at the top level.";
    return [{ path, at: "value", message: "It is not said from whom certificates are obtained.", hint }];
  }
  if (valueAt(file, ["state"]) === false) {
    const message = "Certificates that are obtained have to be kept, and nothing may be: state is false.";
    return [{ path, at: "value", message, hint: "Name a directory under state." }];
  }
  const services = valueAt(file, ["services"]);
  const hosts = (isMapping(services) ? Object.keys(services) : []).flatMap((name) => {
    const list = valueAt(file, ["services", name, "hosts"]);
    return Array.isArray(list) ? list : [];
  });
  if (
    acme !== true ||
    acmeNamesOf(
      true,
      hosts.filter((host) => typeof host === "string"),
    ).length > 0
  )
    return [];
  const message = "No service names a host that a certificate could be obtained for.";
  return [{ path, at: "value", message, hint: "Write hosts at the services, or a list of names here." }];
}

/** So far certificates are all that a fleet has together. */
function fleetFindings(file: unknown): Finding[] {
  const listeners = valueAt(file, ["listeners"]);
  const isObtained = (Array.isArray(listeners) ? listeners : []).some(
    (one) => (valueAt(one, ["tls", "acme"]) ?? false) !== false,
  );
  if (valueAt(file, ["fleet"]) === undefined || (isObtained && valueAt(file, ["acme"]) !== undefined)) return [];
  const message = "A fleet shares the certificates that it obtains, and this gateway obtains none.";
  const hint = "Add  acme: { agree: true }  and a listener with  tls: { acme: true }, or leave this out.";
  return [{ path: ["fleet"], at: "key", message, hint }];
}

function authorityFindings(file: unknown): Finding[] {
  if (valueAt(file, ["acme"]) === undefined) return [];
  const findings: Finding[] = [];
  if (valueAt(file, ["acme", "agree"]) === false) {
    const message = "No authority gives certificates to who does not agree to its terms.";
    findings.push({ path: ["acme", "agree"], at: "value", message, hint: "Read them, and write true." });
  }
  const authorities = valueAt(file, ["acme", "authorities"]);
  for (const [index, one] of (Array.isArray(authorities) ? authorities : []).entries()) {
    const directory = isMapping(one) ? one["directory"] : one;
    if (directory !== "zerossl" || (isMapping(one) && one["externalAccount"] !== undefined)) continue;
    findings.push({
      path: ["acme", "authorities", index],
      at: "value",
      message: "ZeroSSL gives certificates to its customers only.",
      hint: "Write { directory: zerossl, externalAccount: { kid: …, key: { file: … } } } with what it shows of your account.",
    });
  }
  return findings;
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

/** Browsers heed Strict-Transport-Security only over TLS (RFC 6797 §8.1). */
function hstsFindings(file: unknown, listener: Path): Finding[] {
  const path = [...listener, "hsts"];
  const written = valueAt(file, path);
  const hsts = hstsSchema.safeParse(written === true ? {} : written);
  if (!hsts.success) return [];
  if (valueAt(file, [...listener, "tls"]) === undefined) {
    const message = "Browsers heed Strict-Transport-Security only over TLS, and this listener speaks none.";
    return [{ path, at: "value", message, hint: "Write it under the listener that has tls." }];
  }
  const { preload, includeSubDomains, maxAge } = hsts.data;
  if (!preload || (includeSubDomains && maxAge >= PRELOAD_MS)) return [];
  const message = "The list that browsers have built in takes only names with includeSubDomains and a year at least.";
  const hint = "Write includeSubDomains: true and maxAge: 365d or more, or leave preload out.";
  return [{ path: [...path, "preload"], at: "value", message, hint }];
}

const PRELOAD_MS = 31_536_000_000;

function redirectFindings(file: unknown, listener: Path): Finding[] {
  const path = [...listener, "redirectToHttps"];
  const written = valueAt(file, path);
  if (written === undefined || written === false || valueAt(file, [...listener, "tls"]) === undefined) return [];
  const message = "Whoever comes to this listener speaks TLS already.";
  return [{ path, at: "value", message, hint: "Write it under a listener without tls, or leave it out." }];
}
