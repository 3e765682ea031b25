/** `goodgate certificate list` and `renew`: certificates that a gateway obtains by itself, and one more order by hand. */
import type { AcmeCertificateView } from "../contract/acme.ts";
import type { FleetView } from "../contract/fleet.ts";
import type { CertificatesResponse, RenewedResponse } from "../contract/api-responses.ts";
import { durationText } from "../contract/quantities.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { Complaint } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { isFleet } from "./fleet-finding.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { plain } from "./page.ts";
import type { CliPorts } from "./ports.ts";

export async function obtainedCertificates(
  ports: CliPorts,
  action: "list" | "renew",
  name: string | undefined,
  options: { readonly admin?: string; readonly json?: boolean },
): Promise<ExitCode> {
  const json = options.json === true;
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  if (action === "list") return list(ports, base.value, json);
  return name === undefined ? complain(ports, usage(), json) : renew(ports, base.value, name, json);
}

async function list(ports: CliPorts, base: string, json: boolean): Promise<ExitCode> {
  const isAnswer = (answer: Record<string, unknown>): boolean => Array.isArray(answer["certificates"]);
  const asked = await askGateway<CertificatesResponse>(ports, base, "/certificates", isAnswer);
  if (!asked.ok) return complain(ports, asked.complaint, json);
  const { certificates, fleet } = asked.value;
  if (json) sayJson(ports, asked.value);
  else if (certificates.length === 0)
    sayLines(ports, ["No certificate is obtained by this gateway itself (tls.acme)."]);
  else
    sayLines(ports, [
      ...certificates.flatMap((one) => linesOf(one, ports.wall())),
      ...(isFleet(fleet) ? fleetLines(fleet, ports.wall()) : []),
    ]);
  return certificates.every(({ state }) => state === "good" || state === "ordering") ? EXIT.ok : EXIT.no;
}

async function renew(ports: CliPorts, base: string, name: string, json: boolean): Promise<ExitCode> {
  const isAnswer = (answer: Record<string, unknown>): boolean => typeof answer["name"] === "string";
  const asked = await askGateway<RenewedResponse>(ports, base, "/certificates/renew", isAnswer, "POST", { name });
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, [`${plain(name)} is ordered now; see how it goes with  goodgate certificate list`]);
  return EXIT.ok;
}

function linesOf(one: AcmeCertificateView, now: number): string[] {
  const { name, state, notAfter, authority, nextAt, because, lastError } = one;
  const until = notAfter === 0 ? "" : `, until ${dayOf(notAfter)}, from ${plain(authority)}`;
  const next = nextAt <= now ? "now" : `in ${durationText((nextAt - now) * 1000)}`;
  return [
    `${plain(name)}: ${state}${until}`,
    `  ordered ${next}: ${plain(because)}`,
    ...(lastError === "" ? [] : [`  the last try failed: ${plain(lastError)}`]),
  ];
}

function fleetLines({ state, detail, since, database, holder, nodes }: FleetView, now: number): string[] {
  const how = detail === "" ? "" : `: ${plain(detail)}`;
  const behind = nodes.filter(({ isCurrent }) => !isCurrent).map(({ name }) => plain(name));
  const order = holder === "" ? "nobody orders now" : `${plain(holder)} orders now`;
  return [
    "",
    `fleet: ${plain(database)} is ${state} for ${durationText(Math.max(0, now - since) * 1000)}${how}`,
    ...(state === "connected"
      ? [
          `  ${nodes.map(({ name }) => plain(name)).join(", ")}; ${order}`,
          ...(behind.length === 0 ? [] : [`  without what was written last: ${behind.join(", ")}`]),
        ]
      : ["  what was obtained is served, and nothing is ordered"]),
  ];
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function usage(): Complaint {
  const hints = ["goodgate certificate renew shop.example.com"];
  return { code: "usage", exit: EXIT.usage, message: "say which name to renew.", hints };
}
