/** The sinks of a configuration. Nothing is opened until a message is sent, and libraries are loaded then. */
import type { AlertSink } from "../../contract/alerts.ts";
import { createAlertmanagerSink } from "./alertmanager.ts";
import { createEmailSink } from "./email.ts";
import type { EmailOptions } from "./email.ts";
import type { HiddenPlace } from "./hidden-text.ts";
import { createPagerdutySink } from "./pagerduty.ts";
import type { PagerdutyOptions } from "./pagerduty.ts";
import { createSlackSink } from "./slack.ts";
import { createWebhookSink } from "./webhook.ts";
import type { WebhookOptions } from "./webhook.ts";

export type SinkOptions =
  | ({ readonly kind: "webhook" } & WebhookOptions)
  | { readonly kind: "slack" | "alertmanager"; readonly name: string; readonly url: HiddenPlace }
  | ({ readonly kind: "pagerduty" } & PagerdutyOptions)
  | ({ readonly kind: "email" } & EmailOptions);

export function openSinks(sinks: readonly SinkOptions[], now: () => number): AlertSink[] {
  return sinks.map((options) => openSink(options, now));
}

function openSink(options: SinkOptions, now: () => number): AlertSink {
  switch (options.kind) {
    case "webhook":
      return createWebhookSink(options, now);
    case "slack":
      return createSlackSink(options);
    case "alertmanager":
      return createAlertmanagerSink(options);
    case "pagerduty":
      return createPagerdutySink(options);
    case "email":
      return createEmailSink(options);
  }
}
