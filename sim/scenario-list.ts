/** Every scenario, in the order in which they are run. */
import type { Scenario } from "./scenario.ts";
import { calm } from "./scenarios/calm.ts";

export const SCENARIOS: readonly Scenario[] = [calm];
