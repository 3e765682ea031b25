/**
 * HTML as a tagged template in which every value is escaped unless it is HTML already. Forgetting to escape
 * is then not possible, which matters here: paths, hosts and user agents come from whoever sent a request.
 */
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

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "").replaceAll(CONTROLS, "\uFFFD");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Controls, which HTML does not allow, and those that turn the direction of text, which can make a name read as another. */
// oxlint-disable-next-line no-control-regex -- they are what is to be found
const CONTROLS = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
