/** One incident, from top to bottom: what is broken and for whom, what to do next, why we think so, and what happened when. */
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Hypothesis, Incident, TimelineEntry } from "../../src/contract/incident.ts";
import { Refusal, useAsked } from "../parts/asked.tsx";
import { EvidenceItem, whereText } from "../parts/evidence.tsx";
import { Clock } from "../parts/moment.tsx";
import { Bar, Tag } from "../parts/tag.tsx";
import { incidents, now } from "../state/facts.ts";
import { incidentHref, queryOf } from "../state/router.ts";
import { useTitle } from "../state/title.ts";
import { grouped, msText, ratioText } from "../words/figures.ts";
import { SEVERITY_SIGNS } from "../words/signs.ts";
import { IncidentActs } from "./incident-acts.tsx";
import { stateTag } from "./incident-state.tsx";
import { causeText, classesText, lengthText } from "./incident-words.ts";

export function IncidentPage({ id }: { id: string }): JSX.Element {
  const again = useMemo(() => signal(0), []);
  const asked = useAsked<Incident>(`/incidents/${encodeURIComponent(id)}`, again.value).value;
  // The stream tells each change of it; what was asked for is for those that are no longer told.
  const told = incidents.value?.find((one) => one.id === id);
  const incident = told ?? (asked?.ok === true ? asked.value : undefined);
  useTitle(incident?.title ?? "Incident");
  if (incident === undefined) {
    return (
      <>
        <h1>Incident {id}</h1>
        {asked === null || asked.ok ? <p class="empty">Asking…</p> : <Refusal answer={asked} />}
      </>
    );
  }
  return (
    <article>
      <header class={`verdict ${incident.state === "closed" ? "quiet" : SEVERITY_SIGNS[incident.severity][0]}`}>
        <span class="mark" aria-hidden="true">
          {incident.state === "closed" ? "✓" : SEVERITY_SIGNS[incident.severity][1]}
        </span>
        <div>
          <h1>{incident.title}</h1>
          <p>{incident.summary}</p>
          <p class="soft">
            <Tag sign={SEVERITY_SIGNS[incident.severity]} word={incident.severity} /> {stateTag(incident)}{" "}
            {incident.recoveredAt === null ? "lasts" : "lasted"} {lengthText(incident, now.value)}, since{" "}
            <Clock at={incident.firstFailureAt} />. <code>{incident.id}</code>
          </p>
          <Standing incident={incident} />
        </div>
      </header>
      {incident.state === "closed" || incident.state === "merged" ? null : (
        <section class="card next" aria-labelledby="next">
          <h2 id="next">What to do next</h2>
          <p>{incident.nextStep}</p>
        </section>
      )}
      <IncidentActs incident={incident} onDone={() => (again.value += 1)} />
      <ImpactSection incident={incident} />
      <section aria-labelledby="why">
        <h2 id="why">Why</h2>
        <p class="soft">
          {VERDICT_WORDS[incident.verdict]} Where: {whereText(incident.where)}.{" "}
          <a href={`/exchanges${exchangesQuery(incident)}`}>Its exchanges</a>
        </p>
        <ol class="hypotheses">
          {incident.hypotheses.map((hypothesis) => (
            <HypothesisItem hypothesis={hypothesis} key={hypothesis.claim} />
          ))}
        </ol>
      </section>
      <Timeline entries={incident.timeline} />
      <Told incident={incident} />
    </article>
  );
}

const VERDICT_WORDS: Readonly<Record<Incident["verdict"], string>> = {
  decided: "The evidence decides.",
  undecided: "The evidence does not decide between these.",
  "not enough evidence": "There is not enough evidence to name a cause.",
};

/** Only what the filter of exchanges understands. */
function exchangesQuery({ where, services }: Incident): string {
  const { route, origin } = where;
  return queryOf({ service: where["service"] ?? (services.length === 1 ? services[0] : undefined), route, origin });
}

function Standing({ incident }: { incident: Incident }): JSX.Element | null {
  const { acknowledged, owner, parent, merged } = incident;
  if (acknowledged === null && owner === "" && parent === "" && merged.length === 0) return null;
  return (
    <p class="soft">
      {owner === "" ? null : <>Taken over by {owner}. </>}
      {acknowledged === null ? null : (
        <>
          Acknowledged by {acknowledged.by} at <Clock at={acknowledged.at} />.{" "}
        </>
      )}
      {parent === "" ? null : (
        <>
          Part of <a href={incidentHref(parent)}>{parent}</a>.{" "}
        </>
      )}
      {merged.length === 0 ? null : <>Merged into it: {merged.join(", ")}.</>}
    </p>
  );
}

function ImpactSection({ incident: { impact } }: { incident: Incident }): JSX.Element {
  const budget = Object.entries(impact.budgetSpent);
  const classes = classesText(impact.failedByClass);
  const share = impact.exchanges === 0 ? "" : ` (${ratioText(impact.failed / impact.exchanges)})`;
  const rows: readonly (readonly [string, ComponentChildren, string])[] = [
    ["Failed", `${grouped(impact.failed)}${share}`, classes === "" ? "nobody was failed" : classes],
    ["Rescued", grouped(impact.rescued), "exchanges that clients did not see fail"],
    ["Exchanges", grouped(impact.exchanges), "of its services while it lasts"],
    [
      "Clients touched",
      `${impact.clientNetworksMore ? "at least " : ""}${grouped(impact.clientNetworks)}`,
      "networks that saw a failure (/24, /48)",
    ],
    ...(impact.latencyP95Ms === null
      ? []
      : [
          [
            "Latency, p95",
            msText(impact.latencyP95Ms.worst),
            `at its worst; before ${msText(impact.latencyP95Ms.before)}`,
          ] as const,
        ]),
    ...budget.map(([service, part]) => [`Budget of ${service}`, ratioText(part), "of 30 days spent by it"] as const),
  ];
  return (
    <section aria-labelledby="impact">
      <h2 id="impact">Impact</h2>
      <ul class="tiles">
        {rows.map(([name, value, note]) => (
          <li class="tile" key={name}>
            <h3>{name}</h3>
            <p class="value">{value}</p>
            <p class="soft small">{note}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function HypothesisItem({ hypothesis }: { hypothesis: Hypothesis }): JSX.Element {
  const { cause, party, confidence, tellApart, firstStep } = hypothesis;
  return (
    <li class="card">
      <h3>{hypothesis.claim}</h3>
      <p class="confidence">
        <Bar ratio={confidence} tone="info" />
        <span>{ratioText(confidence)} sure</span>
        <span class="soft">{causeText({ cause, party, verdict: cause === null ? "undecided" : "decided" })}</span>
      </p>
      <h4>For</h4>
      <ul class="evidences">
        {hypothesis.for.map((one) => (
          <EvidenceItem evidence={one} key={one.text} />
        ))}
      </ul>
      {hypothesis.against.length === 0 ? null : (
        <>
          <h4>Against</h4>
          <ul class="evidences">
            {hypothesis.against.map((one) => (
              <EvidenceItem evidence={one} key={one.text} />
            ))}
          </ul>
        </>
      )}
      {tellApart === "" ? null : (
        <p>
          <b>What would tell:</b> {tellApart}
        </p>
      )}
      <p>
        <b>First step:</b> {firstStep}
      </p>
    </li>
  );
}

function Timeline({ entries }: { entries: readonly TimelineEntry[] }): JSX.Element {
  return (
    <section aria-labelledby="timeline">
      <h2 id="timeline">What happened when</h2>
      <ol class="timeline">
        {entries.map((entry, index) => (
          <li class={TIMELINE_TONES[entry.kind]} key={index}>
            <Clock at={entry.at} /> <span class="kind">{entry.kind}</span>
            <p>{entry.text}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}

const TIMELINE_TONES: Readonly<Record<TimelineEntry["kind"], string>> = {
  "first failure": "bad",
  detected: "bad",
  grew: "bad",
  automation: "info",
  effect: "info",
  change: "warn",
  probe: "info",
  verdict: "info",
  recovered: "good",
  closed: "good",
  person: "quiet",
  told: "quiet",
};

function Told({ incident: { told } }: { incident: Incident }): JSX.Element | null {
  if (told.length === 0) return null;
  return (
    <section aria-labelledby="told">
      <h2 id="told">Who was told</h2>
      <ul class="plain">
        {told.map((one, index) => (
          <li key={index}>
            <Clock at={one.at} /> <b>{one.to}</b>: {one.text}
          </li>
        ))}
      </ul>
    </section>
  );
}
