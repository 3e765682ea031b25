/** Exchanges that were kept: search by what is in the address bar, so that what somebody found can be sent to others. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ExchangesResponse } from "../../src/contract/api-responses.ts";
import { durationText } from "../../src/contract/quantities.ts";
import type { ExchangeRecord, Outcome } from "../../src/contract/record.ts";
import { causeBehind, evidenceBehind } from "../now/troubles.ts";
import { requestLine } from "../now/lately.tsx";
import { fieldsOf } from "../parts/order-form.tsx";
import { Refusal, useAsked } from "../parts/asked.tsx";
import { Clock } from "../parts/moment.tsx";
import { Table } from "../parts/table.tsx";
import { Tag } from "../parts/tag.tsx";
import { causes, needCauses } from "../state/causes.ts";
import { figures, freshness, now, origins, refreshGateway, status } from "../state/facts.ts";
import { exchangeHref, navigate, place, queryOf, replaceQuery } from "../state/router.ts";
import { useTitle } from "../state/title.ts";
import { OUTCOME_SIGNS } from "../words/signs.ts";

const FILTERS = ["outcome", "cause", "service", "route", "origin", "status", "since", "limit"] as const;
type Filters = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;
const OUTCOMES: readonly Outcome[] = ["failed", "rescued", "served", "refused", "aborted"];
const REFRESH_MS = 5_000;

export function ExchangesPage(): JSX.Element {
  useTitle("Exchanges");
  useEffect(() => {
    void needCauses();
    // The names to choose from.
    void refreshGateway(true);
  }, []);
  const query = new URLSearchParams(place.value.query);
  const filters: Filters = Object.fromEntries(
    FILTERS.flatMap((name) => (query.has(name) ? [[name, query.get(name) ?? ""]] : [])),
  );
  const isFollowing = query.get("follow") !== "no";
  const again = isFollowing && freshness.value.kind === "live" ? Math.floor(now.value / REFRESH_MS) : 0;
  const asked = useAsked<ExchangesResponse>(`/exchanges${queryOf({ limit: "100", ...filters })}`, again).value;
  return (
    <>
      <div class="section-head">
        <h1>Exchanges</h1>
        <FindById />
      </div>
      <p class="soft">
        Kept are all that failed or were rescued until newer ones take their place, the slowest, and a sample of the
        rest.
      </p>
      <FilterForm filters={filters} isFollowing={isFollowing} />
      {asked === null ? (
        <p class="empty">Asking…</p>
      ) : asked.ok ? (
        <ExchangeTable records={asked.value.exchanges} isFiltered={Object.keys(filters).length > 0} />
      ) : (
        <Refusal answer={asked} />
      )}
    </>
  );
}

function FindById(): JSX.Element {
  return (
    <form
      role="search"
      class="find"
      onSubmit={(event) => {
        event.preventDefault();
        const id = fieldsOf(event.currentTarget)["id"] ?? "";
        if (id !== "") navigate(exchangeHref(id));
      }}
    >
      <label>
        <span class="unseen">Reference of an error page (X-Request-Id)</span>
        <input name="id" data-search placeholder="X-Request-Id" spellcheck={false} autocomplete="off" />
      </label>
      <button type="submit">Open</button>
    </form>
  );
}

function FilterForm({ filters, isFollowing }: { filters: Filters; isFollowing: boolean }): JSX.Element {
  const set = (name: string, value: string): void =>
    replaceQuery(queryOf({ ...filters, ...(isFollowing ? {} : { follow: "no" }), [name]: value }));
  const routes = (figures.value?.routes ?? []).filter(
    ({ service }) => service !== "" && (filters.service ?? service) === service,
  );
  const choice = (name: (typeof FILTERS)[number], label: string, values: readonly string[]): JSX.Element => {
    const value = filters[name] ?? "";
    const shown = [...new Set(value === "" || values.includes(value) ? values : [value, ...values])];
    return (
      <label>
        {label}
        <select value={value} onChange={(event) => set(name, event.currentTarget.value)}>
          <option value="">any</option>
          {shown.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
    );
  };
  return (
    <form class="filters" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
      {choice("outcome", "Outcome", OUTCOMES)}
      {choice("cause", "Cause", [...causes.value.keys()].toSorted())}
      {choice(
        "service",
        "Service",
        (status.value?.services ?? []).map(({ name }) => name),
      )}
      {choice(
        "route",
        "Route",
        routes.map(({ route }) => route),
      )}
      {choice(
        "origin",
        "Origin",
        (origins.value?.origins ?? []).map(({ origin }) => origin),
      )}
      {choice("status", "Status", ["5xx", "4xx", "3xx", "2xx", "502", "503", "504", "500", "429"])}
      {choice("since", "Since", ["1m", "10m", "1h", "1d"])}
      <label class="check">
        <input
          type="checkbox"
          checked={isFollowing}
          onChange={(event) => set("follow", event.currentTarget.checked ? "" : "no")}
        />
        Show new ones
      </label>
      {Object.keys(filters).length === 0 ? null : (
        <button type="button" class="quiet" onClick={() => replaceQuery(isFollowing ? "" : "?follow=no")}>
          Show all
        </button>
      )}
    </form>
  );
}

function ExchangeTable({
  records,
  isFiltered,
}: {
  records: readonly ExchangeRecord[];
  isFiltered: boolean;
}): JSX.Element {
  return (
    <Table
      caption={`${records.length === 1 ? "1 exchange" : `${records.length} exchanges`}, newest first.`}
      empty={isFiltered ? "No exchange that is kept fits this filter." : "No exchange is kept yet."}
      columns={[
        { name: "Exchange" },
        { name: "Outcome" },
        { name: "Cause" },
        { name: "Origin" },
        { name: "Took", isNumber: true },
        { name: "When" },
      ]}
      rows={records.map((record) => {
        const cause = causeBehind(record);
        return {
          key: `${record.id} ${record.startedAt}`,
          cells: [
            <>
              <a href={exchangeHref(record.id)}>{requestLine(record)}</a>
              <small>{[record.service, record.route].filter((part) => part !== "").join(" / ")}</small>
            </>,
            <>
              <Tag sign={OUTCOME_SIGNS[record.outcome]} word={record.outcome} />
              <small>{record.status === 0 ? "no answer" : `status ${record.status}`}</small>
            </>,
            cause === null ? (
              "–"
            ) : (
              <>
                {cause}
                <small>{evidenceBehind(record)}</small>
              </>
            ),
            <>
              {record.origin === "" ? "–" : record.origin.replace(/^http:\/\//, "")}
              {record.attempts.length > 1 ? <small>{record.attempts.length} attempts</small> : null}
            </>,
            durationText(record.doneUs),
            <Clock at={record.startedAt} />,
          ],
        };
      })}
    />
  );
}
