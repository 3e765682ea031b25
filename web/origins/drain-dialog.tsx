/** Takes an origin out, or gives it back: who, why, and for how long. */
import type { JSX } from "preact";
import type { DrainBody, DrainedResponse, RestoreBody } from "../../src/contract/api-responses.ts";
import type { OriginView } from "../../src/contract/view.ts";
import { announce } from "../parts/announcer.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { OrderForm } from "../parts/order-form.tsx";
import { ask } from "../state/api.ts";
import { refreshGateway } from "../state/facts.ts";

const TIMES = [
  ["15m", "15 minutes"],
  ["1h", "1 hour"],
  ["4h", "4 hours"],
  ["1d", "1 day"],
  ["7d", "7 days"],
] as const;

export function DrainDialog(props: {
  what: "drain" | "restore";
  origin: OriginView;
  onClose: () => void;
}): JSX.Element {
  const { what, origin, onClose } = props;
  const send = (by: string, fields: Readonly<Record<string, string>>): ReturnType<typeof ask<DrainedResponse>> => {
    const body: RestoreBody = { service: origin.service, origin: origin.origin, by, reason: fields["reason"] ?? "" };
    const order: DrainBody = what === "drain" ? { ...body, for: fields["for"] ?? "1h" } : body;
    return ask<DrainedResponse>(`/origins/${what}`, order);
  };
  return (
    <Dialog title={what === "drain" ? `Drain ${origin.origin}` : `Restore ${origin.origin}`} onClose={onClose}>
      <p>
        {what === "drain"
          ? "It gets no new requests; those that are under way are finished there. It comes back by itself when the time is over, with a share that grows. The last origin that a route has left is not taken out."
          : "It gets requests again, with a share that grows."}
      </p>
      <OrderForm
        verb={what === "drain" ? "Drain" : "Restore"}
        isDanger={what === "drain"}
        send={send}
        onDone={() => {
          announce(what === "drain" ? `${origin.origin} is drained.` : `${origin.origin} is restored.`);
          void refreshGateway(true);
          onClose();
        }}
      >
        <label>
          Reason
          <input name="reason" required maxLength={500} />
        </label>
        {what === "drain" ? (
          <label>
            For
            <select name="for">
              {TIMES.map(([value, text]) => (
                <option value={value} key={value} selected={value === "1h"}>
                  {text}
                </option>
              ))}
            </select>
          </label>
        ) : null}
      </OrderForm>
    </Dialog>
  );
}
