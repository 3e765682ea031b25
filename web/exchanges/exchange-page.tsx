/** One exchange: the verdict in a sentence, what to look at first, where the time went, what was decided and why. */
import type { JSX } from "preact";
import { durationText } from "../../src/contract/quantities.ts";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import type { Story } from "../../src/contract/story.ts";
import { Refusal, useAsked } from "../parts/asked.tsx";
import { EvidenceItem } from "../parts/evidence.tsx";
import { Clock } from "../parts/moment.tsx";
import { Table } from "../parts/table.tsx";
import { Tag } from "../parts/tag.tsx";
import { API } from "../state/api.ts";
import { queryOf } from "../state/router.ts";
import { useTitle } from "../state/title.ts";
import { OUTCOME_SIGNS } from "../words/signs.ts";
import { STRETCH_WORDS, waterfallOf } from "./waterfall.ts";
import type { StretchKind, WaterfallRow } from "./waterfall.ts";

export function ExchangePage({ id }: { id: string }): JSX.Element {
  const path = `/exchanges/${encodeURIComponent(id)}`;
  const record = useAsked<ExchangeRecord>(path).value;
  const story = useAsked<Story>(`${path}/story`).value;
  useTitle(story?.ok === true ? story.value.headline : "Exchange");
  if (record?.ok === true && story?.ok === true)
    return <Exchange record={record.value} story={story.value} path={path} />;
  const refusal = record?.ok === false ? record : story?.ok === false ? story : null;
  return (
    <>
      <h1>{refusal?.status === 404 ? "This exchange is not kept" : "Exchange"}</h1>
      {refusal === null ? <p class="empty">Asking…</p> : <Refusal answer={refusal} />}
      <p>
        <a href="/exchanges">All exchanges</a>
      </p>
    </>
  );
}

function Exchange({ record, story, path }: { record: ExchangeRecord; story: Story; path: string }): JSX.Element {
  const [tone, sign] = OUTCOME_SIGNS[record.outcome];
  return (
    <article>
      <header class={`verdict ${tone}`}>
        <span class="mark" aria-hidden="true">
          {sign}
        </span>
        <div>
          <h1>{story.headline}</h1>
          <p class="soft">
            <Tag sign={OUTCOME_SIGNS[record.outcome]} word={record.outcome} /> <Clock at={record.startedAt} />, took{" "}
            {durationText(record.doneUs)}. <code>{record.id}</code>
          </p>
          <p class="soft">
            <a href={API + path}>The record as JSON</a>
            {record.cause === null ? null : (
              <>
                {" · "}
                <a href={`/exchanges${queryOf({ cause: record.cause })}`}>Others with {record.cause}</a>
              </>
            )}
            {record.service === "" ? null : (
              <>
                {" · "}
                <a href={`/exchanges${queryOf({ service: record.service, route: record.route })}`}>
                  Others of {record.service} / {record.route}
                </a>
              </>
            )}
          </p>
        </div>
      </header>
      <VerdictSection story={story} />
      <section class="card next" aria-labelledby="first">
        <h2 id="first">What to look at first</h2>
        <p>{story.lookFirst}</p>
      </section>
      <Waterfall record={record} />
      <section aria-labelledby="facts">
        <h2 id="facts">What happened</h2>
        <dl class="card facts">
          {story.lines.map((line, index) => (
            <div key={index}>
              <dt>{line.label}</dt>
              <dd>{line.text}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section aria-labelledby="steps">
        <h2 id="steps">Step by step</h2>
        <Table
          kind="plain"
          caption="Times count from the first byte of the request."
          columns={[{ name: "After", isNumber: true }, { name: "What" }]}
          rows={story.timeline.map((moment, index) => ({
            key: String(index),
            cells: [durationText(moment.atUs), moment.text],
          }))}
        />
      </section>
    </article>
  );
}

function VerdictSection({ story: { verdict } }: { story: Story }): JSX.Element | null {
  if (verdict === null) return null;
  return (
    <section aria-labelledby="verdict">
      <h2 id="verdict">The verdict</h2>
      <div class="card">
        <p>
          <b>{verdict.sentence}</b>
        </p>
        <ul class="evidences">
          {verdict.because.map((one) => (
            <EvidenceItem evidence={one} key={one.text} />
          ))}
        </ul>
        {verdict.kind === "undecided" && verdict.tellApart !== "" ? (
          <p>
            <b>What would tell:</b> {verdict.tellApart}
          </p>
        ) : null}
      </div>
    </section>
  );
}

function Waterfall({ record }: { record: ExchangeRecord }): JSX.Element | null {
  const rows = waterfallOf(record);
  if (rows.length === 0 || record.doneUs <= 0) return null;
  const kinds = new Set(rows.flatMap((row) => row.stretches.map(({ kind }) => kind)));
  return (
    <section aria-labelledby="times">
      <h2 id="times">Where the time went</h2>
      <p class="legend" aria-hidden="true">
        {Object.entries(STRETCH_WORDS)
          .filter(([kind]) => kinds.has(kind as StretchKind))
          .map(([kind, words]) => (
            <span key={kind}>
              <i class={`key ${classOf(kind)}`} />
              {words}
            </span>
          ))}
      </p>
      <Table
        caption={`The whole took ${durationText(record.doneUs)}.`}
        columns={[
          { name: "Step" },
          { name: "When" },
          { name: "Began after", isNumber: true },
          { name: "Took", isNumber: true },
        ]}
        rows={rows.map((row, index) => ({
          key: String(index),
          cells: [
            <>
              {row.name}
              <small>{row.note}</small>
            </>,
            <Stretches row={row} wholeUs={record.doneUs} />,
            durationText(row.startUs),
            durationText(row.tookUs),
          ],
        }))}
      />
    </section>
  );
}

function classOf(kind: string): string {
  return `stretch-${kind.replaceAll(" ", "-")}`;
}

/** What the eye sees; for others the same is said in words. */
function Stretches({ row, wholeUs }: { row: WaterfallRow; wholeUs: number }): JSX.Element {
  const scale = 1000 / wholeUs;
  const words = row.stretches
    .filter(({ from, to }) => to > from)
    .map(({ from, to, kind }) => `${STRETCH_WORDS[kind]} ${durationText(to - from)}`)
    .join(", ");
  return (
    <>
      <svg class="waterfall" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">
        {row.stretches.map(({ from, to, kind }, index) => {
          // At least a visible sliver: something short still happened.
          const width = Math.max(kind === "failed" ? 5 : 3, (to - from) * scale);
          const x = Math.max(0, Math.min(from * scale, 1000 - width));
          return <rect class={classOf(kind)} x={x} width={width} height="14" rx="2" key={index} />;
        })}
      </svg>
      <small>{words}</small>
    </>
  );
}
