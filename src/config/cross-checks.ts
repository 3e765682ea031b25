/**
 * Checks that compare distant places of a file: names that must differ, names that must exist, sockets and
 * routes that collide. They look at the raw values and take of them what parses, so that a typing error in
 * one place does not hide a wrong pool name in another: all problems are told at once.
 */
import { nearest } from "../kernel/nearest.ts";
import { alertFindings } from "./alert-checks.ts";
import { cacheSchema } from "./cache-schema.ts";
import { hostPort, isLoopbackIp } from "../kernel/ip-text.ts";
import { bindsOverlap } from "./addresses.ts";
import { parseName, poolName } from "./names.ts";
import { parseOriginUrl } from "./origin-url.ts";
import type { OriginAddress } from "./origin-url.ts";
import { quoted } from "./parsed.ts";
import { listenerFindings } from "./listener-checks.ts";
import { orderFindings } from "./order-checks.ts";
import { pathText, valueAt } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";
import { adminSchema, limitsSchema, LISTENERS_DEFAULT, listenerSchema } from "./schema.ts";
import { resumeSchema, routeSchema } from "./route-schema.ts";
import { retrySchema } from "./service-schema.ts";
import type { Bind } from "./settings.ts";
import { formatSize } from "./units.ts";
import { statusPageSchema } from "./status-page-schema.ts";
import { isMapping } from "./yaml-tree.ts";

export function crossFindings(file: unknown): Finding[] {
  const services = mappingAt(file, ["services"]);
  const sockets = listeningSockets(file);
  return [
    ...(Object.keys(services).length === 0 && isMapping(valueAt(file, ["services"])) ? [noServices()] : []),
    ...overlappingSockets(sockets),
    ...orderFindings(file),
    ...cacheFindings(file),
    ...alertFindings(file),
    ...telemetryFindings(file),
    ...listenerFindings(file),
    ...Object.keys(services).flatMap((name) => [
      ...repeatedHosts(file, ["services", name, "hosts"]),
      ...repeatedNames(file, ["services", name, "pools"], "pools"),
      ...repeatedNames(file, ["services", name, "routes"], "routes"),
      ...originFindings(file, ["services", name, "pools"], sockets),
      ...poolFindings(file, ["services", name]),
      ...fieldNameFindings(file, ["services", name, "routes"]),
      ...healthFindings(file, ["services", name, "health"]),
      ...replayFindings(file, ["services", name, "retry"]),
      ...aloneFindings(file, ["services", name]),
      ...routeCacheFindings(file, ["services", name, "routes"]),
      ...resumeFindings(file, ["services", name]),
      ...keyFindings(file, ["services", name, "routes"]),
      ...sharedConnectionFindings(file, ["services", name]),
    ]),
  ];
}

/** The control process is who tells collectors: without it nobody would. */
function telemetryFindings(file: unknown): Finding[] {
  if (valueAt(file, ["control"]) !== false || valueAt(file, ["telemetry", "otlp"]) === undefined) return [];
  const message = "No collector can be told anything without the control process, which control: false switches off.";
  return [problem(["telemetry", "otlp"], message, "Leave control: false out, or this.")];
}

function cacheFindings(file: unknown): Finding[] {
  const memory = cacheSchema.shape.memory.safeParse(valueAt(file, ["cache", "memory"]));
  const disk = cacheSchema.shape.disk.safeParse(valueAt(file, ["cache", "disk"]));
  if (!disk.success || disk.data === 0) return [];
  if (memory.success && memory.data === 0) {
    const message = "Nothing is stored on disk while cache.memory is 0B: that switches caching off.";
    return [problem(["cache", "disk"], message, "Give cache.memory a size, or leave this out.")];
  }
  if (valueAt(file, ["state"]) !== false) return [];
  const message = "Stored responses cannot be kept on disk while nothing may be stored: state is false.";
  return [problem(["cache", "disk"], message, "Name a directory under state, or leave this out.")];
}

/** A connection of HTTP/2 is everybody's, and the PROXY protocol says whose it is. */
function sharedConnectionFindings(file: unknown, service: Path): Finding[] {
  const of = (path: Path, key: string): unknown => valueAt(file, [...path, key]);
  return listAt(file, [...service, "pools"]).flatMap((_, index) => {
    const pool = [...service, "pools", index];
    const holder = of(pool, "http2") === undefined ? service : pool;
    const proxy = of(pool, "proxyProtocol") ?? of(service, "proxyProtocol") ?? false;
    if ((of(holder, "http2") ?? false) === false || proxy === false) return [];
    const message = "The PROXY protocol says whose a connection is, and one of HTTP/2 carries the requests of many.";
    return [problem([...holder, "http2"], message, "Leave one of both out; who asks stands in X-Forwarded-For.")];
  });
}

/** A route that is to cache, in a gateway that does not. */
function routeCacheFindings(file: unknown, routes: Path): Finding[] {
  const memory = cacheSchema.shape.memory.safeParse(valueAt(file, ["cache", "memory"]));
  if (!memory.success || memory.data > 0) return [];
  return listAt(file, routes).flatMap((_, index) => {
    const path = [...routes, index, "cache"];
    const written = valueAt(file, path);
    if (written !== true && !isMapping(written)) return [];
    const message = "Nothing is stored while cache.memory is 0B: that switches caching off.";
    return [problem(path, message, "Give cache.memory a size, or leave this out.")];
  });
}

/** A share while another pool comes first, where there is no other; a second origin, where there is one attempt. */
function aloneFindings(file: unknown, service: Path): Finding[] {
  const findings: Finding[] = [];
  const [pool, ...others] = listAt(file, [...service, "pools"]);
  if (others.length === 0 && valueAt(pool, ["standbyShare"]) !== undefined) {
    const path = [...service, "pools", 0, "standbyShare"];
    findings.push(problem(path, "The only pool of a service is never a standby.", "Leave this out."));
  }
  if (makesOneAttempt(file, service) && isMapping(valueAt(file, [...service, "hedge"]))) {
    const message = "Nothing is sent to a second origin in a service that makes one attempt for each request.";
    findings.push(problem([...service, "hedge"], message, "Allow attempts in its retry, or leave this out."));
  }
  return findings;
}

function makesOneAttempt(file: unknown, service: Path): boolean {
  const retry = valueAt(file, [...service, "retry"]);
  return retry === false || valueAt(retry, ["attempts"]) === 1;
}

function noServices(): Finding {
  return problem(
    ["services"],
    "There is no service, so there would be nothing to answer with.",
    "Name one and give it pools.",
  );
}

interface Socket {
  readonly path: Path;
  readonly bind: Bind;
}

function listeningSockets(file: unknown): Socket[] {
  const sockets: Socket[] = [];
  const listeners = valueAt(file, ["listeners"]) === undefined ? LISTENERS_DEFAULT : listAt(file, ["listeners"]);
  for (const [index, listener] of listeners.entries()) {
    const path = ["listeners", index, "bind"];
    const bind = listenerSchema.shape.bind.safeParse(valueAt(listener, ["bind"]));
    if (bind.success) sockets.push({ path, bind: bind.data.bind });
  }
  if (valueAt(file, ["admin"]) !== false) {
    const path = ["admin", "bind"];
    const bind = adminSchema.shape.bind.safeParse(valueAt(file, path));
    if (bind.success) sockets.push({ path, bind: bind.data.bind });
  }
  const status = statusPageSchema.shape.bind.safeParse(valueAt(file, ["statusPage", "bind"]));
  if (status.success && status.data !== undefined) sockets.push({ path: ["statusPage", "bind"], bind: status.data });
  return sockets;
}

function overlappingSockets(sockets: readonly Socket[]): Finding[] {
  return sockets.flatMap(({ path, bind }, index) => {
    const earlier = sockets.slice(0, index).find((other) => bindsOverlap(bind, other.bind));
    if (earlier === undefined) return [];
    const taken = `${shownBind(earlier.bind)} of ${pathText(earlier.path)}`;
    return [problem(path, `${shownBind(bind)} is taken already by ${taken}.`, "Give each its own address or port.")];
  });
}

function repeatedHosts(file: unknown, path: Path): Finding[] {
  const seen = new Set<string>();
  return listAt(file, path).flatMap((host, index) => {
    const key = typeof host === "string" ? host.toLowerCase().replace(/\.$/, "") : "";
    if (key === "" || !seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [problem([...path, index], `The host ${quoted(host)} is in this list twice.`, "Keep one of them.")];
  });
}

function repeatedNames(file: unknown, path: Path, things: "pools" | "routes"): Finding[] {
  const seen = new Map<string, number>();
  return namesAt(file, path, things).flatMap((name, index) => {
    const first = name === null ? undefined : seen.get(name);
    if (name !== null && first === undefined) seen.set(name, index);
    if (name === null || first === undefined) return [];
    const message = `Two ${things} of this service are named ${quoted(name)}.`;
    return [problem([...path, index, "name"], message, `The other one is ${pathText([...path.slice(-1), first])}.`)];
  });
}

function originFindings(file: unknown, pools: Path, sockets: readonly Socket[]): Finding[] {
  const seen = new Map<string, Path>();
  const findings: Finding[] = [];
  for (const [poolIndex] of listAt(file, pools).entries()) {
    const origins = [...pools, poolIndex, "origins"];
    for (const [index, entry] of listAt(file, origins).entries()) {
      const path = isMapping(entry) ? [...origins, index, "url"] : [...origins, index];
      const parsed = parseOriginUrl(valueAt(file, path));
      if (!parsed.ok) continue;
      const { url } = parsed.value;
      const first = seen.get(url);
      if (first !== undefined)
        findings.push(
          problem(
            path,
            `The origin ${url} is in this service twice.`,
            `The other one is ${pathText(first)}. For a larger share give it a weight.`,
          ),
        );
      else seen.set(url, path);
      const loop = sockets.find((socket) => socket.path[0] === "listeners" && leadsTo(parsed.value, socket.bind));
      if (loop !== undefined) {
        findings.push(
          problem(
            path,
            `The origin ${url} is this gateway's own ${pathText(loop.path)}: requests would go round in circles.`,
            "Name the address that the application listens on.",
          ),
        );
      }
    }
  }
  return findings;
}

/** Whether a connection to this origin surely ends at the socket. Other names of this machine are not known here. */
function leadsTo(origin: OriginAddress, bind: Bind): boolean {
  if (origin.port !== bind.port) return false;
  const isLocal = origin.host === "localhost" || isLoopbackIp(origin.host);
  return (
    origin.host === bind.host ||
    (isLocal && (bind.host === "0.0.0.0" || bind.host === "::")) ||
    (origin.host === "localhost" && isLoopbackIp(bind.host))
  );
}

function poolFindings(file: unknown, service: Path): Finding[] {
  const names = namesAt(file, [...service, "pools"], "pools");
  // With one unreadable name, "there is no such pool" may be wrong; the other problem comes first.
  if (names.length === 0 || names.includes(null)) return [];
  const known = names.filter((name) => name !== null);
  return listAt(file, [...service, "routes"]).flatMap((_, index) => {
    const path = [...service, "routes", index, "pools"];
    const seen = new Set<unknown>();
    return listAt(file, path).flatMap((name, at) => {
      if (!parseName(name).ok || typeof name !== "string") return [];
      const isRepeated = seen.has(name);
      seen.add(name);
      if (isRepeated)
        return [problem([...path, at], `The pool ${quoted(name)} is in this list twice.`, "Keep one of them.")];
      if (known.includes(name)) return [];
      const near = nearest(name, known);
      return [
        problem(
          [...path, at],
          `This service has no pool ${quoted(name)}.`,
          near === null ? `Its pools: ${known.join(", ")}.` : `Did you mean ${quoted(near)}?`,
        ),
      ];
    });
  });
}

/** Field names are compared without case (RFC 9110 §5.1), so two spellings of one are one. */
function fieldNameFindings(file: unknown, routes: Path): Finding[] {
  return listAt(file, routes).flatMap((_, index) => {
    const path = [...routes, index, "match", "headers"];
    const seen = new Map<string, string>();
    return Object.keys(mappingAt(file, path)).flatMap((name) => {
      const first = seen.get(name.toLowerCase());
      seen.set(name.toLowerCase(), first ?? name);
      if (first === undefined) return [];
      return [
        {
          ...problem(
            [...path, name],
            `The fields ${quoted(first)} and ${quoted(name)} are the same one.`,
            "Keep one of them.",
          ),
          at: "key" as const,
        },
      ];
    });
  });
}

/** What a check asks for as a sign: a field with its value, or a word in the body, and one of them. */
function expectFindings(file: unknown, path: Path): Finding[] {
  if (valueAt(file, path) === undefined) return [];
  const expect = mappingAt(file, path);
  const isField = expect["header"] !== undefined && expect["value"] !== undefined && expect["body"] === undefined;
  const isBody = expect["body"] !== undefined && expect["header"] === undefined && expect["value"] === undefined;
  if (isField || isBody) return [];
  const message = "What the answer has to carry is one thing: a field with its value, or a word in the body.";
  return [problem(path, message, "Write { header: X-Service, value: shop } or { body: shop }.")];
}

/** Settings of an HTTP check that would silently do nothing on a TCP check. */
function healthFindings(file: unknown, path: Path): Finding[] {
  const health = mappingAt(file, path);
  if ((health["grpc"] ?? false) !== false) return grpcFindings(file, path, health);
  if (health["path"] !== undefined) return expectFindings(file, [...path, "expect"]);
  return ["host", "status", "expect"]
    .filter((key) => health[key] !== undefined)
    .map((key) => ({
      ...problem(
        [...path, key],
        `${key} has no effect without path: the check is then a TCP connection.`,
        "Add path, or leave this out.",
      ),
      at: "key" as const,
    }));
}

/** A check by gRPC has no path and no status, and needs origins that speak HTTP/2. */
function grpcFindings(file: unknown, path: Path, health: Readonly<Record<string, unknown>>): Finding[] {
  const service = path.slice(0, -1);
  const findings: Finding[] = ["path", "status", "expect"]
    .filter((key) => health[key] !== undefined)
    .map((key) => ({
      ...problem(
        [...path, key],
        `A check by gRPC is a call, for which ${key} has no meaning.`,
        "Leave one of both out.",
      ),
      at: "key" as const,
    }));
  const pools = listAt(file, [...service, "pools"]);
  const general = valueAt(file, [...service, "http2"]) ?? false;
  if (pools.every((pool) => (valueAt(pool, ["http2"]) ?? general) === false)) {
    const message = "A call of gRPC needs HTTP/2, and no pool of the service is asked over it.";
    findings.push(problem([...path, "grpc"], message, "Say http2: true in the service, or leave this out."));
  }
  return findings;
}

function replayFindings(file: unknown, path: Path): Finding[] {
  const one = retrySchema.shape.replayBuffer.safeParse(valueAt(file, [...path, "replayBuffer"]));
  const all = limitsSchema.shape.replayBuffers.safeParse(valueAt(file, ["limits", "replayBuffers"]));
  const isOff = valueAt(file, path) === false || (all.success && all.data === 0);
  if (isOff || !one.success || !all.success || one.data <= all.data) return [];
  const message = `One replay buffer of ${formatSize(one.data)} is more than limits.replayBuffers allows for all of them, ${formatSize(all.data)}.`;
  return [problem([...path, "replayBuffer"], message, "Lower this one or raise limits.replayBuffers.")];
}

/** Ways of writing `resume` in which it would silently do nothing, or less than it says. */
function resumeFindings(file: unknown, service: Path): Finding[] {
  const isAlone = makesOneAttempt(file, service);
  return listAt(file, [...service, "routes"]).flatMap((_, index) => {
    const path = [...service, "routes", index, "resume"];
    const resume = valueAt(file, path);
    if (isAlone && (resume === true || isMapping(resume))) {
      const message = "Nothing is resumed in a service that makes one attempt for each request.";
      return [problem(path, message, "Allow attempts in its retry, or leave this out.")];
    }
    const gap = routeSchema.shape.timeouts.safeParse(valueAt(file, [...service, "routes", index, "timeouts"]));
    const stall = resumeSchema.shape.stall.safeParse(valueAt(file, [...path, "stall"]));
    const isMeant = valueAt(file, [...path, "stall"]) !== undefined && stall.success && stall.data > 0;
    if (!isMeant || !gap.success || stall.data < gap.data.gap) return [];
    const message =
      gap.data.gap === 0
        ? "With timeouts.gap: false silence means nothing on this route, so no stall is ever seen."
        : "A silent response is ended by timeouts.gap before this much time has passed.";
    return [problem([...path, "stall"], message, "Lower stall or change timeouts.gap.")];
  });
}

/** A promise that needs a place to be kept, without one; and settings of a promise that is not given. */
function keyFindings(file: unknown, routes: Path): Finding[] {
  return listAt(file, routes).flatMap((_, index) => {
    const path = [...routes, index, "idempotencyKey"];
    const written = valueAt(file, path);
    const mode = isMapping(written) ? written["mode"] : written;
    if (mode === "required" && valueAt(file, ["state"]) === false) {
      return [
        problem(
          isMapping(written) ? [...path, "mode"] : path,
          "Keys cannot be required while nothing may be stored: state is false.",
          "Name a directory under state, or make this honour.",
        ),
      ];
    }
    if (mode !== "off" || !isMapping(written)) return [];
    return ["origins", "keep", "scope"]
      .filter((key) => written[key] !== undefined)
      .map((key) => ({
        ...problem([...path, key], `With mode off, ${key} has no effect.`, "Change the mode, or leave this out."),
        at: "key" as const,
      }));
  });
}

/** The name of each entry, made up where none is written; null where one is written that is not a name. */
function namesAt(file: unknown, path: Path, things: "pools" | "routes"): (string | null)[] {
  return listAt(file, path).map((entry, index) => {
    const name = isMapping(entry) ? entry["name"] : null;
    if (name === undefined) return things === "pools" ? poolName(index) : null;
    const parsed = parseName(name);
    return parsed.ok ? parsed.value : null;
  });
}

function shownBind(bind: Bind): string {
  return hostPort(bind.host, bind.port);
}

function problem(path: Path, message: string, hint: string): Finding {
  return { path, at: "value", message, hint };
}

function listAt(file: unknown, path: Path): readonly unknown[] {
  const value = valueAt(file, path);
  return Array.isArray(value) ? value : [];
}

function mappingAt(file: unknown, path: Path): Readonly<Record<string, unknown>> {
  const value = valueAt(file, path);
  return isMapping(value) ? value : {};
}
