/**
 * The answer of everything that reads a piece of operator's text: a value, or what is wrong with the text
 * and how to put it right. Never an exception: a typing error is an expected outcome.
 */
export type Parsed<Value> = { readonly ok: true; readonly value: Value } | Refusal;

export interface Refusal {
  readonly ok: false;
  /** A sentence that says what is wrong and names the value: `"5 seconds" is not a duration.` */
  readonly message: string;
  /** A sentence that says what to write instead; empty when the message says it all. */
  readonly hint: string;
}

export function accepted<Value>(value: Value): Parsed<Value> {
  return { ok: true, value };
}

export function refused(message: string, hint = ""): Refusal {
  return { ok: false, message: sentence(message), hint };
}

/** Messages begin with the value; "a list" at the beginning of a sentence is "A list". */
export function sentence(message: string): string {
  return /^(a list|a mapping|nothing)\b/.test(message)
    ? `${message.charAt(0).toUpperCase()}${message.slice(1)}`
    : message;
}

const SHOWN_MAX = 80;

/** A text of the file, cut where a person has seen enough of it. */
export function shown(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

const WORD_MAX = 120;
const LONG_WORD = new RegExp(`\\S{${WORD_MAX + 1},}`, "g");

/** For messages that repeat anchors, tags and URLs bare: no word of them is longer than a person reads. */
export function bounded(text: string): string {
  return text.replace(LONG_WORD, (word) => `${word.slice(0, WORD_MAX - 2)}…${word.endsWith(".") ? "." : ""}`);
}

/** A value as a message quotes it: text in quotes and bounded, collections by their kind. */
export function quoted(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(shown(value));
  }
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "a list" : "a mapping";
}
