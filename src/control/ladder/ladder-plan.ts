/**
 * What the ladder may be climbed at: origins as configured, and nothing else. A plan is made from the configuration
 * by service and origin, so whoever asks for a climb (a person, the engine, a fact of somebody else's) can choose among
 * the origins there are and can name no address.
 */
import { hostFieldOf } from "../../config/origin-url.ts";
import type { OriginSettings, ServiceSettings, Settings } from "../../config/settings.ts";
import type { FailedRequest } from "./failed-requests.ts";
import { failedStepOf } from "./same-request.ts";
import type { FailedStep } from "./same-request.ts";
import type { Way } from "../../contract/rungs.ts";

export interface Plan {
  readonly service: string;
  readonly pool: string;
  readonly target: Target;
  /** Null: no health path is configured. */
  readonly health: HealthStep | null;
  /** Null: nothing failed there lately. */
  readonly failed: FailedStep | null;
  /** Known to be well: what they show is how it should be. Null: none is. */
  readonly otherOrigin: Target | null;
  /** Another origin of the same provider, however it is. Null: there is none. */
  readonly sameProvider: Target | null;
  /** Other ports that are configured for the same host. */
  readonly otherPort: Target | null;
  readonly gateway: GatewayStep | null;
}

export interface Target {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly basePath: string;
  /** As the gateway writes it into the Host field. */
  readonly hostField: string;
  readonly way: Way;
}

export interface HealthStep {
  readonly target: string;
  readonly host: string;
  readonly statusMin: number;
  readonly statusMax: number;
}

export interface GatewayStep {
  readonly ip: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** The admin listener answers requests without anything being recorded of them; the others are only connected to. */
  readonly asks: boolean;
}

/** What was seen of origins lately. */
export interface Lately {
  isWell(url: string): boolean;
  /** The newest request that failed there. Null: none did. */
  failedAt(service: string, url: string): FailedRequest | null;
}

/** Null: there is no such origin. */
export function planOf(settings: Settings, service: string, url: string, lately: Lately): Plan | null {
  const found = settings.services.find(({ name }) => name === service);
  const pool = found?.pools.find(({ origins }) => origins.some((origin) => origin.url === url));
  const origin = pool?.origins.find((one) => one.url === url);
  if (found === undefined || pool === undefined || origin === undefined) return null;
  const others = settings.services
    .flatMap(({ pools }) => pools)
    .flatMap(({ provider, origins }) => origins.map((one) => ({ provider, origin: one })))
    .filter((other) => other.origin.host !== origin.host || other.origin.port !== origin.port);
  // A machine that is gone takes its other ports along, which says nothing of this one.
  const well = others.filter((other) => other.origin.host !== origin.host && lately.isWell(other.origin.url));
  const otherOrigin = well.find(({ provider }) => provider !== pool.provider) ?? well[0];
  const sameProvider = others.find(
    (other) => other.provider === pool.provider && other.origin.url !== otherOrigin?.origin.url,
  );
  const otherPort = others.find((other) => other.origin.host === origin.host);
  const target = targetOf(origin);
  const failed = lately.failedAt(service, url);
  return {
    service,
    pool: pool.name,
    target,
    failed: failed === null ? null : failedStepOf(failed, found, target),
    health: healthOf(found, origin),
    otherOrigin: otherOrigin === undefined ? null : targetOf(otherOrigin.origin),
    sameProvider: sameProvider === undefined ? null : targetOf(sameProvider.origin),
    otherPort: otherPort === undefined ? null : targetOf(otherPort.origin),
    gateway: gatewayOf(settings),
  };
}

function targetOf(origin: OriginSettings): Target {
  const { url, host, port, basePath, tls, proxyProtocol, http2 } = origin;
  return { url, host, port, basePath, hostField: hostFieldOf(origin), way: { tls, proxyProtocol, http2 } };
}

function healthOf({ health }: ServiceSettings, origin: OriginSettings): HealthStep | null {
  if (health === null || health.path === null) return null;
  const { path, host, statusMin, statusMax } = health;
  const { basePath, hostField } = targetOf(origin);
  return { target: `${basePath}${path}`, host: host ?? hostField, statusMin, statusMax };
}

/** Port 0 is chosen by the system, and which it was is not known here. */
function gatewayOf({ admin, listeners }: Settings): GatewayStep | null {
  const asks = admin !== null && admin.bind.port !== 0;
  const bind = asks ? admin.bind : listeners.find((listener) => listener.bind.port !== 0)?.bind;
  if (bind === undefined) return null;
  const family = bind.host.includes(":") ? 6 : 4;
  const ip = bind.host === "0.0.0.0" ? "127.0.0.1" : bind.host === "::" ? "::1" : bind.host;
  return { ip, family, port: bind.port, asks };
}
