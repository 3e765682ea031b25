/** A pool that is built anew on the same gateway: its addresses are those that they were. */
import { expect, it } from "vitest";
import { settingsForOrigins } from "../config/defaults.ts";
import { TimerWheel } from "../kernel/timer-wheel.ts";
import { AddressMemory } from "./address-memory.ts";
import type { Core } from "./core.ts";
import { PoolRuntime } from "./pool-runtime.ts";
import { Telemetry } from "./telemetry.ts";

const loaded = settingsForOrigins(["http://10.0.0.1", "http://10.0.0.2"]);
const service = loaded.ok ? loaded.settings.services[0] : undefined;

/** The few things that a pool without traffic needs of a gateway. */
const core = {
  clock: { monotonic: () => 1_000, wall: () => 1_000 },
  chance: () => 0,
  dns: { keepMs: 86_400_000 },
  book: { publish: () => undefined },
  memory: new AddressMemory(),
  siblings: null,
  wheel: new TimerWheel(1_000),
  telemetry: new Telemetry(),
  resolver: {
    peek: () => null,
    watch(name: string, onChange: (resolution: object) => void) {
      onChange({ name, addresses: [{ ip: name, port: 0, family: 4 }], failure: null, learnedAt: 1_000 });
      return () => undefined;
    },
  },
} as unknown as Core;

function started(): PoolRuntime {
  const pool = service?.pools[0];
  if (service === undefined || pool === undefined) throw new Error("no service");
  const runtime = new PoolRuntime(core, service, pool);
  runtime.start();
  return runtime;
}

it("keeps what was known of each address", () => {
  const before = started();
  const known = before.members.map(({ knowledge }) => knowledge);
  before.checked(before.members[0]!, { ok: false, detail: "status 503" }, 1_000);
  before.stop();
  const after = started();
  expect(after.members[0]?.ejection).toBe(known[0]?.ejection);
  expect(after.members[1]?.latency).toBe(known[1]?.latency);
  expect(after.members[0]).toMatchObject({
    health: { kind: "down" },
    check: { ok: false, detail: "status 503" },
    share: 0,
  });
});
