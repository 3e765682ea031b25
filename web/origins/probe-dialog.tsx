/** Climbs the probe ladder at an origin, now, because a person wants to know where it breaks. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { ProbeFact } from "../../src/contract/facts.ts";
import type { OriginView } from "../../src/contract/view.ts";
import { Dialog } from "../parts/dialog.tsx";
import { RUNG_SIGNS } from "../parts/evidence.tsx";
import { OrderForm } from "../parts/order-form.tsx";
import { Table } from "../parts/table.tsx";
import { Tag } from "../parts/tag.tsx";
import { ask } from "../state/api.ts";
import { msText } from "../words/figures.ts";

export function ProbeDialog({ origin, onClose }: { origin: OriginView; onClose: () => void }): JSX.Element {
  const found = useMemo(() => signal<ProbeFact | null>(null), []);
  return (
    <Dialog title={`Probe ${origin.origin}`} onClose={onClose}>
      {found.value === null ? (
        <>
          <p>
            The name is resolved, each address is connected to, a small request is made, and one like that which failed
            last if it is harmless, beside the same at places that are known to work. The rungs that hold and the one
            that breaks locate the fault.
          </p>
          <OrderForm
            verb="Probe"
            send={async (by) => {
              const answer = await ask<ProbeFact>("/probes", { service: origin.service, origin: origin.origin, by });
              if (answer.ok) found.value = answer.value;
              return answer;
            }}
            onDone={() => undefined}
          />
        </>
      ) : (
        <>
          <p role="status">
            <b>{found.value.located === "" ? "The rungs do not say where it breaks." : found.value.located}</b>
          </p>
          <Table
            kind="plain"
            caption="In the order in which they were climbed."
            columns={[{ name: "Rung" }, { name: "Result" }, { name: "Took", isNumber: true }]}
            rows={found.value.rungs.map((rung, index) => ({
              key: String(index),
              cells: [
                <>
                  {rung.rung}
                  <small>{rung.at}</small>
                </>,
                <>
                  <Tag sign={RUNG_SIGNS[rung.result]} word={rung.result} />
                  <small>{rung.text}</small>
                </>,
                msText(rung.ms),
              ],
            }))}
          />
        </>
      )}
    </Dialog>
  );
}
