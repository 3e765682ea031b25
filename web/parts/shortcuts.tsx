/**
 * Keys for those who look at this all day. Single characters get in the way of speech input, so they can be switched off
 * (WCAG 2.1.4), and never act while something is being typed.
 */
import type { JSX } from "preact";
import { navigate } from "../state/router.ts";
import { keys } from "../state/settings.ts";
import { Dialog } from "./dialog.tsx";

const PLACES: Readonly<Record<string, readonly [href: string, name: string]>> = {
  n: ["/", "Now"],
  i: ["/incidents", "Incidents"],
  e: ["/exchanges", "Exchanges"],
  o: ["/origins", "Origins"],
};

/** Returns what ends it. */
export function startShortcuts(onHelp: () => void): () => void {
  let isGoing = false;
  const onKey = (event: KeyboardEvent): void => {
    if (keys.value === "off" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]") !== null) return;
    const href = PLACES[event.key]?.[0];
    if (isGoing && href !== undefined) navigate(href);
    else if (event.key === "?") onHelp();
    else if (event.key === "/") {
      document.querySelector<HTMLElement>("[data-search]")?.focus();
      event.preventDefault();
    }
    isGoing = event.key === "g";
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, select, textarea, [contenteditable]") !== null;
}

export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {Object.entries(PLACES).map(([key, [, name]]) => (
          <div key={key}>
            <dt>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dt>
            <dd>go to {name}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>to the filter of a page</dd>
        </div>
        <div>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>this list</dd>
        </div>
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>close a dialog</dd>
        </div>
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={keys.value === "on"}
          onChange={(event) => (keys.value = event.currentTarget.checked ? "on" : "off")}
        />
        Keys are on
      </label>
    </Dialog>
  );
}
