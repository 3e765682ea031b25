/** The figures of the status page: requests for each route, and the room that the process has left. */
import { hostPort } from "../kernel/ip-text.ts";
import { countText, durationText, sizeText } from "../contract/quantities.ts";
import type { MetricsView, StatusView } from "../contract/view.ts";
import type { Html } from "./html.ts";
import { html } from "./html.ts";
import type { Column } from "./page-words.ts";
import { grouped, table } from "./page-words.ts";
import type { RateWindow } from "./rates.ts";

const RATE_COLUMNS: readonly Column[] = [
  { name: "Route" },
  { name: "Per second", isNumber: true },
  { name: "Exchanges", isNumber: true },
  { name: "Failed", isNumber: true },
  { name: "Rescued", isNumber: true },
  { name: "Refused, aborted", isNumber: true },
  { name: "Median", isNumber: true },
  { name: "99 %", isNumber: true },
];

export function ratesSection(rates: RateWindow): Html {
  // What no route took is a row only when there was any: an empty one would puzzle more than it tells.
  const shown = rates.routes.filter((route) => route.service !== "" || route.exchanges > 0);
  const rows = shown.map((route) => [
    route.service === "" ? "no route" : `${route.service} / ${route.route}`,
    rateText(route.perSecond),
    grouped(route.exchanges),
    shareText(route.failed, route.exchanges),
    shareText(route.rescued, route.exchanges),
    shareText(route.refusedOrAborted, route.exchanges),
    route.exchanges === 0 ? "–" : durationText(route.p50Us),
    route.exchanges === 0 ? "–" : durationText(route.p99Us),
  ]);
  const window = rates.isSinceStart ? "since the start" : `over the last ${durationText(rates.seconds * 1e6)}`;
  return html`<section aria-labelledby="rates">
    <h2 id="rates">Requests</h2>
    ${table(
      `Exchanges that ended ${window}. Durations are to the end of the exchange, known to within 25 %.`,
      RATE_COLUMNS,
      rows,
    )}
  </section>`;
}

function rateText(perSecond: number): string {
  if (perSecond >= 100) return grouped(perSecond);
  if (perSecond > 0 && perSecond < 0.01) return "< 0.01";
  return String(Math.round(perSecond * 100) / 100);
}

/** `12 (0.4 %)`; a share that rounds to nothing is not nothing. */
function shareText(part: number, whole: number): string {
  if (part === 0 || whole === 0) return grouped(part);
  const percent = (100 * part) / whole;
  return `${grouped(part)} (${percent < 0.1 ? "< 0.1" : Math.round(percent * 10) / 10} %)`;
}

export function processSection(status: StatusView, metrics: MetricsView): Html {
  const { process } = metrics;
  const rows: readonly (readonly [string, string])[] = [
    ["Version", status.version],
    ["Listening on", status.listeners.map((listener) => hostPort(listener.address, listener.port)).join(", ")],
    ["Memory", `${sizeText(process.residentBytes)} resident, ${sizeText(process.heapBytes)} of it JavaScript heap`],
    [
      "Descriptors",
      process.descriptorsMax === 0
        ? "unknown"
        : `${grouped(process.descriptorsOpen)} of ${grouped(process.descriptorsMax)}`,
    ],
    [
      "Event loop",
      `delay ${durationText(process.loopDelayP50Ms * 1000)} at the median, ${durationText(process.loopDelayP99Ms * 1000)} at 99 %, ` +
        `${durationText(process.loopDelayMaxMs * 1000)} at most (last ten seconds); busy ${Math.round(process.loopUtilisation * 100)} % of the time`,
    ],
    ...heldBackRows(metrics),
    ["Replay buffers", sizeText(metrics.replayBytes)],
    [
      "Access log",
      metrics.accessLogDropped === 0 ? "no line dropped" : `${countText(metrics.accessLogDropped, "line")} dropped`,
    ],
  ];
  return html`<section aria-labelledby="process">
    <h2 id="process">This process</h2>
    <dl>
      ${rows.map(
        ([label, text]) =>
          html`<dt>${label}</dt>
            <dd>${text}</dd>`,
      )}
    </dl>
  </section>`;
}

/** Only where there is something to tell. */
function heldBackRows({ clientsHeldBack, floodRefused, floodSpared }: MetricsView): (readonly [string, string])[] {
  if (floodRefused + floodSpared === 0) return [];
  const spared = floodSpared === 0 ? "" : `, ${countText(floodSpared, "request")} spared because of who asked`;
  return [
    [
      "Clients held back",
      `${grouped(clientsHeldBack)} now; ${countText(floodRefused, "request")} refused since the start${spared}`,
    ],
  ];
}
