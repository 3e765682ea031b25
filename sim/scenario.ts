/** What a scenario is, and how one is run and judged. */
import type { GatewayPorts } from "../src/gateway/gateway.ts";
import { CHECKERS } from "./checkers.ts";
import type { Finding } from "./checkers.ts";
import { World } from "./world.ts";
import type { FileKeys } from "./world.ts";

export interface Scenario {
  readonly name: string;
  /** One sentence: what happens, and what has to hold. */
  readonly what: string;
  /** Pool name → origins. */
  readonly pools: Readonly<Record<string, readonly string[]>>;
  /** Keys of the service, as in a configuration file. */
  readonly service?: Readonly<Record<string, unknown>>;
  readonly file?: FileKeys;
  /** Origins that must have got traffic again at the end, if they have been well for a while by then. */
  readonly returning?: readonly string[];
  /** Sets the world up and lays out what will happen in it. Returns what has to hold at its end besides what always has to. */
  readonly play: (world: World) => () => readonly string[];
}

export interface RunOptions {
  readonly seed: number;
  readonly bend?: (ports: GatewayPorts, world: World) => GatewayPorts;
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
  const { name, pools, service = {}, file = {} } = scenario;
  const world = new World({ seed: options.seed, pools, service, file, bend: options.bend ?? null });
  options.onWorld?.(world);
  const expectations = scenario.play(world);
  await world.run();
  const findings = CHECKERS.flatMap((checker) =>
    checker.check(world, scenario).map((found): Finding => ({ checker: checker.name, ...found })),
  );
  for (const what of expectations()) findings.push({ checker: "scenario", id: 0, what });
  return { scenario: name, seed: options.seed, world, findings };
}
