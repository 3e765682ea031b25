/**
 * What receivers of alerts take, written down from their public descriptions and not from our code: PagerDuty's Events
 * API v2 (developer.pagerduty.com: "Send an Alert Event"), the OpenAPI document of Alertmanager's API v2
 * (`postableAlerts`), Slack's Block Kit, and what this program promises of its own webhook.
 */
import { z } from "zod";

const instant = z.iso.datetime();

const pagerdutyPayload = z.strictObject({
  summary: z.string().min(1).max(1024),
  source: z.string().min(1),
  severity: z.enum(["critical", "error", "warning", "info"]),
  timestamp: instant.optional(),
  component: z.string().optional(),
  group: z.string().optional(),
  class: z.string().optional(),
  custom_details: z.record(z.string(), z.unknown()).optional(),
});
const pagerdutyAny = {
  routing_key: z.string().length(32, "Length of 'routing_key' is incorrect (should be 32 characters)"),
  client: z.string().optional(),
  client_url: z.url().optional(),
  links: z.array(z.strictObject({ href: z.url(), text: z.string().optional() })).optional(),
  images: z.array(z.strictObject({ src: z.url(), href: z.url().optional(), alt: z.string().optional() })).optional(),
};
const dedupKey = z.string().min(1).max(255);

/** The key is chosen there where a first event has none; the others have to say what they are about. */
export const pagerdutyEvent = z.discriminatedUnion("event_action", [
  z.strictObject({
    ...pagerdutyAny,
    event_action: z.literal("trigger"),
    dedup_key: dedupKey.optional(),
    payload: pagerdutyPayload,
  }),
  z.strictObject({
    ...pagerdutyAny,
    event_action: z.enum(["acknowledge", "resolve"]),
    dedup_key: dedupKey,
    payload: pagerdutyPayload.optional(),
  }),
]);

const labels = z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string());

export const postableAlerts = z.array(
  z.strictObject({
    labels: labels.refine((names) => Object.keys(names).length > 0),
    annotations: labels.optional(),
    startsAt: instant.optional(),
    endsAt: instant.optional(),
    generatorURL: z.url().optional(),
  }),
);

const plainText = (max: number) =>
  z.strictObject({ type: z.literal("plain_text"), text: z.string().min(1).max(max), emoji: z.boolean().optional() });
const markdown = (max: number) =>
  z.strictObject({ type: z.literal("mrkdwn"), text: z.string().min(1).max(max), verbatim: z.boolean().optional() });

export const slackMessage = z.strictObject({
  text: z.string().min(1).max(40_000),
  blocks: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("header"), text: plainText(150) }),
        z
          .strictObject({
            type: z.literal("section"),
            text: markdown(3000).optional(),
            fields: z.array(markdown(2000)).min(1).max(10).optional(),
          })
          .refine(({ text, fields }) => text !== undefined || fields !== undefined),
      ]),
    )
    .min(1)
    .max(50),
});

export const webhookMessage = z.object({
  type: z.enum([
    "incident.opened",
    "incident.updated",
    "incident.repeated",
    "incident.escalated",
    "incident.taken",
    "incident.recovered",
    "alert.test",
  ]),
  timestamp: instant,
  data: z.object({
    incident: z.string().min(1),
    severity: z.enum(["critical", "warning", "notice"]),
    headline: z.string().min(1),
    text: z.string().min(1),
    services: z.array(z.string()),
  }),
});
