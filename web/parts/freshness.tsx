/** Whether what is shown may be believed, beside the navigation and, when it may not, across the page. */
import type { JSX } from "preact";
import { diagnosis, freshness } from "../state/facts.ts";
import { Ago, Clock } from "./moment.tsx";

export function Freshness(): JSX.Element {
  const state = freshness.value;
  const [tone, word] = WORDS[state.kind];
  return (
    <>
      <p class={`fresh ${tone}`}>
        <i aria-hidden="true" />
        {word}
        {state.kind === "stale" || state.kind === "polling" ? (
          <>
            {" "}
            <Clock at={state.since} />
          </>
        ) : null}
      </p>
      {state.kind === "stale" ? (
        <p class="banner bad">
          The gateway does not answer. What is shown is what it last said, <Ago at={state.since} />; how it is now is
          not known.
        </p>
      ) : null}
      {state.kind !== "stale" && diagnosis.value.kind === "stale" ? (
        <p class="banner warn">
          Diagnosis is stale
          {diagnosis.value.since === null ? null : (
            <>
              {" "}
              since <Clock at={diagnosis.value.since} />
            </>
          )}
          : {diagnosis.value.because}. Requests are served all the same; incidents, forecasts and budgets are what was
          known then.
        </p>
      ) : null}
    </>
  );
}

const WORDS = {
  asking: ["quiet", "Connecting…"],
  live: ["good", "Live"],
  polling: ["warn", "No live events since"],
  stale: ["bad", "Stale since"],
} as const;
