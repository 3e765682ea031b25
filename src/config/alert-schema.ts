/**
 * Who is told of incidents, as an operator writes it, and as the program uses it: sinks by name, and routes that say
 * which incidents go to which of them and when.
 *
 * What must stay unknown (keys, passwords, addresses that are keys themselves) is not written here: a file or a
 * variable of the environment is named, and read each time it is needed, so that it can be changed while the gateway
 * runs and never appears in what is printed.
 */
import { z } from "zod";
import { choice, duration, durationOrFalse, field, switchedOff, text, yesOrNo } from "./fields.ts";
import { parseFilePath } from "./listener-tls-schema.ts";
import { nameText } from "./names.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { AlertRouteSettings, AlertSettings, HiddenText, QuietSettings, SinkSettings } from "./settings.ts";

const LIST_MAX = 32;
const VALUES_MAX = 64;
const SEVERITIES = ["critical", "warning", "notice"] as const;
const PARTIES = [
  "client",
  "gateway",
  "network",
  "dns",
  "origin",
  "configuration",
  "overload",
  "provider",
  "change",
  "unknown",
] as const;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue";

const words = text("text", parseWords, { bounds: "1 to 200 characters" });
export const hiddenText = field(
  {
    type: "{ file: PATH } or { env: NAME }",
    bounds: "",
    json: { type: "object", minProperties: 1, maxProperties: 1 },
  },
  parseHiddenText,
);
const addressText = field(
  {
    type: "URL, { file: PATH } or { env: NAME }",
    bounds: "",
    json: { anyOf: [{ type: "string", pattern: "^https?://" }, { type: "object" }] },
  },
  (input): Parsed<HiddenText> => (typeof input === "string" ? parseUrl(input) : parseHiddenText(input)),
);

const webhookSchema = z.strictObject({
  url: addressText.describe("Where messages are POSTed as JSON."),
  secret: hiddenText
    .optional()
    .describe("What they are signed with, as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in base64."),
});

const slackSchema = z.strictObject({
  url: addressText.describe("The address of an incoming webhook. Whoever knows it can write, so name a file."),
});

const pagerdutySchema = z.strictObject({
  key: hiddenText.describe("The integration key of a service (Events API v2)."),
  url: addressText.prefault(PAGERDUTY_URL).describe("Where events go, for accounts elsewhere."),
});

const alertmanagerSchema = z.strictObject({
  url: addressText.describe("Where an Alertmanager is; `/api/v2/alerts` is added."),
});

const emailSchema = z.strictObject({
  server: text("SMTP server", parseServer, { pattern: "^smtps?://" }).describe(
    "`smtp://HOST[:PORT]`, which changes to TLS where the server can and must with a password or `ca`, or `smtps://HOST[:PORT]`.",
  ),
  from: text("e-mail address", parseMail).describe("Who writes."),
  to: z.array(text("e-mail address", parseMail)).min(1).max(LIST_MAX).describe("Who is written to."),
  user: words.optional().describe("The name to sign in with. Default: nobody signs in."),
  password: hiddenText.optional().describe("The password to sign in with, which is sent over TLS only."),
  ca: text("file path", parseFilePath)
    .optional()
    .describe(
      "A PEM file with the certificates of the authorities that are trusted, and no others. Default: those of the system and those that come with Node.",
    ),
});

const SINK_KINDS = ["webhook", "slack", "pagerduty", "alertmanager", "email"] as const;

const sinkSchema = z
  .strictObject({
    webhook: webhookSchema.optional().describe("Signed JSON to an address of yours."),
    slack: slackSchema.optional().describe("A channel of Slack, or of what speaks like it."),
    pagerduty: pagerdutySchema.optional().describe("PagerDuty."),
    alertmanager: alertmanagerSchema.optional().describe("Alertmanager of Prometheus."),
    email: emailSchema.optional().describe("Mail by SMTP."),
  })
  .check((context) => {
    const written = SINK_KINDS.filter((kind) => context.value[kind] !== undefined);
    if (written.length === 1) return;
    context.issues.push({
      code: "custom",
      path: written.length === 0 ? [] : [written[1] ?? ""],
      message: written.length === 0 ? "This sink does not say what it is." : "A sink is of one kind.",
      params: {
        hint:
          written.length === 0
            ? `Write one of ${SINK_KINDS.join(", ")} under it.`
            : "Give each kind a name of its own.",
      },
      input: context.value,
    });
  });

export const quietSchema = z.strictObject({
  from: text("time of day", parseTime, { pattern: "^[0-9]{2}:[0-9]{2}$" }).describe("When they begin."),
  to: text("time of day", parseTime, { pattern: "^[0-9]{2}:[0-9]{2}$" }).describe(
    "When they end; before `from`: on the next day.",
  ),
  zone: text("time zone", parseZone).prefault("UTC").describe("Whose wall time that is, such as `Europe/Berlin`."),
  days: z
    .array(choice(DAYS))
    .min(1)
    .max(DAYS.length)
    .prefault([...DAYS])
    .describe("The days on which they begin."),
});

const matchSchema = z.strictObject({
  severity: z.array(choice(SEVERITIES)).min(1).max(SEVERITIES.length).optional().describe("How bad it is."),
  service: z.array(nameText).min(1).max(VALUES_MAX).optional().describe("Services that it touches."),
  party: z.array(choice(PARTIES)).min(1).max(PARTIES.length).optional().describe("Who is at fault."),
  cause: z
    .array(words)
    .min(1)
    .max(VALUES_MAX)
    .optional()
    .describe("Its cause, by the id of the table of causes or conclusions, or `undecided`."),
  pool: z.array(nameText).min(1).max(VALUES_MAX).optional().describe("The pool that it is in."),
  provider: z.array(words).min(1).max(VALUES_MAX).optional().describe("The provider that it is at."),
});

const escalationSchema = z.strictObject({
  after: duration("1m", "7d").describe("After it was detected, if nobody has acknowledged it or taken it over."),
  to: z.array(nameText).min(1).max(LIST_MAX).describe("Sinks that are told then."),
});

export const alertRouteSchema = z.strictObject({
  name: nameText.optional().describe("What it is called. Default: `route-1` and so on."),
  match: matchSchema
    .prefault({ severity: ["critical", "warning"] })
    .describe("Which incidents: all that is named must match, one value of each suffices. Default: all but notices."),
  to: z.array(nameText).min(1).max(LIST_MAX).optional().describe("Sinks. Default: all of them."),
  wait: duration("0s", "1h")
    .prefault("10s")
    .describe("After the first sign, in which it may still grow, be part of another or be over."),
  repeat: durationOrFalse("5m", "30d")
    .prefault("4h")
    .describe("How often it is told again while nobody has taken it, or false for once."),
  quiet: z
    .union([switchedOff({ example: '{ from: "22:00", to: "07:00", zone: Europe/Berlin }' }), quietSchema])
    .prefault(false)
    .describe("When what is not critical waits, or false for never."),
  escalate: z
    .array(escalationSchema)
    .max(LIST_MAX)
    .prefault([])
    .describe("Who is told when nobody reacts, in order of time."),
  goesOn: yesOrNo().prefault(false).describe("True: the routes behind it are asked too."),
});

export const alertsSchema = z.strictObject({
  sinks: z.record(nameText, sinkSchema).describe("Where messages go, by name."),
  routes: z
    .array(alertRouteSchema)
    .max(LIST_MAX)
    .prefault([])
    .describe("Asked in order; the first that matches takes an incident. Default: all but notices go to every sink."),
});

export type CheckedAlerts = z.output<typeof alertsSchema>;

export function alertsOf(written: CheckedAlerts | false): AlertSettings | null {
  if (written === false) return null;
  const sinks = Object.entries(written.sinks).map(([name, sink]) => sinkOf(name, sink));
  if (sinks.length === 0) return null;
  const names = sinks.map(({ name }) => name);
  const routes = written.routes.length === 0 ? [alertRouteSchema.parse({})] : written.routes;
  return { sinks, routes: routes.map((route, index) => routeOf(route, `route-${index + 1}`, names)) };
}

function sinkOf(name: string, sink: CheckedAlerts["sinks"][string]): SinkSettings {
  const { webhook, slack, pagerduty, alertmanager, email } = sink;
  if (webhook !== undefined) return { name, kind: "webhook", url: webhook.url, secret: webhook.secret ?? null };
  if (slack !== undefined) return { name, kind: "slack", url: slack.url };
  if (pagerduty !== undefined) return { name, kind: "pagerduty", ...pagerduty };
  if (alertmanager !== undefined) return { name, kind: "alertmanager", url: alertmanager.url };
  if (email !== undefined) {
    const { server, from, to, user, password, ca } = email;
    return { name, kind: "email", ...server, from, to, user: user ?? "", password: password ?? null, ca: ca ?? "" };
  }
  throw new Error("The check of the schema let a sink of no kind through.");
}

function routeOf(
  route: z.output<typeof alertRouteSchema>,
  otherName: string,
  sinks: readonly string[],
): AlertRouteSettings {
  const match = Object.entries(route.match).flatMap(([name, values]) =>
    values === undefined ? [] : [[name, values] as const],
  );
  return {
    name: route.name ?? otherName,
    match: Object.fromEntries(match),
    to: route.to ?? sinks,
    waitMs: route.wait,
    repeatMs: route.repeat,
    quiet: quietOf(route.quiet),
    escalate: route.escalate
      .map(({ after, to }) => ({ afterMs: after, to }))
      .toSorted((one, other) => one.afterMs - other.afterMs),
    goesOn: route.goesOn,
  };
}

function quietOf(quiet: z.output<typeof alertRouteSchema>["quiet"]): QuietSettings | null {
  if (quiet === false) return null;
  const days = quiet.days.length === DAYS.length ? [] : quiet.days.map((day) => DAYS.indexOf(day));
  return { zone: quiet.zone, fromMinute: quiet.from, toMinute: quiet.to, days };
}

function parseWords(input: unknown): Parsed<string> {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  const isWords =
    typeof input === "string" && input !== "" && input.length <= 200 && !/[\u0000-\u001f\u007f]/.test(input);
  return isWords ? accepted(input) : refused(`${quoted(input)} is not a text of 1 to 200 characters.`);
}

export const HIDDEN_HINT = "Write { file: /run/secrets/NAME } or { env: NAME }.";

/** Messages do not repeat what was written: it may be the secret itself. */
export function parseHiddenText(input: unknown): Parsed<HiddenText> {
  const entries = typeof input === "object" && input !== null && !Array.isArray(input) ? Object.entries(input) : [];
  const [[key, value] = [], ...more] = entries;
  if (more.length > 0 || typeof value !== "string" || value === "")
    return refused("A secret is not written into the configuration: it names where the secret is.", HIDDEN_HINT);
  if (key === "file") {
    return value.startsWith("/")
      ? accepted({ from: "file", name: value })
      : refused(`${quoted(value)} is a relative path.`, "Write it from the root, such as /run/secrets/pager.");
  }
  if (key !== "env") return refused(`${quoted(key)} is not a place of secrets.`, HIDDEN_HINT);
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)
    ? accepted({ from: "env", name: value })
    : refused(`${quoted(value)} is not the name of a variable of the environment.`, HIDDEN_HINT);
}

function parseUrl(input: string): Parsed<HiddenText> {
  const url = URL.parse(input);
  const isHttp = url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "";
  if (!isHttp) return refused("This is not the URL of an http or https address.", `Write it out, or: ${HIDDEN_HINT}`);
  if (url.username !== "" || url.password !== "")
    return refused("This URL has a user or a password in it.", HIDDEN_HINT);
  return accepted({ from: "text", name: input });
}

function parseServer(input: unknown): Parsed<{ readonly host: string; readonly port: number; readonly tls: boolean }> {
  const url = typeof input === "string" ? URL.parse(input) : null;
  const isServer =
    url !== null &&
    (url.protocol === "smtp:" || url.protocol === "smtps:") &&
    url.hostname !== "" &&
    url.username === "" &&
    url.password === "" &&
    (url.pathname === "" || url.pathname === "/");
  if (!isServer)
    return refused(
      "This is not the address of an SMTP server.",
      "Write smtp://HOST:PORT or smtps://HOST:PORT; user and password have keys of their own.",
    );
  const tls = url.protocol === "smtps:";
  const port = url.port === "" ? (tls ? 465 : 587) : Number(url.port);
  return accepted({ host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port, tls });
}

function parseMail(input: unknown): Parsed<string> {
  return typeof input === "string" && input.length <= 254 && /^[!-?A-~]+@[A-Za-z0-9.-]+$/.test(input)
    ? accepted(input)
    : refused(`${quoted(input)} is not an e-mail address.`, "Write it bare, such as ops@example.com.");
}

function parseTime(input: unknown): Parsed<number> {
  const [, hour = "", minute = ""] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(typeof input === "string" ? input : "") ?? [];
  return hour === ""
    ? refused(`${quoted(input)} is not a time of day.`, 'Write hours and minutes in quotes, such as "22:00".')
    : accepted(Number(hour) * 60 + Number(minute));
}

function parseZone(input: unknown): Parsed<string> {
  const hint = "Write a name of the IANA time zones, such as Europe/Berlin or UTC.";
  if (typeof input !== "string" || input === "") return refused(`${quoted(input)} is not a time zone.`, hint);
  try {
    // Its spelling stays as it was written.
    void new Intl.DateTimeFormat("en", { timeZone: input }).resolvedOptions();
    return accepted(input);
  } catch {
    return refused(`${quoted(input)} is not a time zone that this system knows.`, hint);
  }
}
