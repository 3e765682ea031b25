/**
 * Admit: holding back a client that asks for far more than all others (policies/flood.ts decides). In shadow it says
 * what it would do and does nothing. The rule that refused stands in the record, and operators hear of it as an
 * event when it begins, now and then while it lasts.
 */
import type { FloodSettings } from "../config/settings.ts";
import type { GatewayEvent } from "../contract/view.ts";
import type { Chance, Clock } from "../kernel/clock.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import { answeredWell, createFloodState, floodInWords, floodVerdict, heldBack } from "../policies/flood.ts";
import type { FloodState, FloodVerdict } from "../policies/flood.ts";
import type { Telemetry } from "./telemetry.ts";

export interface FloodNote {
  /** Null: it is refused. Otherwise why it is not, although it is heavy. */
  readonly passes: DecisionCode | null;
  readonly evidence: string;
}

/** What the guard needs of its gateway. */
export interface FloodWorld {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly publish: (event: GatewayEvent) => void;
  readonly telemetry: Pick<Telemetry, "floodRefused" | "floodSpared">;
}

const TELL_EVERY_MS = 10_000;

export class FloodGuard {
  #settings: FloodSettings;
  readonly #world: FloodWorld;
  #state: FloodState;
  #toldAt = -Infinity;

  constructor(settings: FloodSettings, world: FloodWorld) {
    this.#settings = settings;
    this.#world = world;
    this.#state = createFloodState(settings.clientsMax);
  }

  /** Who is held back stays so, unless another number of clients is to be watched. */
  configure(settings: FloodSettings): void {
    if (settings.clientsMax !== this.#settings.clientsMax) this.#state = createFloodState(settings.clientsMax);
    this.#settings = settings;
  }

  /** A request of this client has come. Null: nothing to say, which is the rule. */
  look(key: number, address: string, isProtected: boolean, stressed: boolean, now: number): FloodNote | null {
    const roll = stressed ? this.#world.chance() : 0;
    const verdict = floodVerdict(this.#settings, this.#state, key, isProtected, stressed, roll, now);
    return verdict === "pass" ? null : this.#note(verdict, key, address, now);
  }

  answeredWell(key: number, now: number): void {
    answeredWell(this.#state, key, now);
  }

  /** Clients held back now. */
  heldBack(now: number): number {
    return this.#settings.shadow ? 0 : heldBack(this.#state, now);
  }

  #note(verdict: Exclude<FloodVerdict, "pass">, key: number, address: string, now: number): FloodNote {
    const figures = floodInWords(this.#state, key, now);
    switch (verdict) {
      case "spare.protected":
      case "spare.known":
      case "spare.budget":
        this.#world.telemetry.floodSpared += 1;
        return { passes: "admit.flood-spared", evidence: `${WHY_SPARED[verdict]}: ${figures}` };
      case "refuse.stressed":
      case "refuse.dominant":
      case "refuse.returning": {
        this.#world.telemetry.floodRefused += 1;
        const rule = RULES[verdict];
        const evidence = `rule ${rule.id}: ${rule.text}: ${figures}`;
        if (verdict !== "refuse.returning") this.#tell(address, evidence, now);
        return { passes: this.#settings.shadow ? "admit.flood-shadow" : null, evidence };
      }
    }
  }

  #tell(address: string, evidence: string, now: number): void {
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#world.publish({
      kind: "gateway",
      at: this.#world.clock.wall(),
      code: this.#settings.shadow ? "flood.would-hold-back" : "flood.holding-back",
      detail: `${address} by ${evidence}`,
    });
  }
}

const RULES = {
  "refuse.stressed": { id: "flood.stressed", text: "under stress, far more than the others" },
  "refuse.dominant": { id: "flood.dominant", text: "far more than everybody else" },
  "refuse.returning": { id: "flood.returning", text: "let in by and by after having been held back" },
} as const;

const WHY_SPARED = {
  "spare.protected": "a protected identity",
  "spare.known": "a client that was good before",
  "spare.budget": "holding it back would hit good traffic",
} as const;
