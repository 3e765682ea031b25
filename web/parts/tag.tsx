/** A state as a sign and a word in its tone. */
import type { JSX } from "preact";
import type { Sign, Tone } from "../words/signs.ts";

export function Tag({ sign: [tone, sign], word }: { sign: Sign; word: string }): JSX.Element {
  return (
    <span class={`tag ${tone}`}>
      <span aria-hidden="true">{sign} </span>
      {word}
    </span>
  );
}

/** A part of a whole; the figure stands beside it. `ratio` below 0 or above 1 is drawn as none or all. */
export function Bar({ ratio, tone }: { ratio: number; tone: Tone }): JSX.Element {
  return (
    <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="meter-all" width="100" height="6" rx="3" />
      <rect class={`meter-${tone}`} width={Math.max(0, Math.min(1, ratio)) * 100} height="6" rx="3" />
    </svg>
  );
}
