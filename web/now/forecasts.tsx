/** What is going to happen unless somebody acts: when, how sure that is, and what to do. */
import type { JSX } from "preact";
import { EvidenceItem } from "../parts/evidence.tsx";
import { Ago } from "../parts/moment.tsx";
import { Tag } from "../parts/tag.tsx";
import { diagnosis, forecasts } from "../state/facts.ts";
import { ratioText } from "../words/figures.ts";
import { SEVERITY_SIGNS } from "../words/signs.ts";

export function Forecasts(): JSX.Element | null {
  const known = forecasts.value;
  if (known === null) return null;
  return (
    <section aria-labelledby="forecasts">
      <h2 id="forecasts">Looking ahead</h2>
      {known.length === 0 ? (
        <p class="empty">
          {diagnosis.value.kind === "running"
            ? "Nothing is about to run out, expire or drift, as far as can be seen."
            : "Not known."}
        </p>
      ) : (
        <ul class="cards">
          {known.map((forecast) => (
            <li class={`card ${SEVERITY_SIGNS[forecast.severity][0]}`} key={forecast.id}>
              <h3>{forecast.title}</h3>
              <p class="soft">
                <Tag sign={SEVERITY_SIGNS[forecast.severity]} word={forecast.severity} />{" "}
                {forecast.when === null ? "now, or at no known time" : <Ago at={forecast.when} />},{" "}
                {ratioText(forecast.confidence)} sure
              </p>
              <p>{forecast.advice}</p>
              <ul class="evidences">
                {forecast.evidence.map((one) => (
                  <EvidenceItem evidence={one} key={one.text} />
                ))}
              </ul>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
