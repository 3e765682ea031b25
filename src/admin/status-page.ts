/**
 * The status page: whether the gateway is well, what is not, why, and what to do first; then the figures. It
 * lays out what the API says in the same words and holds no state of its own.
 */
import { gatewaySentence, SERVICE_STATES_WORST_FIRST } from "../contract/api-sentence.ts";
import { countText } from "../contract/quantities.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { MetricsView, OriginView, ServiceStatusView, StatusView } from "../contract/view.ts";
import { processSection, ratesSection } from "./figures-section.ts";
import type { Html } from "./html.ts";
import { html } from "./html.ts";
import { originsSection, servicesSection } from "./origins-section.ts";
import { renderPage } from "./page.ts";
import { ago, grouped, SERVICE_SIGNS, utcText } from "./page-words.ts";
import type { RateWindow } from "./rates.ts";
import { troublesByCause } from "./troubles.ts";
import { firstThing, troublesSection } from "./troubles-section.ts";

export interface StatusPageFacts {
  readonly status: StatusView;
  readonly origins: readonly OriginView[];
  /** What did not go as it should, newest first; see `latestTroubled`. */
  readonly recent: readonly ExchangeRecord[];
  readonly metrics: MetricsView;
  readonly rates: RateWindow;
  /** Epoch ms. */
  readonly now: number;
}

export function renderStatusPage(facts: StatusPageFacts): string {
  const { status, now } = facts;
  const troubles = troublesByCause(facts.recent, now);
  const sentence = gatewaySentence(status);
  return renderPage({
    title: `${SERVICE_SIGNS[worstState(status)][1]} ${sentence}`,
    isLive: true,
    main: html`${headSection(facts, sentence)} ${firstThing(troubles, now)} ${servicesSection(status)}
    ${originsSection(facts.origins, now)} ${ratesSection(facts.rates)} ${troublesSection(facts.recent, troubles, now)}
    ${processSection(status, facts.metrics)}`,
  });
}

function worstState(status: StatusView): ServiceStatusView["state"] {
  const worst =
    SERVICE_STATES_WORST_FIRST.find((state) => status.services.some((service) => service.state === state)) ?? "healthy";
  return status.state === "draining" && worst === "healthy" ? "degraded" : worst;
}

const SENTENCE_CLASSES: Readonly<Record<ServiceStatusView["state"], string>> = {
  healthy: "healthy",
  degraded: "degraded",
  "failing open": "down",
  down: "down",
};

function headSection({ status, now }: StatusPageFacts, sentence: string): Html {
  const state = worstState(status);
  return html`<h1 class="${SENTENCE_CLASSES[state]}" aria-live="polite">
      <span aria-hidden="true">${SERVICE_SIGNS[state][1]} </span>${sentence}
    </h1>
    <p class="soft">
      ${countText(status.connections, "client connection")}, ${countText(status.exchangesActive, "exchange")} going on,
      ${grouped(status.exchangesTotal)} since the start ${ago(status.startedAt, now)}. As of ${utcText(now)}.
    </p>`;
}
