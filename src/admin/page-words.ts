/**
 * Small pieces of the pages: states as a sign and a word (colour alone would not reach everybody), moments as
 * an age and a time, tables that a narrow screen shows as lists.
 */
import { durationText } from "../contract/quantities.ts";
import type { OriginAddressView, ServiceStatusView } from "../contract/view.ts";
import type { ExchangeRecord, Outcome } from "../contract/record.ts";
import type { Html, HtmlValue } from "./html.ts";
import { html } from "./html.ts";

type Tone = "good" | "warn" | "bad" | "quiet";
type Sign = readonly [tone: Tone, sign: string];

export const SERVICE_SIGNS: Readonly<Record<ServiceStatusView["state"], Sign>> = {
  healthy: ["good", "✓"],
  degraded: ["warn", "!"],
  "failing open": ["bad", "!"],
  down: ["bad", "✕"],
};

export const ADDRESS_SIGNS: Readonly<Record<OriginAddressView["state"], Sign>> = {
  up: ["good", "✓"],
  ramping: ["warn", "↗"],
  probation: ["warn", "?"],
  ejected: ["bad", "✕"],
  down: ["bad", "✕"],
  drained: ["quiet", "–"],
};

export const OUTCOME_SIGNS: Readonly<Record<Outcome, Sign>> = {
  served: ["good", "✓"],
  rescued: ["warn", "↻"],
  failed: ["bad", "✕"],
  refused: ["quiet", "–"],
  aborted: ["quiet", "–"],
};

export function tag([tone, sign]: Sign, word: string): Html {
  return html`<span class="tag ${tone}"><span aria-hidden="true">${sign} </span>${word}</span>`;
}

/** `2 min 5 s ago`, with the moment itself for who needs it. Both are by the gateway's clock. */
export function ago(at: number, now: number): Html {
  return html`<time datetime="${isoText(at)}" title="${isoText(at)}"
    >${durationText(Math.max(0, now - at) * 1000)} ago</time
  >`;
}

/** `2026-11-21 14:05:09 UTC`. */
export function utcText(at: number): string {
  return `${isoText(at).slice(0, 19).replace("T", " ")} UTC`;
}

/** The view says epoch ms; what is no date at all is shown as it is rather than losing the page. */
function isoText(at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at);
}

/** `for 2 min 5 s`, with the moment at which it began. */
export function lasting(since: number, now: number): Html {
  return html`<time datetime="${isoText(since)}" title="since ${isoText(since)}"
    >for ${durationText(Math.max(0, now - since) * 1000)}</time
  >`;
}

/** `1 204 331`, with spaces at which no line breaks. */
export function grouped(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(?:\d{3})+$)/g, "\u202F");
}

export interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/**
 * The first cell of each row is its heading. The roles repeat what the elements mean, because a table that is
 * laid out as blocks on a narrow screen otherwise stops being one for assistive technology.
 */
export function table(caption: HtmlValue, columns: readonly Column[], rows: readonly (readonly HtmlValue[])[]): Html {
  return html`<table role="table" class="${columns.length > 2 ? "list" : "two"}">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map((column) => html`<th role="columnheader" scope="col" ${numberClass(column)}>${column.name}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map((cells) => tableRow(columns, cells))}
    </tbody>
  </table>`;
}

function tableRow(columns: readonly Column[], cells: readonly HtmlValue[]): Html {
  const [heading = null, ...others] = cells;
  const rest = others.map((cell, index) => {
    const column = columns[index + 1] ?? { name: "" };
    return html`<td role="cell" data-label="${column.name}" ${numberClass(column)}>${cell}</td>`;
  });
  return html`<tr role="row">
    <th role="rowheader" scope="row">${heading}</th>
    ${rest}
  </tr> `;
}

function numberClass(column: Column): Html | null {
  return column.isNumber === true ? html` class="n"` : null;
}

export function exchangeLink(record: ExchangeRecord, text: string): Html {
  return html`<a href="/exchanges/${encodeURIComponent(record.id)}">${text}</a>`;
}

/** `GET shop.example.com/cart`, short enough for a table. */
export function requestLine(record: ExchangeRecord): string {
  if (record.method === "") return `a message from ${record.clientAddress}`;
  const line = `${record.method} ${record.host}${record.target}`;
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
}
