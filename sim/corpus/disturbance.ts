/** A labelled disturbance, and what those of all families are made of. */
import type { AnyCause } from "../../src/control/claim.ts";
import type { CauseId, Party } from "../../src/kernel/causes.ts";
import type { SeededChance } from "../chance.ts";
import type { AttemptAsk, AttemptEffect, Fault, ModelSetup } from "./model.ts";

export interface Truth {
  /** Any of these is right. Empty: nobody could know. */
  readonly parties: readonly Party[];
  /** Empty: cannot be decided from what a gateway sees. */
  readonly causes: readonly AnyCause[];
  /** How many disturbances it is; one when left out. What is asked above is asked of the first. */
  readonly incidents?: number;
}

export type Family =
  | "origins"
  | "networks"
  | "names"
  | "TLS and protocols"
  | "gateway"
  | "load"
  | "changes"
  | "little traffic";

export interface Disturbance {
  readonly family: Family;
  readonly name: string;
  readonly size: "outright" | "gray";
  readonly setup: ModelSetup;
  readonly fault: Fault;
  readonly truth: Truth;
  readonly lastsS: number;
  readonly warmUpS: number;
  /** Of the warm-up: in these seconds the engine learns what is usual, and what it tells of them is not looked at. */
  readonly historyS: number;
}

export interface Maker {
  readonly name: string;
  readonly make: (chance: SeededChance) => Disturbance;
}

type Of = (
  name: string,
  size: Disturbance["size"],
  truth: Truth,
  make: (chance: SeededChance) => {
    setup: ModelSetup;
    fault: Fault;
    lastsS?: number;
    warmUpS?: number;
    historyS?: number;
  },
) => Maker;

export const A1 = "http://a1.shop-alpha.example:3000";
export const CHANGE_WHO = { by: "ci" };
const WARM_UP_S = 200;

/** Makes disturbances of one family. */
export function within(family: Family): Of {
  return (name, size, truth, make) => ({
    name,
    make: (chance) => {
      const { setup, fault, lastsS = chance.integer(60, 90), warmUpS = WARM_UP_S, historyS = 0 } = make(chance);
      return { family, name, size, truth, setup, fault, lastsS, warmUpS, historyS };
    },
  });
}

export function fails(
  cause: CauseId,
  ms: number,
  when: (ask: AttemptAsk) => boolean,
  ratio = 1,
): (ask: AttemptAsk) => AttemptEffect | null {
  return (ask) => (when(ask) && (ratio >= 1 || ask.chance.next() < ratio) ? { cause, ms } : null);
}

export function anyOf(
  causes: readonly CauseId[],
  ms: number,
  when: (ask: AttemptAsk) => boolean,
  ratio = 1,
): (ask: AttemptAsk) => AttemptEffect | null {
  return (ask) =>
    when(ask) && (ratio >= 1 || ask.chance.next() < ratio) ? { cause: ask.chance.pick(causes), ms } : null;
}

export const atA1 = ({ at }: AttemptAsk): boolean => at.origin === A1;
export const isShop = ({ service }: AttemptAsk): boolean => service.name === "shop";
export const isAlpha = ({ at }: AttemptAsk): boolean => at.provider === "alpha";

export function rate(chance: SeededChance): number {
  return chance.pick([8, 25, 80]);
}
