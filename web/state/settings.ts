/** What a person chose, kept in this browser: colours, time zone, name, keys. All of it may be missing or refused. */
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
export type Zone = "local" | "UTC";

export const theme = signal<Theme>(read("theme", ["auto", "light", "dark"], "auto"));
export const zone = signal<Zone>(read("zone", ["local", "UTC"], "local"));
export const keys = signal<"on" | "off">(read("keys", ["on", "off"], "on"));
/** Who acts: asked for once, told with everything that this person changes. */
export const who = signal(readText("who"));

export function startSettings(): void {
  effect(() => write("theme", theme.value));
  effect(() => write("zone", zone.value));
  effect(() => write("keys", keys.value));
  effect(() => write("who", who.value));
  effect(() => {
    document.documentElement.style.colorScheme = theme.value === "auto" ? "light dark" : theme.value;
  });
}

function read<T extends string>(name: string, known: readonly T[], otherwise: T): T {
  const text = readText(name);
  return known.find((one) => one === text) ?? otherwise;
}

/** A browser may forbid it. */
function readText(name: string): string {
  try {
    return localStorage.getItem(`goodgate.${name}`) ?? "";
  } catch {
    return "";
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`goodgate.${name}`, value);
  } catch {
    // Then it lasts as long as the page does.
  }
}
