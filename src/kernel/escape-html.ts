/**
 * Text from outside made harmless inside HTML, in text and between quotes. Shared by the admin pages and by the pages
 * that visitors see, because two escapers are one that somebody forgot to mend.
 */
export function escapeHtml(text: string): string {
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
