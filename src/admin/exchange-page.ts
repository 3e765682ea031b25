/** The page of one exchange: its story as contract/story.ts tells it, and a picture of where the time went. */
import { durationText } from "../contract/quantities.ts";
import type { AttemptRecord, ExchangeRecord } from "../contract/record.ts";
import type { Story } from "../contract/story.ts";
import type { Html } from "./html.ts";
import { html } from "./html.ts";
import { renderPage } from "./page.ts";
import { OUTCOME_SIGNS, table, tag, utcText } from "./page-words.ts";

export function renderExchangePage(record: ExchangeRecord, story: Story): string {
  const isTrouble = record.outcome === "failed" || record.outcome === "rescued";
  return renderPage({
    title: `${OUTCOME_SIGNS[record.outcome][1]} ${story.headline}`,
    isLive: false,
    main: html`<h1>${story.headline}</h1>
      <p>
        ${tag(OUTCOME_SIGNS[record.outcome], record.outcome)}
        <span class="soft"
          >${utcText(record.startedAt)}, id <code>${record.id}</code>,
          <a href="/api/v1/exchanges/${encodeURIComponent(record.id)}">the record as JSON</a></span
        >
      </p>
      <section class="box${isTrouble ? " bad" : ""}" aria-labelledby="first">
        <h2 id="first">What to look at first</h2>
        <p>${story.lookFirst}</p>
      </section>
      <section aria-labelledby="facts">
        <h2 id="facts">What happened</h2>
        <dl>
          ${story.lines.map(
            (line) =>
              html`<dt>${line.label}</dt>
                <dd>${line.text}</dd> `,
          )}
        </dl>
      </section>
      ${timesSection(record)}
      <section aria-labelledby="timeline">
        <h2 id="timeline">Step by step</h2>
        ${table(
          "Times count from the first byte of the request.",
          [{ name: "After" }, { name: "What" }],
          story.timeline.map((moment) => [durationText(moment.atUs), moment.text]),
        )}
      </section>`,
  });
}

export function renderMissingExchangePage(explanation: string): string {
  return renderPage({
    title: "Exchange not kept",
    isLive: false,
    main: html`<h1>This exchange is not kept</h1>
      <p>${explanation}</p>
      <p><a href="/">Back to the status page</a></p>`,
  });
}

/** A stretch of time in a bar, µs. `kind`: a class of the style sheet, explained in the key. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly kind: "s1" | "s2" | "s3" | "sx";
}

function timesSection(record: ExchangeRecord): Html | null {
  if (record.doneUs <= 0) return null;
  const bodyEndUs = record.requestEndUs > record.headUs ? record.requestEndUs : record.headUs;
  const rows = [
    timesRow(
      record,
      "request from the client",
      [{ from: 0, to: bodyEndUs, kind: "s3" }],
      bodyEndUs < 0 ? record.doneUs : bodyEndUs,
    ),
    ...record.attempts.map((attempt) =>
      timesRow(
        record,
        `attempt ${attempt.number} at ${attempt.address}`,
        stretchesOf(attempt),
        attempt.endedUs - attempt.startedUs,
      ),
    ),
    ...(record.replyUs < 0
      ? []
      : [
          timesRow(
            record,
            "reply to the client",
            [{ from: record.replyUs, to: record.doneUs, kind: "s3" }],
            record.doneUs - record.replyUs,
          ),
        ]),
  ];
  const key = html`${keyOf("s1", "connecting")}${keyOf("s2", "waiting for the first byte")}${keyOf("s3", "bytes moving")}${keyOf("sx", "ended in failure")}`;
  return html`<section aria-labelledby="times">
    <h2 id="times">Where the time went</h2>
    <p>${key}</p>
    ${table(
      `The whole took ${durationText(record.doneUs)}.`,
      [{ name: "Part" }, { name: "When" }, { name: "Took", isNumber: true }],
      rows,
    )}
  </section>`;
}

function timesRow(
  record: ExchangeRecord,
  name: string,
  stretches: readonly Stretch[],
  tookUs: number,
): (Html | string)[] {
  const scale = 1000 / record.doneUs;
  const drawn = stretches.filter((stretch) => stretch.from >= 0 && stretch.to >= stretch.from);
  const rectangles = drawn.map((stretch) => {
    // At least a visible sliver: something short still happened.
    const width = Math.max(3, (stretch.to - stretch.from) * scale);
    const x = Math.min(stretch.from * scale, 1000 - width);
    return html`<rect class="${stretch.kind}" x="${x.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="10" />`;
  });
  const bar = html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
    ${rectangles}
  </svg>`;
  return [name, bar, durationText(tookUs)];
}

function stretchesOf(attempt: AttemptRecord): Stretch[] {
  const stretches: Stretch[] = [];
  let from = attempt.startedUs;
  const add = (to: number, kind: Stretch["kind"]): void => {
    if (to < from) return;
    if (to > from) stretches.push({ from, to, kind });
    from = to;
  };
  const isConnected = attempt.connectedUs >= 0;
  add(isConnected ? attempt.connectedUs : attempt.endedUs, "s1");
  if (isConnected) add(attempt.firstByteUs >= 0 ? attempt.firstByteUs : attempt.endedUs, "s2");
  if (attempt.firstByteUs >= 0) add(attempt.endedUs, "s3");
  if (attempt.cause !== null) stretches.push({ from: attempt.endedUs, to: attempt.endedUs, kind: "sx" });
  return stretches;
}

function keyOf(kind: Stretch["kind"], words: string): Html {
  return html`<span class="part"
    ><svg class="key" viewBox="0 0 1 1" aria-hidden="true"><rect class="${kind}" width="1" height="1" /></svg
    >${words}</span
  > `;
}
