/** All incidents that are remembered, newest first: open ones and closed ones. */
import type { JSX } from "preact";
import type { IncidentsResponse } from "../../src/contract/control-responses.ts";
import type { Incident } from "../../src/contract/incident.ts";
import { Refusal, useAsked } from "../parts/asked.tsx";
import { Clock } from "../parts/moment.tsx";
import { Table } from "../parts/table.tsx";
import { Tag } from "../parts/tag.tsx";
import { diagnosis, incidents, now } from "../state/facts.ts";
import { incidentHref, place, queryOf, replaceQuery } from "../state/router.ts";
import { useTitle } from "../state/title.ts";
import { SEVERITY_SIGNS } from "../words/signs.ts";
import { causeText, impactText, lengthText } from "./incident-words.ts";
import { stateTag } from "./incident-state.tsx";

const STATES = ["", "open", "closed"] as const;

export function IncidentsPage(): JSX.Element {
  useTitle("Incidents");
  const state = STATES.find((one) => one === new URLSearchParams(place.value.query).get("state")) ?? "";
  // What the stream tells is enough to know that the list is another one.
  const version = (incidents.value ?? []).map((one) => `${one.id}${one.state}`).join();
  const asked = useAsked<IncidentsResponse>(`/incidents${queryOf({ state, limit: "200" })}`, version).value;
  return (
    <>
      <div class="section-head">
        <h1>Incidents</h1>
        <label>
          Show{" "}
          <select
            data-search
            value={state}
            onChange={(event) => replaceQuery(queryOf({ state: event.currentTarget.value }))}
          >
            <option value="">all</option>
            <option value="open">open</option>
            <option value="closed">closed</option>
          </select>
        </label>
      </div>
      <p class="soft">One disturbance is one incident, however many show it.</p>
      {asked === null ? (
        <p class="empty">Asking…</p>
      ) : asked.ok ? (
        <IncidentTable list={asked.value.incidents.filter((one) => one.state !== "merged")} />
      ) : (
        <Refusal answer={asked} />
      )}
    </>
  );
}

function IncidentTable({ list }: { list: readonly Incident[] }): JSX.Element {
  const none =
    diagnosis.value.kind === "running"
      ? "No incident. That is said by a control plane that is running."
      : "No incident is known; the diagnosis is not running, so this is not to say that there was none.";
  return (
    <Table
      caption="Newest first."
      empty={none}
      columns={[
        { name: "Incident" },
        { name: "State" },
        { name: "Began" },
        { name: "Lasted", isNumber: true },
        { name: "Cause" },
        { name: "Impact" },
      ]}
      rows={list.map((incident) => ({
        key: incident.id,
        cells: [
          <>
            <a href={incidentHref(incident.id)}>{incident.title}</a>
            <small>{incident.services.join(", ")}</small>
          </>,
          <>
            <Tag sign={SEVERITY_SIGNS[incident.severity]} word={incident.severity} /> {stateTag(incident)}
          </>,
          <Clock at={incident.firstFailureAt} />,
          lengthText(incident, now.value),
          causeText(incident),
          impactText(incident.impact),
        ],
      }))}
    />
  );
}
