/**
 * A channel of Slack behind an incoming webhook: takes a message in the form that Block Kit describes, and answers to
 * others what Slack answers, in one word.
 */
import type { z } from "zod";
import type { TakenAnswer, TakenRequest } from "./http-receiver.ts";
import { slackMessage } from "./sink-forms.ts";

export interface SlackChannel {
  readonly messages: readonly z.infer<typeof slackMessage>[];
  /** What was refused, and why. */
  readonly refused: readonly string[];
  answer(request: TakenRequest): TakenAnswer;
}

export function slackChannel(): SlackChannel {
  const messages: z.infer<typeof slackMessage>[] = [];
  const refused: string[] = [];

  function refuse(word: string, why: string): TakenAnswer {
    refused.push(`${word}: ${why}`);
    return { status: 400, body: word };
  }

  return {
    messages,
    refused,
    answer({ headers, body }) {
      if (headers["content-type"] !== "application/json") return refuse("invalid_payload", "Content-Type");
      let json: unknown;
      try {
        json = JSON.parse(body);
      } catch {
        return refuse("invalid_payload", "no JSON");
      }
      const read = slackMessage.safeParse(json);
      if (!read.success) {
        const isOfBlocks = read.error.issues.some(({ path }) => path[0] === "blocks");
        return refuse(isOfBlocks ? "invalid_blocks" : "no_text", read.error.message);
      }
      messages.push(read.data);
      return { status: 200, body: "ok" };
    },
  };
}
