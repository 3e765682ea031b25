/**
 * A form by which a person changes something: who, what else is needed, and what came of it. Who acts is asked for once
 * and kept in this browser.
 */
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Answer } from "../state/api.ts";
import { who } from "../state/settings.ts";

export function OrderForm(props: {
  verb: string;
  isDanger?: boolean;
  children?: ComponentChildren;
  /** `fields`: what was filled in, by name. */
  send: (by: string, fields: Readonly<Record<string, string>>) => Promise<Answer<unknown>>;
  onDone: () => void;
}): JSX.Element {
  const state = useMemo(() => signal<{ isSending: boolean; refusal: string }>({ isSending: false, refusal: "" }), []);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = fieldsOf(form);
    const by = fields["by"] ?? "";
    who.value = by;
    state.value = { isSending: true, refusal: "" };
    const answer = await props.send(by, fields);
    state.value = { isSending: false, refusal: answer.ok ? "" : answer.detail };
    if (answer.ok) props.onDone();
  };
  return (
    <form
      class="order"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      {props.children}
      <label>
        Your name
        <input name="by" required maxLength={100} autocomplete="name" defaultValue={who.value} />
      </label>
      <p role="alert" class="refusal">
        {state.value.refusal}
      </p>
      <button type="submit" class={props.isDanger === true ? "danger" : "primary"} disabled={state.value.isSending}>
        {state.value.isSending ? "Asking…" : props.verb}
      </button>
    </form>
  );
}

/** What was filled in, by name. No form here has files. */
export function fieldsOf(form: HTMLFormElement): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value.trim() : ""]),
  );
}
