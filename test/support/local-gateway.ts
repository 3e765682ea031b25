/**
 * The whole gateway on real sockets, in the process of the test: for what only the kernel and OpenSSL do. Names come
 * from a table; records are kept; nothing is checked actively unless a test does it.
 */
import { createGateway } from "../../src/gateway/gateway.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import type { Fact } from "../../src/contract/facts.ts";
import type { Address } from "../../src/kernel/socket.ts";
import type { Resolution, Resolver } from "../../src/kernel/resolver.ts";
import { createIdSource, systemChance } from "../../src/net/chance.ts";
import { systemClock, systemEvery, systemSchedule } from "../../src/net/clock.ts";
import { createHttp2Dial } from "../../src/net/h2-dial.ts";
import { createOriginContexts } from "../../src/net/origin-contexts.ts";
import { createDial } from "../../src/net/tcp-dial.ts";
import { createListen } from "../../src/net/tcp-listen.ts";
import { NO_PROCESS, settingsFrom, useOf } from "./gateway-parts.ts";
import { rawClient } from "./raw-client.ts";
import type { RawClient } from "./raw-client.ts";
import { until } from "./until.ts";

export interface LocalGateway {
  readonly gateway: Gateway;
  readonly port: number;
  readonly records: readonly ExchangeRecord[];
  readonly faults: readonly unknown[];
  /** What it told a control plane. */
  readonly facts: readonly Fact[];
  client(): Promise<RawClient>;
  /** One GET on a connection of its own, and the record that it left. */
  get(
    host: string,
    path?: string,
  ): Promise<{ readonly status: number; readonly body: string; readonly record: ExchangeRecord }>;
  /** The record with this number, from 1, as soon as there is one. */
  record(number: number): Promise<ExchangeRecord>;
  close(): Promise<void>;
}

/** `services` and what more the only listener has: as in a file. Names of origins that are no address lead to 127.0.0.1. */
export async function localGateway(
  services: Readonly<Record<string, unknown>>,
  listener: Readonly<Record<string, unknown>> = {},
): Promise<LocalGateway> {
  const contexts = createOriginContexts({ onRefused: () => undefined });
  const records: ExchangeRecord[] = [];
  const faults: unknown[] = [];
  const facts: Fact[] = [];
  // It shares its event loop with clients, origins and the test, so that it is late is no news.
  const limits = { loopDelay: false };
  const settings = settingsFrom({ listeners: [{ bind: "127.0.0.1:0", ...listener }], admin: false, limits, services });
  const gateway = createGateway(settings, {
    clock: systemClock,
    chance: systemChance,
    newId: createIdSource(),
    dial: createHttp2Dial({ dial: createDial(contexts), clock: systemClock, schedule: systemSchedule }),
    listen: createListen(() => undefined),
    resolver: loopbackResolver(),
    ledger: null,
    cacheShelf: null,
    every: systemEvery,
    soon: (run) => void setImmediate(run),
    processView: () => NO_PROCESS,
    ownUse: () => useOf(NO_PROCESS),
    log: (record) => records.push(structuredClone(record)),
    accessLogDropped: () => 0,
    facts: {
      node: "test-node",
      worker: 0,
      revision: "0123456789ab",
      tell: (fact) => facts.push(structuredClone(fact)),
      machine: () => ({ portsMax: 0, diskFreeBytes: 0, diskBytes: 0 }),
    },
    version: "0.0.0",
    onFault: (error) => faults.push(error),
  });
  await gateway.start();
  const port = gateway.listening[0]?.port ?? 0;
  const record = (number: number): Promise<ExchangeRecord> =>
    until(`record ${number}`, () => records[number - 1] ?? null);
  return {
    gateway,
    port,
    records,
    faults,
    facts,
    client: () => rawClient(port),
    async get(host, path = "/") {
      const before = records.length;
      const client = await rawClient(port);
      await client.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      const { status, body } = await client.response();
      client.close();
      return { status, body, record: await record(before + 1) };
    },
    record,
    close: () => gateway.close(),
  };
}

function loopbackResolver(): Resolver {
  const answer = (name: string): Resolution => {
    const isAddress = /^[\d.]+$|:/.test(name);
    const family = name.includes(":") ? 6 : 4;
    const addresses: readonly Address[] = [{ ip: isAddress ? name : "127.0.0.1", port: 0, family }];
    return { name, addresses, failure: null, learnedAt: 0 };
  };
  return {
    peek: answer,
    resolve: (name, done) => done(answer(name)),
    watch(name, onChange) {
      queueMicrotask(() => onChange(answer(name)));
      return () => undefined;
    },
    close: () => undefined,
  };
}
