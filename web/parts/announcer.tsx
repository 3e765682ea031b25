/** Says to screen readers what changed: one sentence at a time, politely. What does not change is not said again. */
import { computed, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useSignalEffect } from "@preact/signals";
import { diagnosis, freshness, openIncidents, status } from "../state/facts.ts";

const said = signal("");

/** The states that are worth a word, put together: when this changes, it is said. */
const state = computed(() => {
  const parts: string[] = [];
  if (freshness.value.kind === "stale") parts.push("The gateway does not answer; what is shown is old.");
  else if (status.value !== null) parts.push(status.value.sentence);
  if (diagnosis.value.kind === "stale") parts.push("The diagnosis is old.");
  for (const incident of openIncidents.value.slice(0, 3)) parts.push(`Incident: ${incident.title}, ${incident.state}.`);
  return parts.join(" ");
});

export function announce(text: string): void {
  said.value = text;
}

export function Announcer(): JSX.Element {
  useSignalEffect(() => {
    if (state.value !== "") said.value = state.value;
  });
  return (
    <p class="unseen" role="status" aria-live="polite">
      {said.value}
    </p>
  );
}
