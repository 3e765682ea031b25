/**
 * The world as a command sees it, made of plain values: files, one admin API, one machine. Keeps what was
 * printed. Nothing here stands in for a command; only for what lies around it.
 */
import { runCli } from "../../src/cli/program.ts";
import type { CliPorts, Fetched, MachineFacts, MachinePorts, StartResult, Terminal } from "../../src/cli/ports.ts";
import type { SampleDesk } from "../../src/contract/samples.ts";
import { replay } from "../../src/control/replay.ts";
import type { ConfigurationLeft } from "../../src/contract/succession.ts";
import type { GatewayEvent } from "../../src/contract/view.ts";
import type { Settings } from "../../src/config/settings.ts";

export interface CliWorld {
  run(...args: string[]): Promise<number>;
  readonly out: () => string;
  readonly err: () => string;
  readonly json: () => unknown;
  readonly asked: string[];
  /** What was sent with POST. */
  readonly bodies: unknown[];
  readonly started: Settings[];
  /** Numbers of configurations that were begun with and left by a predecessor. */
  readonly revisions: readonly number[];
  /** Gateways that the samples' own client was sent to. */
  readonly visited: readonly string[];
  readonly samplesClosed: () => boolean;
}

export interface CliWorldOptions {
  readonly files?: Readonly<Record<string, string>>;
  /** By the path under the admin address: `/api/v1/status`. Absent: nobody listens. */
  readonly admin?: Readonly<Record<string, Fetched>>;
  /** What every question to an admin API comes to when `admin` is absent; else nobody listens. */
  readonly fetched?: Fetched;
  readonly env?: Readonly<Record<string, string>>;
  readonly start?: (settings: Settings) => StartResult;
  /** What the started gateway reports. */
  readonly events?: readonly GatewayEvent[];
  /** What a predecessor was given. */
  readonly left?: ConfigurationLeft;
  /** It takes the place of another process; default: it does not. */
  readonly isSuccessor?: boolean;
  readonly facts?: Partial<MachineFacts>;
  readonly machine?: Partial<MachinePorts>;
  readonly terminal?: Partial<Terminal>;
  /** How often `--watch` may go on. */
  readonly pauses?: number;
}

export const WALL = Date.UTC(2026, 10, 21, 14, 5, 0);

const PLAIN: Terminal = { isTerminal: false, columns: 100, paint: (_style, text) => text };

const FACTS: MachineFacts = {
  descriptorsMax: 1_048_576,
  ephemeralPorts: { low: 32_768, high: 60_999 },
  ephemeralPortsInUse: 12,
  somaxconn: 4096,
  memoryBytes: 8 * 1024 ** 3,
  cores: 1,
};

const MACHINE: MachinePorts = {
  facts: () => Promise.resolve(FACTS),
  tryBind: () => Promise.resolve(null),
  tryConnect: () => Promise.resolve({ ok: true, tookMs: 0.4 }),
  tryState: () => Promise.resolve({ directory: "/var/lib/goodgate", code: null }),
  resolve: (name) =>
    Promise.resolve({ name, addresses: [{ ip: "10.0.0.1", port: 0, family: 4 }], failure: null, learnedAt: 0 }),
  tryHandshake: () => Promise.resolve({ ok: true, text: "TLSv1.3" }),
  dateToldBy: () => Promise.resolve(WALL),
};

const NOBODY: Fetched = { kind: "unreachable", code: "ECONNREFUSED" };

export function cliWorld(options: CliWorldOptions = {}): CliWorld {
  const printed = { out: "", err: "" };
  const asked: string[] = [];
  const bodies: unknown[] = [];
  const started: Settings[] = [];
  const revisions: number[] = [];
  const visited: string[] = [];
  let samplesClosed = false;
  let pauses = options.pauses ?? 0;
  const terminal = { ...PLAIN, ...options.terminal };
  const ports: CliPorts = {
    version: "0.1.0",
    env: options.env ?? {},
    terminal,
    errorTerminal: terminal,
    stdout: (text) => void (printed.out += text),
    stderr: (text) => void (printed.err += text),
    readFile(path) {
      const text = options.files?.[path];
      return Promise.resolve(text === undefined ? { ok: false, code: "ENOENT" } : { ok: true, text });
    },
    async replayFacts(path) {
      const text = options.files?.[path];
      return text === undefined ? { ok: false, code: "ENOENT" } : { ok: true, ...(await replay(text.split("\n"))) };
    },
    fetchJson(url, token, _withinMs, method, body) {
      asked.push(`${method === undefined ? "" : `${method} `}${url}${token === null ? "" : ` with ${token}`}`);
      if (body !== undefined) bodies.push(body);
      if (options.admin === undefined) return Promise.resolve(options.fetched ?? NOBODY);
      const missing: Fetched = {
        kind: "answer",
        status: 404,
        json: { code: "unknown-path", detail: "There is nothing there." },
      };
      return Promise.resolve(options.admin[new URL(url).pathname] ?? missing);
    },
    isSuccessor: options.isSuccessor ?? false,
    configurationLeft: () => options.left ?? null,
    startGateway(settings, { revision }) {
      if (revision !== undefined) revisions.push(revision.number);
      started.push(settings);
      const running: StartResult = {
        ok: true,
        gateway: {
          listeners: settings.listeners.map((listener) => listener.bind),
          admin: settings.admin?.bind ?? null,
          onEvent: (listener) => {
            for (const event of options.events ?? []) listener(event);
          },
          stopped: Promise.resolve(0),
        },
      };
      return Promise.resolve(options.start?.(settings) ?? running);
    },
    makeDevCertificate: (directory, hosts) =>
      Promise.resolve({
        ok: true,
        authority: `${directory}/authority.pem`,
        cert: `${directory}/localhost.pem`,
        key: `${directory}/localhost.key`,
        names: [...hosts, "localhost"],
        isNew: true,
        notAfter: WALL + 397 * 86_400_000,
      }),
    startSamples() {
      const pools = [
        { name: "blue", urls: ["http://127.0.0.1:40001", "http://127.0.0.1:40002"] },
        { name: "green", urls: ["http://127.0.0.1:40003"] },
      ];
      const close = (): Promise<void> => {
        samplesClosed = true;
        return Promise.resolve();
      };
      const desk: SampleDesk = {
        view: () => ({ pools: [], perSecond: 0 }),
        breakPool: () => ({ done: false, why: "unknown pool", detail: "there is none" }),
      };
      return Promise.resolve({ pools, desk, visit: (url) => void visited.push(url), close });
    },
    wall: () => WALL,
    pause() {
      pauses -= 1;
      return Promise.resolve(pauses >= 0);
    },
    machine: { ...MACHINE, facts: () => Promise.resolve({ ...FACTS, ...options.facts }), ...options.machine },
  };
  return {
    run: (...args) => runCli(args, ports),
    out: () => printed.out,
    err: () => printed.err,
    json: () => JSON.parse(printed.out) as unknown,
    asked,
    bodies,
    started,
    revisions,
    visited,
    samplesClosed: () => samplesClosed,
  };
}
