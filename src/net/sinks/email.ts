/**
 * Messages as mail, in plain text: it is read on a telephone at night. All messages about one incident are one thread,
 * and one that is sent twice has one Message-ID, so that most mailboxes show it once.
 *
 * A password leaves only over TLS, and TLS is insisted on where an authority is named: whoever takes the offer of
 * STARTTLS out of the server's answer (RFC 8314 §4.1) gets neither. Without both, TLS is used where it is offered.
 */
import { createHash } from "node:crypto";
import type { AlertMessage, AlertSink } from "../../contract/alerts.ts";
import { readPem } from "../pem-file.ts";
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
  /** PEM file of the authorities that are believed; empty: those of the system. */
  readonly ca: string;
}

/** How long a server may take, ms. */
export interface EmailPatience {
  /** Until it greets, TLS and all. */
  readonly connectMs: number;
  readonly silentMs: number;
  /** For all of it: a server that says a word every few seconds is never silent and never done. */
  readonly sendMs: number;
}

const PATIENCE: EmailPatience = { connectMs: 5_000, silentMs: 10_000, sendMs: 30_000 };
const SUBJECT_MAX = 200;

export function createEmailSink(options: EmailOptions, patience = PATIENCE): AlertSink {
  const { name, host, port, tls, user, from, to } = options;
  return {
    name,
    kind: "email",
    async send(message) {
      const password = options.password === null ? null : await uncover(options.password);
      if (password?.ok === false) return failed(password.detail, true);
      // Read each time, as what is hidden is: a file that was renewed holds from the next message on.
      const ca = options.ca === "" ? null : await readPem(options.ca);
      if (ca?.ok === false) return failed(ca.detail, true);
      // Loaded when it is needed first: most gateways write no mail.
      const { createTransport } = await import("nodemailer");
      const transport = createTransport({
        host,
        port,
        secure: tls,
        requireTLS: password !== null || ca !== null,
        ...(ca === null ? {} : { tls: { ca: ca.text } }),
        // A server that offers no sign-in is asked all the same: mail that it refuses later says less of why.
        ...(password === null ? {} : { auth: { user, pass: password.text }, forceAuth: true }),
        connectionTimeout: patience.connectMs,
        greetingTimeout: patience.connectMs,
        socketTimeout: patience.silentMs,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      const signal = AbortSignal.timeout(patience.sendMs);
      try {
        const sent = await transport.sendMail({ from, to: [...to], ...mailOf(message, from), signal });
        return { ok: true, detail: clipped([sent.response, ...refusals(sent.rejectedErrors ?? [])].join("; "), 300) };
      } catch (error) {
        return failed(
          signal.aborted ? `it was not done within ${patience.sendMs / 1000} s` : reasonOf(error),
          !isFinal(error),
        );
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

/** Some of those written to have it, and who has not is told: an address may be misspelt for years. */
function refusals(errors: readonly Error[]): string[] {
  return errors.map((error) =>
    "recipient" in error ? `not to ${String(error.recipient)}: ${reasonOf(error)}` : reasonOf(error),
  );
}

/**
 * What the server says of this message with 5xx it will say again (RFC 5321 §4.2.1). What it says of us (the greeting,
 * the sign-in) a person puts right, and the message still counts then.
 */
function isFinal(error: unknown): boolean {
  if (!(error instanceof Error) || !("responseCode" in error) || !("code" in error)) return false;
  return Number(error.responseCode) >= 500 && (error.code === "EENVELOPE" || error.code === "EMESSAGE");
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "it could not be sent";
  return clipped(error.message.replaceAll(/[\p{Cc}\s]+/gu, " "), 300);
}
