/** Something that a page asks for by itself: the answer, and again when what it depends on changes. */
import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { JSX } from "preact";
import { ask } from "../state/api.ts";
import type { Answer } from "../state/api.ts";

/** Null: not yet. An older answer stays until the new one is there. `path` empty: nothing is asked for. */
export function useAsked<T>(path: string, again: unknown = 0): Signal<Answer<T> | null> {
  const answer = useMemo(() => signal<Answer<T> | null>(null), []);
  useEffect(() => {
    if (path === "") return undefined;
    let isLatest = true;
    const look = async (): Promise<void> => {
      const one = await ask<T>(path);
      // A question that was not answered leaves what is known, and the frame says that it is old.
      if (isLatest && (one.ok || answer.value?.ok !== true || one.status !== 0)) answer.value = one;
    };
    void look();
    return () => {
      isLatest = false;
    };
  }, [path, again]);
  return answer;
}

export function Refusal({ answer }: { answer: Extract<Answer<unknown>, { ok: false }> }): JSX.Element {
  return (
    <p class="empty" role="status">
      {answer.detail}
    </p>
  );
}
