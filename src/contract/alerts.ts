/**
 * A message about an incident, between what decides that it is to be sent (control/) and what sends it (net/sinks/).
 * It says everything that any sink needs; a sink shapes it and adds nothing.
 */
import type { Party } from "../kernel/causes.ts";
import type { Severity } from "./incident.ts";

export interface AlertMessage {
  /** The same for the same message whenever it is sent: receivers drop what they have. */
  readonly key: string;
  /** The same for all messages about one incident at one sink. */
  readonly thread: string;
  readonly what: "open" | "update" | "repeat" | "escalate" | "taken" | "recovered";
  readonly isTest: boolean;
  readonly incident: string;
  readonly severity: Severity;
  /** One line, with what kind of message it is. */
  readonly headline: string;
  /** What is broken and for whom, or how long it was and how bad. */
  readonly text: string;
  /** Empty when there is none. */
  readonly nextStep: string;
  /** Short facts: cause, party, place, impact, times. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly services: readonly string[];
  /** As it was told first: an incident grows, and receivers that tell alerts apart by what they touch see one still. */
  readonly firstServices: readonly string[];
  readonly where: Readonly<Record<string, string>>;
  readonly cause: string;
  readonly party: Party | "unknown";
  /** Which gateway tells it. */
  readonly node: string;
  /** Epoch ms. */
  readonly at: number;
  readonly startsAt: number;
  /** Null: it goes on. */
  readonly endsAt: number | null;
}

export interface AlertSink {
  readonly name: string;
  readonly kind: string;
  /** Settles within a bounded time and never rejects. */
  send(message: AlertMessage): Promise<SendResult>;
}

export type SendResult =
  | { readonly ok: true; readonly detail: string }
  | {
      readonly ok: false;
      /** False: it would fail again in the same way. */
      readonly isWorthRepeating: boolean;
      readonly detail: string;
      /** What the receiver asked for; 0: nothing. */
      readonly retryAfterMs: number;
    };

/** How one sink took a message that was only a test. */
export interface AlertTested {
  readonly sink: string;
  readonly outcome: "delivered" | "failed" | "waiting";
  readonly detail: string;
}
