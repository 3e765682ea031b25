/** Now: is it well, in one glance; then the figures, the services, the map, what is coming, and what went wrong lately. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { diagnosis, freshness, health, openIncidents, status } from "../state/facts.ts";
import { titleMark, useTitle } from "../state/title.ts";
import { IncidentCards } from "../incidents/incident-cards.tsx";
import { Lasting } from "../parts/moment.tsx";
import { Charts } from "./charts.tsx";
import { Forecasts } from "./forecasts.tsx";
import { Lately } from "./lately.tsx";
import { TrafficMap } from "./map.tsx";
import { ThisProcess } from "./process.tsx";
import { SampleOutage } from "./outage.tsx";
import { Services } from "./services.tsx";
import { Telling } from "./telling.tsx";
import { Tiles } from "./tiles.tsx";
import { Processes } from "./workers.tsx";
import { verdictOf } from "./verdict.ts";

export function NowPage(): JSX.Element {
  useTitle("Now");
  return (
    <div class={freshness.value.kind === "stale" ? "stale" : ""}>
      <Head />
      <Tiles />
      <SampleOutage />
      <IncidentCards incidents={openIncidents.value} />
      <Telling />
      <Services />
      <TrafficMap />
      <Charts />
      <Forecasts />
      <Lately />
      <Processes />
      <ThisProcess />
    </div>
  );
}

function Head(): JSX.Element {
  const verdict = verdictOf({
    status: status.value,
    freshness: freshness.value,
    diagnosis: diagnosis.value,
    health: health.value ?? [],
    incidents: openIncidents.value,
  });
  useEffect(() => {
    titleMark.value = verdict.tone === "quiet" && status.value === null ? "" : verdict.sign;
  }, [verdict.sign]);
  const known = status.value;
  return (
    <section class={`verdict ${verdict.tone}`} aria-labelledby="verdict">
      <span class="mark" aria-hidden="true">
        {verdict.sign}
      </span>
      <div>
        <h1 id="verdict">{verdict.headline}</h1>
        {verdict.details.map((text) => (
          <p key={text}>{text}</p>
        ))}
        {known === null ? null : (
          <p class="soft">
            Goodgate {known.version}, {known.state} <Lasting since={known.startedAt} />
            {diagnosis.value.kind === "off" ? "; without a control plane, so nothing is diagnosed" : ""}
          </p>
        )}
      </div>
    </section>
  );
}
