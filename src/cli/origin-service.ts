/** Which service an origin is of, for commands that name an origin by its URL. */
import { parseOriginUrl } from "../config/origin-url.ts";
import type { OriginsResponse } from "../contract/api-responses.ts";
import type { Complaint } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { askGateway } from "./gateway-client.ts";
import type { Asked } from "./gateway-client.ts";
import { plain } from "./page.ts";
import type { CliPorts } from "./ports.ts";

/** An origin as a gateway names it, and its service. */
export interface OriginPlace {
  readonly service: string;
  readonly origin: string;
}

/** The one service that has this origin, so that most people need not say it; the URL may be written in any way that the file takes. */
export async function placeOf(
  ports: CliPorts,
  base: string,
  written: string,
  given: string | undefined,
): Promise<Asked<OriginPlace>> {
  const parsed = parseOriginUrl(written);
  const origin = parsed.ok ? parsed.value.url : written;
  if (given !== undefined) return { ok: true, value: { service: given, origin } };
  const asked = await askGateway<OriginsResponse>(ports, base, "/origins", (answer) =>
    Array.isArray(answer["origins"]),
  );
  if (!asked.ok) return asked;
  const { origins } = asked.value;
  const services = [...new Set(origins.filter((one) => one.origin === origin).map((one) => one.service))];
  const [only] = services;
  if (only !== undefined && services.length === 1) return { ok: true, value: { service: only, origin } };
  const complaint: Complaint =
    only === undefined
      ? {
          code: "unknown-origin",
          exit: EXIT.no,
          message: `no service has an origin ${plain(origin)}.`,
          hints: [
            `Origins are named as configured: ${[...new Set(origins.map((one) => plain(one.origin)))].join(", ")}`,
          ],
        }
      : {
          code: "several-services",
          exit: EXIT.no,
          message: `${services.length} services have this origin; say which with --service.`,
          hints: services.map(plain),
        };
  return { ok: false, complaint };
}
