/**
 * One worker's end of the channel to the hub: what it hands to its gateway, and what it does with each message. The
 * gateway gets its ports before it exists, so whoever puts the worker together makes this first.
 */
import type { Channel, FromHub, ToHub } from "../contract/shared-knowledge.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import type { GatewayPorts } from "./gateway-ports.ts";
import { KeptRecords } from "./kept-records.ts";
import { RemoteLedger } from "./remote-ledger.ts";
import { SharedRates } from "./shared-rates.ts";
import { SiblingNews } from "./siblings.ts";

export interface WorkerLinkPorts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly channel: Channel<ToHub, FromHub>;
  /** How many share what is limited. */
  readonly workers: number;
}

export class WorkerLink {
  readonly siblings: SiblingNews;
  readonly rates: SharedRates;
  readonly ledger: RemoteLedger;
  readonly #kept: KeptRecords;
  #isChecker = false;
  #onChecker: (on: boolean) => void = () => undefined;

  constructor({ clock, schedule, channel, workers }: WorkerLinkPorts) {
    const send = (message: ToHub): void => channel.send(message);
    this.siblings = new SiblingNews({ sharers: workers, clock, schedule, send });
    this.rates = new SharedRates({ clock, schedule, send, workers });
    this.ledger = new RemoteLedger(send);
    this.#kept = new KeptRecords({ clock, schedule, send });
    channel.onMessage = (message) => this.#hear(message);
  }

  /** Whatever the gateway has together with the others. `seed`: the same for all of them. */
  ports(seed: string): Pick<GatewayPorts, "siblings" | "rates" | "hashSeed" | "kept"> {
    const { siblings, rates } = this;
    return { siblings, rates, hashSeed: seed, kept: (record) => this.#kept.keep(record) };
  }

  /** Whether this worker does the active checks for all; told at once when it does already. */
  followChecker(follow: (on: boolean) => void): void {
    this.#onChecker = follow;
    if (this.#isChecker) follow(true);
  }

  /** The channel is gone, and with it whoever keeps keys. */
  lost(): void {
    this.ledger.lost();
  }

  #hear(message: FromHub): void {
    switch (message.kind) {
      case "news":
      case "turn":
      case "turn recalled":
        this.siblings.hear(message);
        return;
      case "checker":
        if (this.#isChecker === message.on) return;
        this.#isChecker = message.on;
        this.#onChecker(message.on);
        return;
      case "rates":
      case "rates begin":
      case "rates end":
        this.rates.hear(message);
        return;
      case "ledger":
      case "key over":
        this.ledger.hear(message);
    }
  }
}
