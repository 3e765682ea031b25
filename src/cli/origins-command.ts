/** `goodgate origins drain` and `restore`: a person takes an origin out, with a reason and an end, and gives it back. */
import type { DrainedResponse } from "../contract/api-responses.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { Complaint } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { placeOf } from "./origin-service.ts";
import { plain } from "./page.ts";
import type { CliPorts } from "./ports.ts";

export interface OriginsOptions {
  readonly service?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly for?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export async function originsCommand(
  ports: CliPorts,
  [action, origin]: readonly string[],
  options: OriginsOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  if ((action !== "drain" && action !== "restore") || origin === undefined) {
    return complain(ports, usage("say what to do with which origin."), json);
  }
  if (options.reason === undefined) return complain(ports, usage("say why, with --reason."), json);
  if (action === "restore" && options.for !== undefined) {
    return complain(ports, usage("--for belongs to drain: what is restored stays."), json);
  }
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const place = await placeOf(ports, base.value, origin, options.service);
  if (!place.ok) return complain(ports, place.complaint, json);
  const by = options.by ?? ports.env["USER"] ?? "";
  const body = {
    ...place.value,
    by: by === "" ? "the command line" : by,
    reason: options.reason,
    ...(options.for === undefined ? {} : { for: options.for }),
  };
  const isAnswer = (answer: Record<string, unknown>): boolean => "until" in answer;
  const asked = await askGateway<DrainedResponse>(ports, base.value, `/origins/${action}`, isAnswer, "POST", body);
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, [sentence(plain(place.value.origin), plain(place.value.service), asked.value)]);
  return EXIT.ok;
}

function sentence(origin: string, service: string, { until }: DrainedResponse): string {
  if (until === null) return `${origin} of ${service} is back; its share grows.`;
  return `${origin} of ${service} gets no new requests until ${new Date(until).toISOString()}, or until it is restored.`;
}

function usage(message: string): Complaint {
  const hints = ['goodgate origins drain http://10.0.0.7:3000 --for 30m --reason "new kernel"'];
  return { code: "usage", exit: EXIT.usage, message, hints };
}
