/**
 * Messages as alerts of Alertmanager's API v2, for those whose routing is there. Labels are what an alert is told from
 * others by, so they are what does not change about an incident; all else is an annotation.
 *
 * An alert without an end is over for Alertmanager after its `resolve_timeout`, five minutes; so one that goes on is
 * given an end a day ahead, which each later message moves.
 */
import type { AlertMessage, AlertSink } from "../../contract/alerts.ts";
import { clipped } from "./clipped.ts";
import type { HiddenPlace } from "./hidden-text.ts";
import { uncover } from "./hidden-text.ts";
import { failed, post } from "./post.ts";

const GOES_ON_MS = 24 * 3_600_000;
/** A test is over by itself soon. */
const TEST_MS = 60_000;
const VALUE_MAX = 1000;
const TEXT_MAX = 8000;

export function createAlertmanagerSink({ name, url }: { readonly name: string; readonly url: HiddenPlace }): AlertSink {
  return {
    name,
    kind: "alertmanager",
    async send(message) {
      const target = await uncover(url);
      if (!target.ok) return failed(target.detail, true);
      const path = `${target.text.replace(/\/+$/, "")}/api/v2/alerts`;
      return post({ url: path, body: JSON.stringify([alertmanagerAlert(message)]) });
    },
  };
}

export interface AlertmanagerAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

export function alertmanagerAlert(message: AlertMessage): AlertmanagerAlert {
  const { startsAt, at, isTest } = message;
  const endsAt = message.endsAt ?? at + (isTest ? TEST_MS : GOES_ON_MS);
  return {
    labels: filled({
      alertname: isTest ? "GoodgateTest" : "GoodgateIncident",
      incident: message.incident,
      service: message.firstServices.join(","),
    }),
    annotations: filled({
      summary: message.headline,
      description: message.text,
      next_step: message.nextStep,
      services: message.services.join(","),
      severity: message.severity,
      cause: message.cause,
      party: message.party,
      node: message.node,
      ...Object.fromEntries(message.facts.map(({ name, value }) => [labelName(name), value])),
    }),
    // An end before its begin is refused.
    startsAt: new Date(Math.min(startsAt, endsAt)).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
  };
}

/** Empty ones count as absent there. */
function filled(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts)
      .filter(([, text]) => text !== "")
      .map(([name, text]) => [name, clipped(text, name === "description" ? TEXT_MAX : VALUE_MAX)]),
  );
}

function labelName(name: string): string {
  const letters = name.replaceAll(/[^A-Za-z0-9_]/g, "_");
  return /^[A-Za-z_]/.test(letters) ? letters : `_${letters}`;
}
