/**
 * One climb of the probe ladder: name, connection, TLS, a minimal request, each only when the one before holds somewhere,
 * because what is above a broken rung says nothing; on top the health path, a request like the one that failed, and
 * sizes. The controls go beside it: what is wrong with this machine breaks them too. Each step has a limit of its own,
 * and together they take 15 s at most, less than anybody waits for an answer (contract/control-port.ts).
 */
import { isUnix } from "../../kernel/ip-text.ts";
import type { ProbeFact, ProbeRung } from "../../contract/facts.ts";
import { PLAIN_WAY } from "../../contract/rungs.ts";
import type { Endpoint, ProbeRequest, Rungs, Seen, Way } from "../../contract/rungs.ts";
import { isIP } from "node:net";
import type { GatewayStep, HealthStep, Plan, Target } from "./ladder-plan.ts";
import { IN_THE_CLEAR, locate, SAME_REQUEST, UNVERIFIED } from "./located.ts";
import { resultOf } from "./same-request.ts";
import type { FailedStep } from "./same-request.ts";
import { climbSizes, LARGE_REQUEST, LARGE_RESPONSE } from "./sized-rungs.ts";

export type Climbed = Pick<ProbeFact, "service" | "pool" | "origin" | "rungs" | "located">;

const RESOLVE_MS = 2_500;
const CONNECT_MS = 2_500;
const HANDSHAKE_MS = 2_000;
const REQUEST_MS = 3_000;
/** A name may have many; these show whether it is one of them. */
const ADDRESSES_MAX = 8;
const RESOLVERS_MAX = 4;

export async function climb(rungs: Rungs, plan: Plan): Promise<Climbed> {
  const [own, ...controls] = await Promise.all([
    climbTarget(rungs, plan),
    control("control: gateway itself", rungs, plan.gateway),
    controlTarget("control: other origin", rungs, plan.otherOrigin),
    controlTarget("control: same provider", rungs, plan.sameProvider),
    controlTarget("other port", rungs, plan.otherPort),
  ]);
  const all = [...own, ...controls.filter((one) => one !== null)];
  const { service, pool, target } = plan;
  return { service, pool, origin: target.url, rungs: all, located: locate(target.url, all) };
}

async function climbTarget(rungs: Rungs, { target, health, failed }: Plan): Promise<ProbeRung[]> {
  const named = await resolveTarget(rungs, target);
  const climbed = [...named.rungs];
  const connected = await Promise.all(
    named.endpoints.map(async (to) => ({ to, seen: await rungs.connect(to, target.way, CONNECT_MS) })),
  );
  climbed.push(...connected.map(({ to, seen }) => rungOf("connect", addressOf(to), seen)));
  const reached = connected.filter(({ seen }) => seen.ok).map(({ to }) => to);
  const secured = target.way.tls === null ? null : await climbTls(rungs, target.way, reached);
  if (secured !== null) climbed.push(...secured.rungs);
  const open = secured === null ? reached : secured.open;
  const { way } = target;
  const answered = await Promise.all(
    open.map(async (to) => {
      const request = minimal("HEAD", `${target.basePath}/`, target.hostField, way);
      return { to, seen: await rungs.request(to, request, REQUEST_MS) };
    }),
  );
  climbed.push(
    // Whether `/` is there is the application's affair. That a status comes is what this rung asks for.
    ...answered.map(({ to, seen }) => rungOf("request", `HEAD ${target.basePath}/ at ${addressOf(to)}`, seen)),
  );
  const speaking = answered.filter(({ seen }) => seen.ok).map(({ to }) => to);
  const [first] = speaking;
  const above = await Promise.all([
    health === null ? [] : climbHealth(rungs, speaking, health, way),
    failed === null || first === undefined ? [] : climbFailed(rungs, speaking, first, target, failed),
  ]);
  return [...climbed, ...above.flat()];
}

function climbHealth(rungs: Rungs, speaking: readonly Endpoint[], health: HealthStep, way: Way): Promise<ProbeRung[]> {
  return Promise.all(
    speaking.map(async (to) => {
      const request = minimal("GET", health.target, health.host, way);
      const seen = await rungs.request(to, request, REQUEST_MS);
      const isWanted = seen.status >= health.statusMin && seen.status <= health.statusMax;
      return rungOf("health path", `GET ${health.target} at ${addressOf(to)}`, { ...seen, ok: seen.ok && isWanted });
    }),
  );
}

/** At one address: where it failed, if that answers requests. */
async function climbFailed(
  rungs: Rungs,
  speaking: readonly Endpoint[],
  first: Endpoint,
  target: Target,
  failed: FailedStep,
): Promise<ProbeRung[]> {
  const { request, text, address, isSilence } = failed;
  const to = speaking.find((one) => addressOf(one) === address) ?? first;
  const at = addressOf(to);
  const large =
    request?.method === "GET" ? request : minimal("GET", `${target.basePath}/`, target.hostField, target.way);
  const small = minimal("HEAD", `${target.basePath}/`, target.hostField, target.way);
  const [same, sizes] = await Promise.all([
    request === null ? null : rungs.request(to, request, REQUEST_MS),
    isSilence ? climbSizes(rungs, to, small, large, REQUEST_MS) : null,
  ]);
  const again: ProbeRung =
    same === null
      ? { rung: SAME_REQUEST, at, result: "unknown", ms: 0, text }
      : { rung: SAME_REQUEST, at: `${text} at ${at}`, result: resultOf(same, failed), ms: same.ms, text: same.text };
  if (sizes === null) return [again];
  return [
    again,
    { rung: LARGE_REQUEST, at: `HEAD ${small.target} at ${at}`, ...sizes.request },
    { rung: LARGE_RESPONSE, at: `GET ${large.target.split("?", 1)[0] ?? ""} at ${at}`, ...sizes.response },
  ];
}

/**
 * The handshake as the gateway makes it; where that breaks, the same without looking at the certificate, and a request
 * in the clear. Which of the two holds says whether the certificate is wrong, or that no TLS is spoken there.
 */
async function climbTls(
  rungs: Rungs,
  way: Way,
  reached: readonly Endpoint[],
): Promise<{ readonly rungs: readonly ProbeRung[]; readonly open: readonly Endpoint[] }> {
  const tried = await Promise.all(
    reached.map(async (to) => {
      const seen = await rungs.handshake(to, way, HANDSHAKE_MS);
      const { tls } = way;
      if (seen.ok || tls === null) return { to, seen, beside: [] };
      const blind = { ...way, tls: { ...tls, verify: false, pins: [] } };
      const clear = { ...way, tls: null, http2: "never" } as const;
      const [unverified, plain] = await Promise.all([
        rungs.handshake(to, blind, HANDSHAKE_MS),
        rungs.request(to, minimal("HEAD", "/", tls.serverName, clear), HANDSHAKE_MS),
      ]);
      const at = addressOf(to);
      return { to, seen, beside: [rungOf(UNVERIFIED, at, unverified), rungOf(IN_THE_CLEAR, at, plain)] };
    }),
  );
  return {
    rungs: tried.flatMap(({ to, seen, beside }) => [rungOf("TLS", addressOf(to), seen), ...beside]),
    open: tried.filter(({ seen }) => seen.ok).map(({ to }) => to),
  };
}

export interface Named {
  readonly rungs: readonly ProbeRung[];
  readonly endpoints: readonly Endpoint[];
}

export async function resolveTarget(rungs: Rungs, { host, port }: Target): Promise<Named> {
  if (isUnix(host)) return { rungs: [], endpoints: [{ ip: host, family: 4, port }] };
  const literal = isIP(host);
  if (literal === 4 || literal === 6) return { rungs: [], endpoints: [{ ip: host, family: literal, port }] };
  const resolvers = rungs.resolversFor(host).slice(0, RESOLVERS_MAX);
  const asked = await Promise.all(
    resolvers.map(async (resolver) => ({ resolver, seen: await rungs.resolve(resolver, host, RESOLVE_MS) })),
  );
  const endpoints = new Map<string, Endpoint>();
  for (const { seen } of asked) for (const one of seen.addresses) endpoints.set(one.ip, { ...one, port });
  return {
    rungs: asked.map(({ resolver, seen }) => rungOf("resolve", `${host} by ${resolver}`, seen)),
    endpoints: [...endpoints.values()].slice(0, ADDRESSES_MAX),
  };
}

async function control(name: string, rungs: Rungs, gateway: GatewayStep | null): Promise<ProbeRung | null> {
  if (gateway === null) return null;
  const { asks } = gateway;
  const host = gateway.family === 6 ? `[${gateway.ip}]` : gateway.ip;
  const seen = asks
    ? await rungs.request(gateway, minimal("HEAD", "/", host, PLAIN_WAY), REQUEST_MS)
    : await rungs.connect(gateway, PLAIN_WAY, CONNECT_MS);
  return rungOf(name, addressOf(gateway), seen);
}

/** Name and connection at one address, which is what may be wrong with this machine or the way from it. */
async function controlTarget(name: string, rungs: Rungs, target: Target | null): Promise<ProbeRung | null> {
  if (target === null) return null;
  const named = await resolveTarget(rungs, target);
  const [to] = named.endpoints;
  if (to === undefined) {
    const [first] = named.rungs;
    return { rung: name, at: target.url, result: "unknown", ms: 0, text: `its name: ${first?.text ?? "no resolver"}` };
  }
  const seen = await rungs.connect(to, target.way, CONNECT_MS);
  // A machine that refuses is there, and the way to it is open.
  const isAnswer = seen.ok || seen.failure === "refused";
  return rungOf(name, `${target.url} (${addressOf(to)})`, { ...seen, ok: isAnswer });
}

export function minimal(method: "GET" | "HEAD", target: string, host: string, way: Way): ProbeRequest {
  return { method, target, host, way, fields: {}, bodyBytes: 0 };
}

function rungOf(rung: string, at: string, { ok, ms, text }: Seen): ProbeRung {
  return { rung, at, result: ok ? "holds" : "breaks", ms, text };
}

function addressOf({ ip, family, port }: Endpoint): string {
  if (isUnix(ip)) return ip;
  return family === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;
}
