/** Reads and checks a configuration file, and says what is wrong with it in the one way that all commands share. */
import type { ConfigNote } from "../config/problems.ts";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import type { Complaint } from "./context.ts";
import { complain, sayJson } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { plain } from "./page.ts";
import type { CliPorts } from "./ports.ts";
import { problemLines } from "./problem-lines.ts";

/** Looked for in the working directory when no file is named. */
export const CONFIG_FILE = "goodgate.yaml";

/** Where the gateway in front of the sample origins listens. Loopback: a first look is nobody else's business. */
export const SAMPLE_BIND = "127.0.0.1:8080";

export type LoadedFile =
  | { readonly ok: true; readonly settings: Settings; readonly notes: readonly ConfigNote[] }
  | { readonly ok: false; readonly exit: ExitCode };

/** On a failure everything has been said already; only the exit code is left to return. */
export async function loadFile(ports: CliPorts, file: string, json: boolean): Promise<LoadedFile> {
  const read = await ports.readFile(file);
  if (!read.ok) return { ok: false, exit: complain(ports, unreadable(file, read.code), json) };
  const loaded = loadSettings(read.text, file);
  if (loaded.ok) return loaded;
  if (json) sayJson(ports, { ok: false, file, problems: loaded.problems });
  else ports.stderr(`${problemLines(loaded.problems, read.text, ports.errorTerminal).join("\n")}\n`);
  return { ok: false, exit: EXIT.no };
}

function unreadable(file: string, code: string): Complaint {
  const shown = plain(file);
  const hints: Readonly<Record<string, string>> = {
    ENOENT: "Check the path. A gateway needs no file at all:  goodgate proxy --to http://127.0.0.1:3000",
    EACCES: "Make it readable for this user.",
    EISDIR: "It is a folder; name the file in it.",
    "no regular file": "A gateway that takes another one's place needs a file that can be read again.",
    EFBIG: "No configuration is that large; check that it is the right file.",
  };
  const message = code === "ENOENT" ? `there is no file ${shown}.` : `${shown} cannot be read (${code}).`;
  return {
    code: "file-unreadable",
    exit: EXIT.no,
    message,
    hints: [hints[code] ?? "Check the path and the rights of this user."],
  };
}
