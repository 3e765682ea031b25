/** Each service: how it is and why, what it does, and how much of its objective's budget is left. */
import type { JSX } from "preact";
import type { Figures } from "../../src/contract/api-responses.ts";
import { roomInWords } from "../../src/contract/room-words.ts";
import type { ServiceHealth } from "../../src/contract/series.ts";
import type { ServiceStatusView } from "../../src/contract/view.ts";
import { Table } from "../parts/table.tsx";
import { Bar, Tag } from "../parts/tag.tsx";
import { diagnosis, figures, health, status } from "../state/facts.ts";
import { msText, rateText, ratioText, timesText } from "../words/figures.ts";
import { HEALTH_SIGNS, SERVICE_SIGNS } from "../words/signs.ts";

export function Services(): JSX.Element | null {
  const known = status.value;
  if (known === null) return null;
  return (
    <section aria-labelledby="services">
      <h2 id="services">Services</h2>
      <Table
        caption="How each service is, over the last ten seconds; budgets over 30 days."
        columns={[
          { name: "Service" },
          { name: "State" },
          { name: "Traffic", isNumber: true },
          { name: "Failed", isNumber: true },
          { name: "Rescued", isNumber: true },
          { name: "p50 / p95 / p99", isNumber: true },
          { name: "Objective" },
        ]}
        rows={known.services.map((service) => {
          const own = figures.value?.services.find((one) => one.service === service.name);
          const judged =
            diagnosis.value.kind === "running" ? health.value?.find((one) => one.service === service.name) : undefined;
          return {
            key: service.name,
            cells: [
              <>
                {service.name}
                <small>{service.hosts.map((host) => (host === "*" ? "every host" : host)).join(", ")}</small>
              </>,
              <StateCell service={service} judged={judged} />,
              own === undefined ? "–" : rateText(own.perSecond),
              shareText(own, own?.failed),
              shareText(own, own?.rescued),
              own === undefined || own.p50Ms === null
                ? "–"
                : `${msText(own.p50Ms)} / ${msText(own.p95Ms)} / ${msText(own.p99Ms)}`,
              <Objective judged={judged} />,
            ],
          };
        })}
      />
    </section>
  );
}

function shareText(own: Figures | undefined, part: number | undefined): string {
  return own === undefined || part === undefined || own.exchanges === 0 ? "–" : ratioText(part / own.exchanges);
}

function StateCell({
  service,
  judged,
}: {
  service: ServiceStatusView;
  judged: ServiceHealth | undefined;
}): JSX.Element {
  const room = roomInWords(service);
  return (
    <>
      <Tag sign={SERVICE_SIGNS[service.state]} word={service.state} />{" "}
      {judged === undefined ? null : <Tag sign={HEALTH_SIGNS[judged.state]} word={`traffic ${judged.state}`} />}
      <small>
        {service.because}
        {room === "" ? "" : `; ${room}`}
      </small>
      {judged === undefined || judged.state === "well" ? null : <small>{judged.because}</small>}
    </>
  );
}

function Objective({ judged }: { judged: ServiceHealth | undefined }): JSX.Element {
  if (judged === undefined) return <span class="soft">not known</span>;
  const { objective } = judged;
  if (objective === null) return <span class="soft">none set</span>;
  const left = objective.budgetLeft;
  const tone = left <= 0 ? "bad" : left < 0.25 || objective.burn1h > 6 ? "warn" : "good";
  return (
    <div class="objective">
      <span>
        {ratioText(objective.availability)}
        {objective.latencyMs === null ? "" : ` within ${msText(objective.latencyMs)}`}
      </span>
      <Bar ratio={left} tone={tone} />
      <small>
        {left < 0 ? `budget overspent by ${ratioText(-left)}` : `${ratioText(left)} of the budget left`}; burns{" "}
        {timesText(objective.burn5m)} (5 min), {timesText(objective.burn1h)} (1 h)
      </small>
    </div>
  );
}
