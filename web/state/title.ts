/** The title of the tab: the state of the gateway before the name of the page, so that a tab in the background tells it. */
import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** Empty: nothing to warn of. */
export const titleMark = signal("");
const pageTitle = signal("");

effect(() => {
  const name = pageTitle.value === "" ? "Goodgate" : `${pageTitle.value} · Goodgate`;
  document.title = titleMark.value === "" ? name : `${titleMark.value} ${name}`;
});

export function useTitle(text: string): void {
  useEffect(() => {
    pageTitle.value = text;
  }, [text]);
}
