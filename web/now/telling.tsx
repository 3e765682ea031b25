/** What keeps people from being told: sinks that take no messages, and silences. Nothing where all are told of all. */
import type { JSX } from "preact";
import type { AlertsView } from "../../src/contract/control-port.ts";
import { Ago, Clock } from "../parts/moment.tsx";
import { Tag } from "../parts/tag.tsx";
import { alerts, now } from "../state/facts.ts";

export function Telling(): JSX.Element | null {
  const failing = (alerts.value?.sinks ?? []).filter(({ state }) => state === "failing");
  const silences = (alerts.value?.silences ?? []).filter(({ until }) => until > now.value);
  if (failing.length + silences.length === 0) return null;
  return (
    <section aria-labelledby="telling">
      <h2 id="telling">Who is not told</h2>
      <ul class="cards">
        {failing.map((sink) => (
          <Sink sink={sink} key={sink.name} />
        ))}
        {silences.map((silence) => (
          <Silence silence={silence} key={silence.id} />
        ))}
      </ul>
    </section>
  );
}

function Sink({ sink }: { sink: AlertsView["sinks"][number] }): JSX.Element {
  return (
    <li class="card bad">
      <h3>Messages do not reach {sink.name}</h3>
      <p class="soft">
        <Tag sign={["bad", "✕"]} word="failing" /> {sink.kind};{" "}
        {sink.lastAt === null ? (
          "none was delivered yet"
        ) : (
          <>
            the last was delivered <Ago at={sink.lastAt} />
          </>
        )}
      </p>
      <p>{sink.because}</p>
      <p>
        When it is mended: <code>goodgate alerts test {sink.name}</code>
      </p>
    </li>
  );
}

function Silence({ silence }: { silence: AlertsView["silences"][number] }): JSX.Element {
  const where = Object.entries(silence.where).map(([name, value]) => `${name} ${value}`);
  return (
    <li class="card warn">
      <h3>Silence about {where.join(", ")}</h3>
      <p class="soft">
        <Tag sign={["warn", "…"]} word="silenced" /> by {silence.by} until <Clock at={silence.until} />
      </p>
      <p>{silence.reason}</p>
      <p>
        To end it: <code>goodgate silence end {silence.id}</code>
      </p>
    </li>
  );
}
