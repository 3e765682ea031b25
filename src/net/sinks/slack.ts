/**
 * Messages to an incoming webhook of Slack. Bounds of its Block Kit: header 150 characters, section 3,000, ten fields
 * of 2,000. What is written in an incident is never read as markup: `&`, `<` and `>` are escaped, and `verbatim` keeps
 * Slack from making mentions and links of `@channel`, `#general` and addresses that stand there as they are.
 */
import type { AlertMessage, AlertSink } from "../../contract/alerts.ts";
import { clipped } from "./clipped.ts";
import type { HiddenPlace } from "./hidden-text.ts";
import { uncover } from "./hidden-text.ts";
import { failed, post } from "./post.ts";

const HEADER_MAX = 150;
const SECTION_MAX = 3000;
const FIELDS_MAX = 10;
const FIELD_MAX = 2000;
const TEXT_MAX = 4000;

export function createSlackSink({ name, url }: { readonly name: string; readonly url: HiddenPlace }): AlertSink {
  return {
    name,
    kind: "slack",
    async send(message) {
      const target = await uncover(url);
      if (!target.ok) return failed(target.detail, true);
      return post({ url: target.text, body: JSON.stringify(slackPayload(message)) });
    },
  };
}

export interface SlackPayload {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

type SlackText =
  | { readonly type: "plain_text"; readonly text: string }
  | { readonly type: "mrkdwn"; readonly text: string; readonly verbatim: true };

type SlackBlock =
  | { readonly type: "header"; readonly text: SlackText }
  | { readonly type: "section"; readonly text?: SlackText; readonly fields?: readonly SlackText[] };

export function slackPayload(message: AlertMessage): SlackPayload {
  const fields = message.facts
    .slice(0, FIELDS_MAX)
    .map(({ name, value }) => markdown(`*${escaped(name)}*\n${escaped(value)}`, FIELD_MAX));
  const next = message.nextStep === "" ? [] : [section(`*Next:* ${escaped(message.nextStep)}`)];
  return {
    // What a notification shows.
    text: clipped(escaped(message.headline), TEXT_MAX),
    blocks: [
      { type: "header", text: { type: "plain_text", text: clipped(message.headline, HEADER_MAX) } },
      ...(message.text === "" ? [] : [section(escaped(message.text))]),
      ...next,
      ...(fields.length === 0 ? [] : [{ type: "section" as const, fields }]),
    ],
  };
}

function section(text: string): SlackBlock {
  return { type: "section", text: markdown(text, SECTION_MAX) };
}

function markdown(text: string, max: number): SlackText {
  // An escape that was cut in two would be shown as letters, which is harmless.
  return { type: "mrkdwn", text: clipped(text, max), verbatim: true };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
