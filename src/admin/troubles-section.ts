/** What did not go well on the status page: the first thing to do, then by cause, then one by one. */
import { causeOf } from "../kernel/causes.ts";
import { countText } from "../contract/quantities.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { PARTY_WORDS } from "../contract/verdict/words.ts";
import type { Html } from "./html.ts";
import { html } from "./html.ts";
import type { Column } from "./page-words.ts";
import { ago, exchangeLink, OUTCOME_SIGNS, requestLine, table, tag } from "./page-words.ts";
import type { Trouble } from "./troubles.ts";
import { causeBehind, evidenceBehind, RECENT_MAX, RECENT_MINUTES } from "./troubles.ts";

const LISTED_MAX = 15;

/** Only when clients saw failures or would have: what clients did themselves needs nobody at night. */
export function firstThing(troubles: readonly Trouble[], now: number): Html | null {
  const [top] = troubles;
  if (top === undefined || top.failed + top.rescued === 0) return null;
  const counts = [
    ...(top.failed > 0 ? [`${countText(top.failed, "exchange")} failed`] : []),
    ...(top.rescued > 0 ? [`${top.rescued} rescued`] : []),
  ];
  return html`<section class="box ${top.failed > 0 ? "bad" : "warn"}" aria-labelledby="first">
    <h2 id="first">What to do first</h2>
    <p>${top.cause.lookFirst}</p>
    <p class="soft">
      Because in the last ${RECENT_MINUTES} minutes ${counts.join(" and ")} with <strong>${top.cause.title}</strong> (<a
        href="/api/v1/causes/${top.cause.id}"
        ><code>${top.cause.id}</code></a
      >; at fault: ${PARTY_WORDS[top.cause.party]}). The latest was
      ${exchangeLink(top.latest, requestLine(top.latest))}, ${ago(top.latest.startedAt, now)}.
    </p>
  </section>`;
}

export function troublesSection(recent: readonly ExchangeRecord[], troubles: readonly Trouble[], now: number): Html {
  const head = html`<h2 id="troubles">What did not go well</h2>`;
  if (recent.length === 0) {
    return html`<section aria-labelledby="troubles">
      ${head}
      <p>Nothing that is kept failed, was rescued, refused or aborted.</p>
    </section>`;
  }
  const none = html`<p>In the last ${RECENT_MINUTES} minutes, nothing. The latest are older:</p>`;
  return html`<section aria-labelledby="troubles">
    ${head}${troubles.length === 0 ? none : byCauseTable(troubles, now)}
    <h3>The latest of them</h3>
    ${latestTable(recent, now)}
  </section>`;
}

function byCauseTable(troubles: readonly Trouble[], now: number): Html {
  const columns: readonly Column[] = [
    { name: "Cause" },
    { name: "At fault" },
    { name: "Failed", isNumber: true },
    { name: "Rescued", isNumber: true },
    { name: "Others", isNumber: true },
    { name: "Latest" },
  ];
  return table(
    `By cause, in the last ${RECENT_MINUTES} minutes, among the last ${RECENT_MAX} of each outcome.`,
    columns,
    troubles.map((trouble) => [
      html`${trouble.cause.title}<small
          ><a href="/api/v1/causes/${trouble.cause.id}"><code>${trouble.cause.id}</code></a></small
        >`,
      PARTY_WORDS[trouble.cause.party],
      trouble.failed,
      trouble.rescued,
      trouble.others,
      html`${exchangeLink(trouble.latest, requestLine(trouble.latest))}<small
          >${ago(trouble.latest.startedAt, now)}</small
        >`,
    ]),
  );
}

function latestTable(recent: readonly ExchangeRecord[], now: number): Html {
  return table(
    "Whatever their age, newest first.",
    [{ name: "Exchange" }, { name: "Outcome" }, { name: "Cause and evidence" }, { name: "When" }],
    recent
      .slice(0, LISTED_MAX)
      .map((record) => [
        exchangeLink(record, requestLine(record)),
        html`${tag(OUTCOME_SIGNS[record.outcome], record.outcome)}<small
            >${record.status === 0 ? "nothing sent" : `status ${record.status}`}</small
          >`,
        causeAndEvidence(record),
        ago(record.startedAt, now),
      ]),
  );
}

function causeAndEvidence(record: ExchangeRecord): Html {
  const id = causeBehind(record);
  return html`${id === null ? record.reason : causeOf(id).title}<small>${evidenceBehind(record)}</small>`;
}
