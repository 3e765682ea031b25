/** Open incidents on the first page: headline, how long, what clients felt, and the way to the story. */
import type { JSX } from "preact";
import type { Incident } from "../../src/contract/incident.ts";
import { Lasting } from "../parts/moment.tsx";
import { Tag } from "../parts/tag.tsx";
import { incidentHref } from "../state/router.ts";
import { SEVERITY_SIGNS } from "../words/signs.ts";
import { causeText, impactText } from "./incident-words.ts";

export function IncidentCards({ incidents }: { incidents: readonly Incident[] }): JSX.Element | null {
  if (incidents.length === 0) return null;
  return (
    <section aria-labelledby="open-incidents">
      <h2 id="open-incidents">Open incidents</h2>
      <ul class="cards">
        {incidents.map((incident) => (
          <li class={`card ${SEVERITY_SIGNS[incident.severity][0]}`} key={incident.id}>
            <h3>
              <a href={incidentHref(incident.id)}>{incident.title}</a>
            </h3>
            <p class="soft">
              <Tag sign={SEVERITY_SIGNS[incident.severity]} word={incident.severity} />{" "}
              {incident.state === "recovering" ? <Tag sign={["good", "↗"]} word="recovering" /> : null}{" "}
              <Lasting since={incident.firstFailureAt} />
            </p>
            <p>{incident.summary}</p>
            <p class="soft small">
              {causeText(incident)}; {impactText(incident.impact)}
            </p>
            <p>
              <b>Next:</b> {incident.nextStep}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
