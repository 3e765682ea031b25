/** The room that this process has left. */
import type { JSX } from "preact";
import { durationText, sizeText } from "../../src/contract/quantities.ts";
import { status } from "../state/facts.ts";
import { grouped, ratioText } from "../words/figures.ts";

export function ThisProcess(): JSX.Element | null {
  const known = status.value;
  if (known === null) return null;
  const { process } = known;
  const rows: readonly (readonly [string, string])[] = [
    [
      "Listening on",
      known.listeners
        .map(({ address, port }) => `${address.includes(":") ? `[${address}]` : address}:${port}`)
        .join(", "),
    ],
    ["Client connections", grouped(known.connections)],
    ["Exchanges", `${grouped(known.exchangesActive)} going on, ${grouped(known.exchangesTotal)} since the start`],
    ["Memory", `${sizeText(process.residentBytes)}, ${sizeText(process.heapBytes)} of it JavaScript`],
    [
      "Descriptors",
      process.descriptorsMax === 0
        ? "not known"
        : `${grouped(process.descriptorsOpen)} of ${grouped(process.descriptorsMax)}`,
    ],
    [
      "Event loop",
      `busy ${ratioText(process.loopUtilisation)} of the time; delay ${durationText(process.loopDelayP99Ms * 1000)} at p99, ${durationText(process.loopDelayMaxMs * 1000)} at most (last 10 s)`,
    ],
  ];
  return (
    <section aria-labelledby="process">
      <h2 id="process">This gateway</h2>
      <dl class="card facts">
        {rows.map(([label, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
