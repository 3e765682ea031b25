/** What a person can do about an incident, each in a form of its own that says who does it. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { IncidentActBody } from "../../src/contract/control-responses.ts";
import type { Incident } from "../../src/contract/incident.ts";
import { announce } from "../parts/announcer.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { OrderForm } from "../parts/order-form.tsx";
import { ask, askText } from "../state/api.ts";
import { incidents, refreshDiagnosis } from "../state/facts.ts";

type Act = "acknowledge" | "take-over" | "annotate" | "merge" | "split" | "close";

const ACTS: Readonly<Record<Act, { readonly verb: string; readonly explains: string }>> = {
  acknowledge: { verb: "Acknowledge", explains: "You have seen it; it is not repeated to others." },
  "take-over": { verb: "Take over", explains: "You are the one who takes care of it." },
  annotate: { verb: "Add a note", explains: "It becomes part of the timeline and of the postmortem." },
  merge: { verb: "Merge into another", explains: "Both are one disturbance; this one becomes part of the other." },
  split: { verb: "Split", explains: "A part of it is a disturbance of its own." },
  close: { verb: "Close", explains: "It is over, or it is none. What still fails opens another one." },
};

export function IncidentActs({ incident, onDone }: { incident: Incident; onDone: () => void }): JSX.Element {
  const open = useMemo(() => signal<Act | null>(null), []);
  const refusal = useMemo(() => signal(""), []);
  const act = open.value;
  const shown = Object.keys(ACTS).filter((name): name is Act => isPossible(name as Act, incident));
  return (
    <div class="acts" role="group" aria-label="What you can do">
      {shown.map((name, index) => (
        <button type="button" key={name} class={index === 0 ? "primary" : ""} onClick={() => (open.value = name)}>
          {ACTS[name].verb}
        </button>
      ))}
      <button type="button" onClick={() => void save(incident.id).then((text) => (refusal.value = text))}>
        Postmortem draft
      </button>
      <p role="alert" class="refusal">
        {refusal.value}
      </p>
      {act === null ? null : (
        <Dialog title={ACTS[act].verb} onClose={() => (open.value = null)}>
          <p>{ACTS[act].explains}</p>
          <OrderForm
            verb={ACTS[act].verb}
            isDanger={act === "close"}
            send={(by, fields) =>
              ask<Incident>(`/incidents/${encodeURIComponent(incident.id)}/${act}`, bodyOf(act, by, fields))
            }
            onDone={() => {
              open.value = null;
              announce(`Done: ${ACTS[act].verb}`);
              void refreshDiagnosis();
              onDone();
            }}
          >
            <Fields act={act} incident={incident} />
          </OrderForm>
        </Dialog>
      )}
    </div>
  );
}

function isPossible(act: Act, { state, acknowledged }: Incident): boolean {
  if (act === "annotate") return true;
  if (state === "closed" || state === "merged") return false;
  return act !== "acknowledge" || acknowledged === null;
}

function Fields({ act, incident }: { act: Act; incident: Incident }): JSX.Element | null {
  switch (act) {
    case "acknowledge":
    case "take-over":
      return null;
    case "annotate":
    case "close":
      return (
        <label>
          {act === "close" ? "Why it is over" : "Note"}
          <textarea name="text" required rows={4} maxLength={4000} />
        </label>
      );
    case "merge":
      return (
        <label>
          Into
          <select name="into" required>
            {(incidents.value ?? [])
              .filter(({ id, state }) => id !== incident.id && state !== "merged")
              .map(({ id, title }) => (
                <option value={id} key={id}>
                  {title} ({id})
                </option>
              ))}
          </select>
        </label>
      );
    case "split":
      return (
        <>
          <label>
            Dimension
            <select name="dimension" required>
              {["service", "route", "pool", "origin", "provider", "cause", "class"].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label>
            Value of the part
            <input name="value" required maxLength={500} />
          </label>
        </>
      );
  }
}

function bodyOf(act: Act, by: string, fields: Readonly<Record<string, string>>): IncidentActBody {
  const { text = "", into = "", dimension = "", value = "" } = fields;
  switch (act) {
    case "acknowledge":
    case "take-over":
      return { by };
    case "annotate":
    case "close":
      return { by, text };
    case "merge":
      return { by, into };
    case "split":
      return { by, where: { [dimension]: value } };
  }
}

/** By hand and not by a link, because a link cannot send the token. Returns why not. */
async function save(id: string): Promise<string> {
  const answer = await askText(`/incidents/${encodeURIComponent(id)}/postmortem`);
  if (!answer.ok) return answer.detail;
  const url = URL.createObjectURL(new Blob([answer.value], { type: "text/markdown" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${id}.md`;
  link.click();
  URL.revokeObjectURL(url);
  return "";
}
