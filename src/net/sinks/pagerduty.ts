/**
 * Messages as events of PagerDuty's Events API v2. All messages about one incident have one `dedup_key`, so they are
 * one alert there; who takes it acknowledges it there too, so that nobody else is called, and its end resolves it.
 * Bounds: summary 1,024 characters, dedup_key 255, an event 512 KB.
 */
import type { AlertMessage, AlertSink } from "../../contract/alerts.ts";
import { clipped } from "./clipped.ts";
import type { HiddenPlace } from "./hidden-text.ts";
import { uncover } from "./hidden-text.ts";
import { failed, post } from "./post.ts";

const SUMMARY_MAX = 1024;
const DEDUP_MAX = 255;
const FIELD_MAX = 4000;
const FACTS_MAX = 50;

const ACTIONS = {
  open: "trigger",
  update: "trigger",
  repeat: "trigger",
  escalate: "trigger",
  taken: "acknowledge",
  recovered: "resolve",
} as const;
const SEVERITIES = { critical: "critical", warning: "warning", notice: "info" } as const;

export interface PagerdutyOptions {
  readonly name: string;
  readonly url: HiddenPlace;
  readonly key: HiddenPlace;
}

export function createPagerdutySink({ name, url, key }: PagerdutyOptions): AlertSink {
  return {
    name,
    kind: "pagerduty",
    async send(message) {
      const target = await uncover(url);
      if (!target.ok) return failed(target.detail, true);
      const routingKey = await uncover(key);
      if (!routingKey.ok) return failed(routingKey.detail, true);
      const sent = await post({ url: target.text, body: JSON.stringify(pagerdutyPayload(message, routingKey.text)) });
      // A test that pages somebody is taken back at once.
      if (sent.ok && message.isTest) {
        const end = pagerdutyPayload({ ...message, what: "recovered" }, routingKey.text);
        await post({ url: target.text, body: JSON.stringify(end) });
      }
      return sent;
    },
  };
}

export interface PagerdutyEvent {
  readonly routing_key: string;
  readonly event_action: "trigger" | "acknowledge" | "resolve";
  readonly dedup_key: string;
  readonly client: string;
  readonly payload: {
    readonly summary: string;
    readonly source: string;
    readonly severity: "critical" | "warning" | "info";
    readonly timestamp: string;
    readonly component?: string;
    readonly class?: string;
    readonly custom_details: Readonly<Record<string, string>>;
  };
}

export function pagerdutyPayload(message: AlertMessage, key: string): PagerdutyEvent {
  const { where, cause } = message;
  const component = where["origin"] ?? where["pool"] ?? where["service"] ?? "";
  return {
    routing_key: key,
    event_action: ACTIONS[message.what],
    dedup_key: clipped(message.thread, DEDUP_MAX),
    client: "Goodgate",
    payload: {
      summary: clipped(message.headline, SUMMARY_MAX),
      source: clipped(message.node === "" ? "goodgate" : message.node, DEDUP_MAX),
      severity: SEVERITIES[message.severity],
      timestamp: new Date(message.at).toISOString(),
      ...(component === "" ? {} : { component: clipped(component, FIELD_MAX) }),
      ...(cause === "" ? {} : { class: clipped(cause, FIELD_MAX) }),
      custom_details: Object.fromEntries([
        ["what", clipped(message.text, FIELD_MAX)],
        ["next step", clipped(message.nextStep, FIELD_MAX)],
        ...message.facts.slice(0, FACTS_MAX).map(({ name, value }) => [name, clipped(value, FIELD_MAX)]),
      ]),
    },
  };
}
