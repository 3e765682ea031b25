/**
 * HTML as a tagged template in which every value is escaped unless it is HTML already. Forgetting to escape
 * is then not possible, which matters here: paths, hosts and user agents come from whoever sent a request.
 */
import { escapeHtml } from "../kernel/escape-html.ts";

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = string | number | Html | null | readonly HtmlValue[];

/** Values may stand in text and between double quotes. Lists are joined without a gap; null is nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0] ?? "";
  values.forEach((value, index) => {
    text += textOf(value) + (strings[index + 1] ?? "");
  });
  return new Html(text);
}

function textOf(value: HtmlValue): string {
  if (value === null) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(textOf).join("");
  return escapeHtml(String(value));
}
