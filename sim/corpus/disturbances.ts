/**
 * The labelled disturbances: the mechanisms of failures and both members of each pair that is mistaken for each other (coverage.ts
 * says which). A label says what is true, not what the engine says: which party, which causes are right answers, or
 * that nobody could know from here.
 */
import { AT_NAMES } from "./at-names.ts";
import { AT_NETWORKS } from "./at-networks.ts";
import { AT_ORIGINS } from "./at-origins.ts";
import { AT_THE_GATEWAY } from "./at-the-gateway.ts";
import { BY_CHANGES } from "./by-changes.ts";
import { BY_LOAD } from "./by-load.ts";
import { BY_THE_HOUR } from "./by-the-hour.ts";
import { SeededChance } from "../chance.ts";
import type { Disturbance, Maker } from "./disturbance.ts";
import { IN_PROTOCOLS } from "./in-protocols.ts";
import { WITH_LITTLE_TRAFFIC } from "./with-little-traffic.ts";

export const DISTURBANCES: readonly Maker[] = [
  ...AT_ORIGINS,
  ...AT_NETWORKS,
  ...AT_NAMES,
  ...IN_PROTOCOLS,
  ...AT_THE_GATEWAY,
  ...BY_LOAD,
  ...BY_CHANGES,
  ...WITH_LITTLE_TRAFFIC,
  ...BY_THE_HOUR,
];

export function disturbanceNamed(name: string, seed: number): Disturbance {
  const maker = DISTURBANCES.find((one) => one.name === name);
  if (maker === undefined) throw new Error(`no disturbance ${name}`);
  return maker.make(new SeededChance(seed, "magnitude"));
}
