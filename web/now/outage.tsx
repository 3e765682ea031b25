/**
 * Where the gateway was started in front of the bundled samples: one click that breaks a pool of them for half a minute, to see
 * what becomes of it. Elsewhere nothing is shown. Other kinds of outage are for `goodgate demo outage`.
 */
import type { JSX } from "preact";
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SamplesView } from "../../src/contract/samples.ts";
import { ask } from "../state/api.ts";

const pool = signal<string | undefined>(undefined);

export function SampleOutage(): JSX.Element | null {
  useEffect(() => void look(), []);
  if (pool.value === undefined) return null;
  // While it is broken another click is refused, and what there is to see is there already.
  return (
    <button type="button" onClick={() => void ask("/samples/break", { kind: "crash" })}>
      Break sample pool {pool.value} for 30 s
    </button>
  );
}

async function look(): Promise<void> {
  const answer = await ask<SamplesView>("/samples");
  if (answer.ok) pool.value = answer.value.pools[0]?.name;
}
