/**
 * YAML text to plain data, with the place of every key and value beside it, and everything that is wrong
 * with the text as such. JSON is read as the YAML that it is.
 *
 * The tree is built here and not by the library's own conversion, for three reasons: that forgets places,
 * it lets a small file grow without bound through aliases, and it has opinions (dates, sets, `__proto__`).
 * Merge keys (`<<`) and anchors work, because people keep defaults in them; tags do not.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Alias, Node, Pair, YAMLMap } from "yaml";
import { quoted } from "./parsed.ts";
import type { Path } from "./problems.ts";
import { syntaxProblems, TOO_DEEP } from "./yaml-syntax.ts";
import type { PlaceOf, TextProblem } from "./yaml-syntax.ts";

/** Where a value and its key begin, as offsets in the text. */
export interface Place {
  readonly offset: number;
  /** Of the key in front of the value; the offset of the value where there is none. */
  readonly keyOffset: number;
  readonly children: ReadonlyMap<string | number, Place>;
}

export interface YamlTree {
  /** Null when the text has no tree; `problems` then says why. */
  readonly root: { readonly value: unknown; readonly place: Place } | null;
  readonly problems: readonly TextProblem[];
  readonly placeOf: PlaceOf;
}

/** After aliases are followed. A large installation has some ten thousand values. */
const VALUES_MAX = 200_000;
const DEPTH_MAX = 32;

export function readYaml(text: string): YamlTree {
  const placeOf = placesIn(text);
  const tooDeep = { offset: 0, path: [], ...TOO_DEEP };
  let documents;
  try {
    // Duplicate keys are found below: the library compares every key with every other.
    documents = parseAllDocuments(text, {
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: "silent",
    });
  } catch (error) {
    // The library descends by recursion, and a megabyte of brackets is deeper than any stack.
    if (error instanceof RangeError) return { root: null, problems: [tooDeep], placeOf };
    throw error;
  }
  const [document, second] = [...documents];
  if (document === undefined) return { root: null, problems: [], placeOf };
  const syntax = syntaxProblems(document, second, text, placeOf);
  if (syntax.length > 0 || document.contents === null) return { root: null, problems: syntax, placeOf };
  const builder = createBuilder();
  const root = builder.build(document.contents, [], -1, 0);
  return { root, problems: builder.problems, placeOf };
}

interface Built {
  readonly value: unknown;
  readonly place: Place;
}

interface Builder {
  readonly problems: TextProblem[];
  build(node: Node | null, path: Path, keyOffset: number, depth: number): Built;
}

function createBuilder(): Builder {
  const problems: TextProblem[] = [];
  const anchors = new Map<string, Node>();
  /** Nodes that are being built: an alias to one of them has no end. */
  const open = new Set<Node>();
  let values = 0;

  function build(node: Node | null, path: Path, keyOffset: number, depth: number): Built {
    const offset = node?.range?.[0] ?? Math.max(0, keyOffset);
    const key = keyOffset < 0 ? offset : keyOffset;
    const nothing = { value: null, place: { offset, keyOffset: key, children: NO_CHILDREN } };
    const report = (message: string, hint: string): Built => {
      problems.push({ offset, path, message, hint });
      return { ...nothing, value: UNREADABLE };
    };
    values += 1;
    if (values === VALUES_MAX)
      return report(
        `The file has more than ${VALUES_MAX} values once its aliases are followed.`,
        "Use fewer aliases of large parts.",
      );
    if (values > VALUES_MAX) return { ...nothing, value: UNREADABLE };
    if (node === null) return nothing;
    if (depth > DEPTH_MAX) return report(TOO_DEEP.message, TOO_DEEP.hint);
    if (isAlias(node)) return follow(node, path, key, depth, report);
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (node.tag !== undefined && !PLAIN_TAGS.has(node.tag))
      return report(`The tag ${node.tag.replace("tag:yaml.org,2002:", "!!")} means nothing here.`, "Remove the tag.");
    if (isScalar(node)) return { ...nothing, value: scalarValue(node.value) };
    open.add(node);
    try {
      if (isSeq(node)) {
        const items = node.items.map((item, index) =>
          build(isPair(item) ? null : (item as Node | null), [...path, index], -1, depth + 1),
        );
        const value = items.map((item) => item.value);
        return {
          value,
          place: {
            offset,
            keyOffset: key,
            children: new Map(items.map((item, index) => [index, item.place])),
          },
        };
      }
      return isMap(node) ? buildMap(node, path, offset, key, depth) : nothing;
    } finally {
      open.delete(node);
    }
  }

  function follow(
    alias: Alias,
    path: Path,
    keyOffset: number,
    depth: number,
    report: (message: string, hint: string) => Built,
  ): Built {
    const target = anchors.get(alias.source);
    if (target === undefined) {
      return report(
        `There is no anchor &${alias.source} before this alias.`,
        `If the text ${quoted(`*${alias.source}`)} is meant, put it in quotes: a star at the beginning of a YAML value makes an alias.`,
      );
    }
    if (open.has(target))
      return report(`The alias *${alias.source} is inside of what it stands for.`, "Write the value out.");
    return build(target, path, keyOffset, depth);
  }

  function buildMap(map: YAMLMap, path: Path, offset: number, keyOffset: number, depth: number): Built {
    const value: Record<string, unknown> = {};
    const children = new Map<string | number, Place>();
    const merges: (readonly [Pair, number])[] = [];
    for (const pair of map.items) {
      const keyNode = pair.key as Node | null;
      const at = keyNode?.range?.[0] ?? offset;
      const name = keyName(keyNode);
      if (name === null) {
        problems.push({ offset: at, path, message: "A key must be plain text.", hint: "" });
        continue;
      }
      if (name === "<<") {
        merges.push([pair, at]);
        continue;
      }
      if (name === "__proto__") {
        problems.push({ offset: at, path, message: 'The key "__proto__" is not allowed anywhere.', hint: "" });
        continue;
      }
      if (children.has(name)) {
        problems.push({
          offset: at,
          path: [...path, name],
          message: `The key ${quoted(name)} is written twice in one mapping.`,
          hint: "Keep one of them.",
        });
        continue;
      }
      const built = build(pair.value as Node | null, [...path, name], at, depth + 1);
      value[name] = built.value;
      children.set(name, built.place);
    }
    for (const [pair, at] of merges) merge(pair.value as Node | null, at, path, depth, value, children);
    return { value, place: { offset, keyOffset, children } };
  }

  /** Keys that are written outrank merged ones, and earlier merges outrank later ones. */
  function merge(
    source: Node | null,
    at: number,
    path: Path,
    depth: number,
    value: Record<string, unknown>,
    children: Map<string | number, Place>,
  ): void {
    const sources = isSeq(source) ? (source.items as (Node | null)[]) : [source];
    for (const each of sources) {
      const built = build(each, path, at, depth + 1);
      if (!isMapping(built.value)) {
        if (built.value !== UNREADABLE)
          problems.push({
            offset: at,
            path,
            message: "Only mappings can be merged with <<.",
            hint: "Write an alias of a mapping behind it.",
          });
        continue;
      }
      for (const [name, merged] of Object.entries(built.value)) {
        const place = built.place.children.get(name);
        if (children.has(name) || place === undefined) continue;
        value[name] = merged;
        children.set(name, place);
      }
    }
  }

  return { problems, build };
}

/** The library's own counter of lines loses some after errors. */
function placesIn(text: string): PlaceOf {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return (offset) => {
    const line = Math.max(1, starts.findLastIndex((start) => start <= offset) + 1);
    return { line, column: offset - (starts[line - 1] ?? 0) + 1 };
  };
}

/** Stands for a value that has been reported already, so that the schema does not complain about it again. */
export const UNREADABLE: unique symbol = Symbol("unreadable");

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const NO_CHILDREN: ReadonlyMap<string | number, Place> = new Map();

const PLAIN_TAGS: ReadonlySet<string> = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`),
);

function scalarValue(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

function keyName(node: Node | null): string | null {
  if (!isScalar(node) || node.value === null || (node.tag !== undefined && !PLAIN_TAGS.has(node.tag))) return null;
  const { value, source } = node;
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? (source ?? String(value)) : null;
}
