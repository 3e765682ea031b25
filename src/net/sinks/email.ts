/**
 * Messages as mail, in plain text: it is read on a telephone at night. All messages about one incident are one thread,
 * and one that is sent twice has one Message-ID, so that most mailboxes show it once.
 */
import { createHash } from "node:crypto";
import type { AlertMessage, AlertSink } from "../../contract/alerts.ts";
import { clipped } from "./clipped.ts";
import type { HiddenPlace } from "./hidden-text.ts";
import { uncover } from "./hidden-text.ts";
import { failed } from "./post.ts";

export interface EmailOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string;
  readonly password: HiddenPlace | null;
}

const CONNECT_MS = 5_000;
const SILENT_MS = 10_000;
const SUBJECT_MAX = 200;

export function createEmailSink(options: EmailOptions): AlertSink {
  const { name, host, port, tls, user, from, to } = options;
  return {
    name,
    kind: "email",
    async send(message) {
      const password = options.password === null ? null : await uncover(options.password);
      if (password?.ok === false) return failed(password.detail, true);
      // Loaded when it is needed first: most gateways write no mail.
      const { createTransport } = await import("nodemailer");
      const transport = createTransport({
        host,
        port,
        secure: tls,
        ...(password === null ? {} : { auth: { user, pass: password.text } }),
        connectionTimeout: CONNECT_MS,
        greetingTimeout: CONNECT_MS,
        socketTimeout: SILENT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        const sent = await transport.sendMail({ from, to: [...to], ...mailOf(message, from) });
        return { ok: true, detail: clipped(sent.response, 200) };
      } catch (error) {
        return failed(reasonOf(error), !isFinal(error));
      } finally {
        transport.close();
      }
    },
  };
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  readonly references: string;
  readonly date: Date;
  readonly headers: Readonly<Record<string, string>>;
}

export function mailOf(message: AlertMessage, from: string): Mail {
  const domain = from.slice(from.lastIndexOf("@") + 1);
  const id = (key: string): string => `<${createHash("sha256").update(key).digest("hex").slice(0, 32)}@${domain}>`;
  const facts = message.facts.map(({ name, value }) => `${name}: ${value}`);
  const parts = [message.text, message.nextStep === "" ? "" : `Next: ${message.nextStep}`, facts.join("\n")];
  return {
    subject: clipped(message.headline.replaceAll(/[\p{Cc}\s]+/gu, " "), SUBJECT_MAX),
    text: `${parts.filter((part) => part !== "").join("\n\n")}\n`,
    messageId: id(message.key),
    references: id(message.thread),
    date: new Date(message.at),
    // So that no out-of-office answers.
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
  };
}

/** 5xx: the server will say the same again (RFC 5321 §4.2.1). */
function isFinal(error: unknown): boolean {
  return error instanceof Error && "responseCode" in error && Number(error.responseCode) >= 500;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "it could not be sent";
  return clipped(error.message.replaceAll(/[\p{Cc}\s]+/gu, " "), 300);
}
