/** What a scenario is, and how one is run and judged. */
import type { GatewayPorts } from "../src/gateway/gateway-ports.ts";
import { CHECKERS } from "./checkers.ts";
import type { Finding } from "./checkers.ts";
import type { NaiveHabits } from "./naive-gateway.ts";
import { World } from "./world.ts";
import type { FileKeys } from "./world.ts";

export interface Scenario {
  readonly name: string;
  /** One sentence: what happens, and what has to hold. */
  readonly what: string;
  /** Pool name → origins. */
  readonly pools: Readonly<Record<string, readonly string[]>>;
  /** Origins that no pool names. */
  readonly hosts?: readonly string[];
  /** Keys of the service, as in a configuration file. */
  readonly service?: Readonly<Record<string, unknown>>;
  readonly file?: FileKeys;
  /** Gateways one behind the other; 1 without it. Only what clients see of them is checked then. */
  readonly layers?: number;
  /** The gateway has a disk for what Idempotency-Key promises, which outlives it. */
  readonly keepsKeys?: true;
  /** Origins that must have got traffic again at the end, if they have been well for a while by then. */
  readonly returning?: readonly string[];
  /** It has pass marks of its own, which the negative control must miss. */
  readonly isMarked?: true;
  /** What kind of naive gateway is the negative control, where the usual one would be a wrong one. */
  readonly naive?: Partial<NaiveHabits>;
  /** Sets the world up and lays out what will happen in it. Returns what has to hold at its end besides what always has to. */
  readonly play: (world: World) => Expected | (() => Iterable<string>);
}

/** Sentences for what is not as it has to be. */
export interface Expected {
  /** Pass marks, seen from outside: any gateway can be held to them, and the naive one must miss one. */
  readonly marks: () => Iterable<string>;
  /** What holds besides: that trouble was met, and what our records and events say of it. */
  readonly also: () => Iterable<string>;
}

export interface RunOptions {
  readonly seed: number;
  /** Ours, or the negative control, which is held to the marks alone. */
  readonly gateway?: "ours" | "naive";
  readonly bend?: (ports: GatewayPorts, world: World) => GatewayPorts;
  /** Its facts are kept, in `world.facts`. */
  readonly tellsFacts?: true;
  /** Sees the world before it runs. */
  readonly onWorld?: (world: World) => void;
}

export interface RunReport {
  readonly scenario: string;
  readonly seed: number;
  readonly world: World;
  readonly findings: readonly Finding[];
}

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<RunReport> {
  const { name, pools, hosts = [], service = {}, file = {}, layers = 1 } = scenario;
  const naive = options.gateway === "naive" ? (scenario.naive ?? {}) : null;
  const world = new World({
    seed: options.seed,
    pools,
    hosts,
    service,
    file,
    layers,
    keepsKeys: scenario.keepsKeys === true,
    tellsFacts: options.tellsFacts === true,
    bend: options.bend ?? null,
    naive,
  });
  options.onWorld?.(world);
  const expected = scenario.play(world);
  await world.run();
  const { marks, also } = typeof expected === "function" ? { marks: nothing, also: expected } : expected;
  const findings: Finding[] = [...marks()].map((what) => ({ checker: "mark", id: 0, what }));
  if (naive === null) {
    for (const what of also()) findings.push({ checker: "scenario", id: 0, what });
    for (const checker of CHECKERS) {
      for (const found of checker.check(world, scenario)) findings.push({ checker: checker.name, ...found });
    }
  }
  return { scenario: name, seed: options.seed, world, findings };
}

function nothing(): readonly string[] {
  return [];
}
