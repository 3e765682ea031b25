/**
 * A gateway as an operator starts it: `node bin/goodgate.js run -c FILE` in a process of its own, on free
 * ports, stopped for sure. Tests talk to it over sockets and to its admin API, never to its code.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExchangesResponse, OriginsResponse, StatusResponse } from "../../src/contract/api-responses.ts";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import type { OriginView } from "../../src/contract/view.ts";
import { startChild, type Child, type Ending } from "./child.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

/** The configuration file as an operator writes it, without `listeners` and `admin`: those are filled in. */
export type GatewayFile = Readonly<Record<string, unknown>> & {
  readonly services: Readonly<Record<string, unknown>>;
  /** Merged into the only listener, e.g. `{ idle: "2s" }`. */
  readonly listener?: Readonly<Record<string, unknown>>;
  /** Turns work away when it or its origins are late, as it does for users; see `asPatient`. */
  readonly turnsAway?: boolean;
};

export interface GatewayProcess {
  readonly port: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly adminUrl: string;
  /** Its configuration and, in `state`, what it keeps; gone after `stop`. */
  readonly folder: string;
  readonly child: Child;
  /** An answer of the admin API, parsed; rejects when the status is not 200. */
  api<T>(path: string): Promise<T>;
  status(): Promise<StatusResponse>;
  origins(): Promise<OriginView[]>;
  /** The newest record that fits, as soon as there is one: an exchange is recorded when it has ended on both sides. */
  record(what: string, fits: (record: ExchangeRecord) => boolean): Promise<ExchangeRecord>;
  stop(): Promise<Ending>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Starts a gateway and resolves when it serves. */
export async function startGateway(file: GatewayFile): Promise<GatewayProcess> {
  const port = await freePort();
  const adminPort = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "goodgate-test-"));
  const { listener, turnsAway = false, ...rest } = file;
  const config = {
    listeners: [{ bind: `127.0.0.1:${port}`, ...listener }],
    admin: { bind: `127.0.0.1:${adminPort}` },
    ...(turnsAway ? rest : asPatient(rest)),
  };
  const path = join(folder, "goodgate.yaml");
  const state = join(folder, "state");
  await writeFile(path, JSON.stringify(config, null, 2));
  const child = await startChild(process.execPath, [join(ROOT, "bin/goodgate.js"), "run", "-c", path], {
    cwd: folder,
    env: { STATE_DIRECTORY: state },
  });
  const adminUrl = `http://127.0.0.1:${adminPort}`;

  const gateway: GatewayProcess = {
    port,
    url: `http://127.0.0.1:${port}`,
    adminUrl,
    folder,
    child,
    async api<T>(path: string): Promise<T> {
      const answer = await fetch(`${adminUrl}/api/v1${path}`);
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${text.slice(0, 400)}`);
      return JSON.parse(text) as T;
    },
    status: () => gateway.api<StatusResponse>("/status"),
    origins: async () => (await gateway.api<OriginsResponse>("/origins")).origins,
    record: (what, fits) =>
      until(`a record of ${what}`, async () => {
        const { exchanges } = await gateway.api<ExchangesResponse>("/exchanges?limit=1000");
        return exchanges.find(fits) ?? null;
      }),
    async stop(): Promise<Ending> {
      const ending = await child.stop();
      await rm(folder, { recursive: true, force: true });
      return ending;
    },
  };
  try {
    await until("the gateway to serve", () => isServing(adminUrl, child));
  } catch (error) {
    await gateway.stop();
    throw new Error(`${String(error)}\n${child.stderr()}${child.stdout()}`, { cause: error });
  }
  return gateway;
}

/**
 * A machine that is busy with other tests makes everything late, and a gateway that protects itself from that answers
 * some requests with 503: a good answer, which only tests of just that expect. What a file says itself holds.
 */
function asPatient(file: GatewayFile): GatewayFile {
  const services = Object.entries(file.services).map(([name, service]) => [
    name,
    { overload: false, ...(service as Readonly<Record<string, unknown>>) },
  ]);
  return {
    ...file,
    limits: { loopDelay: false, ...(file["limits"] as Readonly<Record<string, unknown>> | undefined) },
    services: Object.fromEntries(services) as Readonly<Record<string, unknown>>,
  };
}

async function isServing(adminUrl: string, child: Child): Promise<true | null> {
  if (!child.running) throw new Error("the gateway ended while starting");
  try {
    const answer = await fetch(`${adminUrl}/api/v1/status`);
    const status = (await answer.json()) as StatusResponse;
    return status.state === "serving" ? true : null;
  } catch {
    // Refused: the admin listener is not there yet.
    return null;
  }
}

/** A configuration with one service for everything, in front of `origins`. */
export function inFrontOf(
  origins: readonly string[],
  service: Readonly<Record<string, unknown>> = {},
  rest: Readonly<Record<string, unknown>> = {},
): GatewayFile {
  return {
    // Every exchange is kept, so that tests can look up good ones too.
    records: { sample: "100%", sampled: 100_000 },
    accessLog: false,
    services: { "test-service": { health: false, pools: [{ name: "test-pool", origins }], ...service } },
    ...rest,
  };
}
