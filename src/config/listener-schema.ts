/** What a listener does before the first request of a connection: the PROXY protocol, and the file of a Unix socket. */
import { z } from "zod";
import { choice, count, duration, field, size, text, yesOrNo } from "./fields.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { ProxyProtocolSettings, SocketFileSettings } from "./settings.ts";

export const proxyProtocolSchema = z.strictObject({
  others: choice(["refuse", "direct"])
    .prefault("refuse")
    .describe(
      "What becomes of peers outside of `trustedProxies`: they are turned away, or taken for clients that come directly and send no header.",
    ),
  timeout: duration("10ms", "1m").prefault("3s").describe("How long the header may take."),
  bytes: size("256B", "64KiB").prefault("4KiB").describe("How long it may be."),
  waiting: count("connections", 1, 1_000_000)
    .prefault(1_000)
    .describe("Connections at once whose header has not come; beyond it new ones are closed."),
});

export const proxyProtocolField = z
  .union([yesOrNo(), proxyProtocolSchema])
  .prefault(false)
  .describe(
    "True: connections from `trustedProxies` begin with a header of the PROXY protocol, version 1 or 2, that says whose they are.",
  );

export const socketFileSchema = z.strictObject({
  mode: field(
    { type: "octal mode", bounds: "0000 to 0777", json: { type: "string", pattern: "^0[0-7]{3}$" } },
    parseMode,
  )
    .prefault("0660")
    .describe("Permissions of the file; who may write to it may connect."),
  user: text("user", parseAccount)
    .prefault("")
    .describe("Owner, by name or number; only root can give files away. Empty: whoever runs the gateway."),
  group: text("group", parseAccount).prefault("").describe("The same of its group."),
});

export function proxyProtocolOf(written: z.output<typeof proxyProtocolField>): ProxyProtocolSettings | null {
  if (written === false) return null;
  const { others, timeout, bytes, waiting } = written === true ? proxyProtocolSchema.parse({}) : written;
  return { othersAreClients: others === "direct", timeoutMs: timeout, bytesMax: bytes, waitingMax: waiting };
}

export function socketFileOf({ mode, user, group }: z.output<typeof socketFileSchema>): SocketFileSettings {
  return { mode, user, group };
}

/** As text, because YAML 1.2 reads 0660 as six hundred and sixty. */
function parseMode(input: unknown): Parsed<number> {
  const hint =
    'Write four octal digits in quotes, such as "0660": owner, group and others, with 6 for who may connect.';
  if (typeof input !== "string" || !/^0[0-7]{3}$/.test(input)) return refused(`${quoted(input)} is not a mode.`, hint);
  return accepted(Number.parseInt(input, 8));
}

function parseAccount(input: unknown): Parsed<string> {
  const written = typeof input === "number" ? String(input) : input;
  return typeof written === "string" && /^[A-Za-z0-9_][A-Za-z0-9_.$-]{0,63}$|^$/.test(written)
    ? accepted(written)
    : refused(
        `${quoted(input)} is not the name or number of an account.`,
        "Write a name such as www-data, or a number.",
      );
}
