/** What went wrong in the last minutes, by cause, with an example of each and what to look at first. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ExchangesResponse } from "../../src/contract/api-responses.ts";
import { countText } from "../../src/contract/quantities.ts";
import { useAsked } from "../parts/asked.tsx";
import { Ago } from "../parts/moment.tsx";
import { Tag } from "../parts/tag.tsx";
import { causes, needCauses } from "../state/causes.ts";
import { happened, now, status } from "../state/facts.ts";
import { exchangeHref, queryOf } from "../state/router.ts";
import { evidenceBehind, RECENT_MINUTES, troublesByCause } from "./troubles.ts";
import type { Trouble } from "./troubles.ts";

const REFRESH_MS = 10_000;
const SHOWN_MAX = 6;

export function Lately(): JSX.Element | null {
  const again = `${Math.floor(now.value / REFRESH_MS)} ${happened.value}`;
  const failed = useAsked<ExchangesResponse>("/exchanges?outcome=failed&limit=100", again).value;
  const rescued = useAsked<ExchangesResponse>("/exchanges?outcome=rescued&limit=100", again).value;
  useEffect(() => void needCauses(), []);
  if (status.value === null) return null;
  const records = [failed, rescued].flatMap((one) => (one?.ok === true ? one.value.exchanges : []));
  const troubles = troublesByCause(records, now.value);
  return (
    <section aria-labelledby="lately">
      <h2 id="lately">Lately</h2>
      {troubles.length === 0 ? (
        <p class="empty">
          No exchange failed or had to be rescued in the last {RECENT_MINUTES} minutes, of those that are kept.
        </p>
      ) : (
        <ul class="cards">
          {troubles.slice(0, SHOWN_MAX).map((trouble) => (
            <TroubleCard trouble={trouble} key={trouble.cause} />
          ))}
        </ul>
      )}
    </section>
  );
}

function TroubleCard({ trouble }: { trouble: Trouble }): JSX.Element {
  const cause = causes.value.get(trouble.cause);
  const counts = [
    trouble.failed > 0 ? `${trouble.failed} failed` : "",
    trouble.rescued > 0 ? `${trouble.rescued} rescued` : "",
  ].filter((part) => part !== "");
  return (
    <li class={`card ${trouble.failed > 0 ? "bad" : "warn"}`}>
      <h3>{cause?.title ?? trouble.cause}</h3>
      <p class="soft">
        {cause === undefined ? null : <Tag sign={["quiet", "→"]} word={`at fault: ${cause.party}`} />}{" "}
        <a href={`/exchanges${queryOf({ cause: trouble.cause })}`}>
          {counts.join(", ")}
          <span class="unseen"> of {trouble.cause}</span>
        </a>{" "}
        of {countText(RECENT_MINUTES, "minute")}, last <Ago at={trouble.latest.startedAt} />
      </p>
      <p>
        For example <a href={exchangeHref(trouble.latest.id)}>{requestLine(trouble.latest)}</a>:{" "}
        {evidenceBehind(trouble.latest)}
      </p>
      {cause === undefined ? null : (
        <p>
          <b>Look first:</b> {cause.lookFirst}
        </p>
      )}
    </li>
  );
}

/** `GET shop.example.com/cart`, short enough for a line. */
export function requestLine(record: { method: string; host: string; target: string; clientAddress: string }): string {
  if (record.method === "") return `a message from ${record.clientAddress}`;
  const line = `${record.method} ${record.host}${record.target}`;
  return line.length > 110 ? `${line.slice(0, 110)}…` : line;
}
