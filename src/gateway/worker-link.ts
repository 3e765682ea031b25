/**
 * One worker's end of the channel to the hub: what it hands to its gateway, and what it does with each message. The
 * gateway gets its ports before it exists, so whoever puts the worker together makes this first.
 */
import type { Channel, FromHub, ToHub } from "../contract/shared-knowledge.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import { SiblingNews } from "./siblings.ts";

export interface WorkerLinkPorts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly channel: Channel<ToHub, FromHub>;
}

export class WorkerLink {
  readonly siblings: SiblingNews;
  #isChecker = false;
  #onChecker: (on: boolean) => void = () => undefined;

  constructor({ clock, schedule, channel }: WorkerLinkPorts) {
    const send = (message: ToHub): void => channel.send(message);
    this.siblings = new SiblingNews({ clock, schedule, send });
    channel.onMessage = (message) => this.#hear(message);
  }

  /** Whether this worker does the active checks for all; told at once when it does already. */
  followChecker(follow: (on: boolean) => void): void {
    this.#onChecker = follow;
    if (this.#isChecker) follow(true);
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
      case "ledger":
    }
  }
}
