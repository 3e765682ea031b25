/**
 * Where the gateway was started in front of the bundled samples: one click that breaks a pool of them for half a minute, to see
 * what becomes of it. Elsewhere nothing is shown.
 */
import type { JSX } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { OutageKind, SampleBreakBody, SampleBroken, SamplesView } from "../../src/contract/samples.ts";
import { OUTAGE_KINDS, OUTAGE_WORDS } from "../../src/contract/samples.ts";
import { ask } from "../state/api.ts";
import { now } from "../state/facts.ts";

const samples = signal<SamplesView | null>(null);

export function SampleOutage(): JSX.Element | null {
  const chosen = useMemo(() => signal<OutageKind>("crash"), []);
  const refusal = useMemo(() => signal(""), []);
  useEffect(() => void look(), []);
  const known = samples.value;
  if (known === null || known.pools.length === 0) return null;
  const broken = known.pools.find(({ outage }) => outage !== null && outage.until > now.value);
  const breakOne = async (): Promise<void> => {
    const answer = await ask<SampleBroken>("/samples/break", { kind: chosen.value } satisfies SampleBreakBody);
    refusal.value = answer.ok ? "" : answer.detail;
    await look();
  };
  return (
    <section aria-labelledby="samples">
      <h2 id="samples">Try it</h2>
      <div class="card">
        <p>
          These are the bundled samples, with {known.perSecond} requests a second of their own. Break a pool of them for
          half a minute, and watch what becomes of it.
        </p>
        {broken === undefined || broken.outage === null ? (
          <form
            class="acts"
            onSubmit={(event) => {
              event.preventDefault();
              void breakOne();
            }}
          >
            <label>
              What happens{" "}
              <select
                value={chosen.value}
                onChange={({ currentTarget }) => {
                  chosen.value = OUTAGE_KINDS.find((kind) => kind === currentTarget.value) ?? "crash";
                }}
              >
                {OUTAGE_KINDS.map((kind) => (
                  <option value={kind} key={kind}>
                    {kind}: {OUTAGE_WORDS[kind]}
                  </option>
                ))}
              </select>
            </label>{" "}
            <button type="submit" class="primary">
              Break pool {known.pools[0]?.name}
            </button>
          </form>
        ) : (
          <p role="status">
            Pool {broken.name} is broken: {OUTAGE_WORDS[broken.outage.kind]}. It is whole again in{" "}
            {Math.max(1, Math.ceil((broken.outage.until - now.value) / 1_000))} s.
          </p>
        )}
        <p role="alert" class="refusal">
          {refusal.value}
        </p>
      </div>
    </section>
  );
}

async function look(): Promise<void> {
  const answer = await ask<SamplesView>("/samples");
  if (answer.ok) samples.value = answer.value;
}
