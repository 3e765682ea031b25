/**
 * From the text of a configuration file to settings, or to everything that is wrong with it: every problem
 * at once, in the order of the file, each with line, column, path and a hint. Never throws, whatever the text.
 */
import { crossFindings } from "./cross-checks.ts";
import { fileJsonSchema, homesOf, keysAt } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";
import { normalise } from "./normalise.ts";
import { originTlsFindings } from "./origin-tls-checks.ts";
import { bounded } from "./parsed.ts";
import { pathText, schemaFindings } from "./problems.ts";
import type { ConfigNote, ConfigProblem, Finding, KeyHints } from "./problems.ts";
import { routeFindings } from "./route-checks.ts";
import { fileSchema } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { isMapping, readYaml } from "./yaml-tree.ts";
import type { Place, YamlTree } from "./yaml-tree.ts";

export type LoadResult =
  | { readonly ok: true; readonly settings: Settings; readonly notes: ConfigNote[] }
  | { readonly ok: false; readonly problems: ConfigProblem[] };

/** A thousand routes take some 200 KiB. */
const TEXT_MAX = 1024 * 1024;
/** Enough for a person; a file of the wrong kind has a problem on each line. */
const PROBLEMS_MAX = 100;

/** `fileName` is only repeated in what is reported. */
export function loadSettings(text: string, fileName: string): LoadResult {
  if (text.length > TEXT_MAX) {
    return unreadable(
      fileName,
      `The file has ${text.length} characters, and a configuration has at most ${TEXT_MAX}.`,
      "",
    );
  }
  if (isUtf16(text)) {
    return unreadable(
      fileName,
      "The file is in UTF-16, and a configuration is in UTF-8.",
      "Save it again as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW.",
    );
  }
  const tree = readYaml(text);
  const ofText = tree.problems.map((problem): Located => ({ ...problem, at: "value" }));
  if (tree.root === null && ofText.length > 0) return { ok: false, problems: placed(ofText, tree, fileName) };
  if (tree.root === null || tree.root.value === null) return unreadable(fileName, "The file is empty.", SMALLEST);
  const { value, place } = tree.root;
  if (ofText.length === 0 && !isMapping(value))
    return unreadable(fileName, "The file is not a mapping of keys to values.", SMALLEST);
  const checked = checkValue(value);
  const problems = [...ofText, ...checked.problems.map((finding) => located(finding, place))];
  if (problems.length > 0 || checked.settings === null)
    return { ok: false, problems: placed(problems, tree, fileName) };
  const notes = checked.notes.map((finding) => located(finding, place));
  return {
    ok: true,
    settings: checked.settings,
    notes: placed(notes, tree, fileName).map(asNote),
  };
}

/** As it looks when it was read as UTF-8: each byte of the mark is a replacement character, every second byte is zero. */
function isUtf16(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- zero bytes are what gives it away.
  return /^(?:\uFFFD\uFFFD)?(?:[^\0]\0[^\0]\0|\0[^\0]\0[^\0])/.test(text);
}

const SMALLEST =
  'A whole configuration can be one line: services: { app: { pools: [{ origins: ["http://127.0.0.1:3000"] }] } }';

export interface CheckedValue {
  /** Null when there are problems. */
  readonly settings: Settings | null;
  readonly problems: readonly Finding[];
  readonly notes: readonly Finding[];
}

/** All checks but those of the text itself. */
export function checkValue(value: unknown): CheckedValue {
  const parsed = fileSchema.safeParse(value);
  const routes = routeFindings(value);
  const found = parsed.success ? [] : schemaFindings(parsed.error.issues, value, hints());
  const tls = originTlsFindings(value);
  const problems = [...found, ...crossFindings(value), ...tls.problems, ...routes.problems];
  return {
    settings: parsed.success && problems.length === 0 ? normalise(parsed.data) : null,
    problems,
    notes: [...tls.notes, ...routes.notes],
  };
}

function hints(): KeyHints {
  // Made when the first unknown key asks for it: most files have none.
  let made: JsonSchema | null = null;
  const schema = (): JsonSchema => (made ??= fileJsonSchema());
  return { keysAt: (path) => keysAt(schema(), path), homesOf: (key) => homesOf(schema(), key) };
}

function asNote({ file, line, column, path, message }: ConfigProblem): ConfigNote {
  return { file, line, column, path, message };
}

type Located = Finding & { readonly offset: number };

/** The place of what is not there is the key of the innermost mapping around it that is. */
function located(finding: Finding, root: Place): Located {
  let place = root;
  for (const part of finding.path) {
    const child = place.children.get(part);
    if (child === undefined) return { ...finding, offset: place.keyOffset };
    place = child;
  }
  return { ...finding, offset: finding.at === "key" ? place.keyOffset : place.offset };
}

function placed(findings: readonly Located[], tree: YamlTree, file: string): ConfigProblem[] {
  // An alias shows one text in several paths; saying it once is enough.
  const once = new Map(
    findings.map((finding) => [`${finding.offset} ${finding.message}`, finding] as const).toReversed(),
  );
  const inOrder = [...once.values()].toReversed().toSorted((one, other) => one.offset - other.offset);
  const problems = inOrder.slice(0, PROBLEMS_MAX).map(({ offset, path, message, hint }) => {
    const said = { path: pathText(path), message: bounded(message), hint: bounded(hint) };
    return { file, ...tree.placeOf(offset), ...said };
  });
  const left = inOrder.length - problems.length;
  const last = problems.at(-1);
  if (left > 0 && last !== undefined)
    problems.push({ ...last, path: "", message: `There are ${left} more problems below.`, hint: "" });
  return problems;
}

function unreadable(file: string, message: string, hint: string): LoadResult {
  return { ok: false, problems: [{ file, line: 1, column: 1, path: "", message, hint }] };
}
