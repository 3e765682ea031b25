/**
 * Messages as JSON to an address of the operator's own, signed as Standard Webhooks has it, so that any of its
 * libraries tells a true one from a forged or repeated one.
 */
import type { AlertMessage, AlertSink } from "../../contract/alerts.ts";
import type { HiddenPlace } from "./hidden-text.ts";
import { uncover } from "./hidden-text.ts";
import { failed, post } from "./post.ts";

const TYPES: Readonly<Record<AlertMessage["what"], string>> = {
  open: "incident.opened",
  update: "incident.updated",
  repeat: "incident.repeated",
  escalate: "incident.escalated",
  taken: "incident.taken",
  recovered: "incident.recovered",
};

export interface WebhookOptions {
  readonly name: string;
  readonly url: HiddenPlace;
  readonly secret: HiddenPlace | null;
}

export function createWebhookSink({ name, url, secret }: WebhookOptions, now: () => number): AlertSink {
  return {
    name,
    kind: "webhook",
    async send(message) {
      const target = await uncover(url);
      if (!target.ok) return failed(target.detail, true);
      const body = JSON.stringify(webhookPayload(message));
      if (secret === null) return post({ url: target.text, body, headers: { "webhook-id": message.key } });
      const key = await uncover(secret);
      if (!key.ok) return failed(key.detail, true);
      const headers = await signed(key.text, message.key, now(), body);
      if (headers === null) return failed("its secret is not base64, as Standard Webhooks has it", false);
      return post({ url: target.text, body, headers });
    },
  };
}

export function webhookPayload(message: AlertMessage): { type: string; timestamp: string; data: AlertMessage } {
  const type = message.isTest ? "alert.test" : TYPES[message.what];
  return { type, timestamp: new Date(message.at).toISOString(), data: message };
}

async function signed(secret: string, id: string, at: number, body: string): Promise<Record<string, string> | null> {
  const { Webhook } = await import("standardwebhooks");
  try {
    const signature = new Webhook(secret).sign(id, new Date(at), body);
    return { "webhook-id": id, "webhook-timestamp": String(Math.floor(at / 1000)), "webhook-signature": signature };
  } catch {
    return null;
  }
}
