/** The map: a picture for the eye, a table behind it for everybody, with the reason for each state. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { StatusView } from "../../src/contract/view.ts";
import { Table } from "../parts/table.tsx";
import { Tag } from "../parts/tag.tsx";
import { figures, originKey, originRates, origins, status } from "../state/facts.ts";
import { ADDRESS_SIGNS } from "../words/signs.ts";
import { rateText, ratioText } from "../words/figures.ts";
import { layOutMap } from "./map-layout.ts";
import type { MapNode } from "./map-layout.ts";

export function TrafficMap(): JSX.Element | null {
  return status.value === null ? null : <Drawn known={status.value} />;
}

function Drawn({ known }: { known: StatusView }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const width = useMemo(() => signal(0), []);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    // Of what is inside, without the frame's own padding.
    const watch = new ResizeObserver(([entry]) => (width.value = Math.floor(entry?.contentRect.width ?? 0)));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const all = origins.value?.origins ?? [];
  const facts = {
    services: known.services,
    origins: all,
    perSecond: new Map((figures.value?.services ?? []).map((one) => [one.service, one.perSecond])),
    rateOf: (one: { service: string; pool: string; origin: string }) =>
      originRates.value.get(originKey(one.service, one.pool, one.origin)),
    connections: known.connections,
  };
  const layout = layOutMap(facts, Math.max(240, width.value));
  const troubled = layout.nodes.filter((node) => node.tone === "bad" || node.tone === "warn");
  const summary =
    troubled.length === 0
      ? "everything is in use or standing by"
      : troubled.map((node) => `${node.title} ${node.state}`).join("; ");
  return (
    <section aria-labelledby="map">
      <h2 id="map">Where requests go</h2>
      <div class="card map" ref={frame}>
        <svg
          width={layout.width}
          height={layout.height}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          role="img"
          aria-label={`Map from clients over the gateway to pools and origins: ${summary}. The table below has everything.`}
        >
          {layout.lines.map((line) => (
            <path
              key={line.id}
              class={`flow ${line.tone}${line.isIdle ? " idle" : ""}`}
              d={line.path}
              stroke-width={line.thickness}
            />
          ))}
          {layout.nodes.map((node) => (
            <Node node={node} key={node.id} />
          ))}
        </svg>
      </div>
      <details class="twin">
        <summary>The map as a table</summary>
        <Table
          caption="Every origin with its pool, what flows there and the reason for its state."
          columns={[
            { name: "Origin" },
            { name: "Pool" },
            { name: "Pool's share", isNumber: true },
            { name: "Attempts", isNumber: true },
            { name: "State" },
            { name: "Because" },
          ]}
          rows={all.map((origin) => {
            const service = known.services.find(({ name }) => name === origin.service);
            const pool = service?.pools.find(({ name }) => name === origin.pool);
            const node = layout.nodes.find(
              ({ id }) => id === `origin ${origin.service} ${origin.pool} ${origin.origin}`,
            );
            const rate = facts.rateOf(origin);
            return {
              key: originKey(origin.service, origin.pool, origin.origin),
              cells: [
                <a href={`/origins#${encodeURIComponent(origin.origin)}`}>{origin.origin}</a>,
                `${origin.service} / ${origin.pool}`,
                ratioText(pool?.share ?? 0),
                rate === undefined ? "–" : rateText(rate),
                <StateTag state={node?.state ?? ""} />,
                node?.because ?? "",
              ],
            };
          })}
        />
      </details>
    </section>
  );
}

function StateTag({ state }: { state: string }): JSX.Element {
  const known = Object.entries(ADDRESS_SIGNS).find(([name]) => name === state);
  return <Tag sign={known?.[1] ?? ["bad", "✕"]} word={state} />;
}

/** About seven pixels for a letter: what does not fit ends in dots and is whole in the table. */
function cut(text: string, width: number, perLetter: number): string {
  const most = Math.max(4, Math.floor((width - 30) / perLetter));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function Node({ node }: { node: MapNode }): JSX.Element {
  const { x, y, width, height } = node;
  return (
    <g class={`node ${node.kind} ${node.tone}`} transform={`translate(${x} ${y})`}>
      <title>{[node.title, node.state, node.because].filter((part) => part !== "").join(": ")}</title>
      <rect class="body" width={width} height={height} rx="9" />
      <rect class="edge" width="4" height={height - 16} x="7" y="8" rx="2" />
      <text class="node-title" x="20" y="18">
        {cut(node.title, width, 7)}
      </text>
      <text class="node-sub" x="20" y="33">
        {cut(node.sub, width, 6.1)}
      </text>
    </g>
  );
}
