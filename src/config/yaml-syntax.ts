/**
 * What is wrong with a text as YAML, in words for the person who wrote it. The parser speaks of flow
 * collections and implicit keys; a person thinks of brackets, colons and indentation.
 */
import type { Document, ErrorCode, YAMLError } from "yaml";
import type { Path } from "./problems.ts";

/** Something wrong with the text itself. */
export interface TextProblem {
  readonly offset: number;
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

/** 1-based line and column of an offset. */
export type PlaceOf = (offset: number) => { readonly line: number; readonly column: number };

/** One problem for each line: a slip makes the parser stumble several times in a row. */
export function syntaxProblems(
  document: Document,
  second: Document | undefined,
  text: string,
  placeOf: PlaceOf,
): TextProblem[] {
  const problems: TextProblem[] = [];
  const seen = new Set<number>();
  for (const error of [...document.errors, ...document.warnings]) {
    const offset = error.pos[0];
    const { line } = placeOf(offset);
    if (seen.has(line)) continue;
    seen.add(line);
    problems.push({ offset, path: [], ...syntaxWords(error, text) });
  }
  const version = document.directives?.yaml.explicit === true ? document.directives.yaml.version : "1.2";
  if (version !== "1.2") {
    problems.push({
      offset: 0,
      path: [],
      message: `The file asks for YAML ${version}, where words such as no and on are not text.`,
      hint: "Remove the line %YAML.",
    });
  }
  if (second !== undefined) problems.push(secondDocument(second.range?.[0] ?? 0, text));
  return problems;
}

function secondDocument(offset: number, text: string): TextProblem {
  // The range of a document begins behind its `---`, which is what the reader looks for.
  const marker = text.lastIndexOf("---", offset);
  return {
    offset: marker === -1 ? offset : marker,
    path: [],
    message: "A second YAML document begins here, and a configuration is one.",
    hint: "Remove the line --- or put the parts into one document.",
  };
}

/** The commonest slips in our words; the rest in the parser's. */
function syntaxWords(error: YAMLError, text: string): SyntaxWords {
  const words = SYNTAX_WORDS[error.code];
  if (words !== undefined) return words(text.slice(error.pos[0]), error);
  return notYaml(error);
}

interface SyntaxWords {
  readonly message: string;
  readonly hint: string;
}

export const TOO_DEEP: SyntaxWords = {
  message: "The file is nested too deeply to be a configuration.",
  hint: "",
};

const SYNTAX_WORDS: Readonly<Partial<Record<ErrorCode, (rest: string, error: YAMLError) => SyntaxWords>>> = {
  TAB_AS_INDENT: () => ({
    message: "A tab is used for indentation, which YAML does not allow.",
    hint: "Indent with spaces.",
  }),
  BAD_INDENT: (_rest, error) =>
    error.message.startsWith("Flow")
      ? {
          message: "A bracket or a brace before this place is not closed.",
          hint: "Close it, or indent the lines inside of it.",
        }
      : {
          message: `The indentation is not right: ${error.message}.`,
          hint: "Entries of one list or mapping begin in one column.",
        },
  BAD_ALIAS: () => ({ message: "A star stands where a value is expected.", hint: 'Put it in quotes: "*".' }),
  BAD_SCALAR_START: (rest) => ({ message: `A value cannot begin with ${rest.charAt(0)}.`, hint: "Put it in quotes." }),
  BLOCK_AS_IMPLICIT_KEY: () => ({
    message: "A key and its value stand where a value has begun already.",
    hint: "Check the indentation of this line and the next, or put a text with a colon in quotes.",
  }),
  MULTILINE_IMPLICIT_KEY: () => ({
    message: "A key goes over several lines.",
    hint: "Is a colon missing, or the indentation wrong?",
  }),
  MISSING_CHAR: (_rest, error) =>
    MISSING_WORDS.find(([start]) => error.message.startsWith(start))?.[1] ?? notYaml(error),
  BLOCK_IN_FLOW: () => ({
    message: "A key stands where the last value has not ended.",
    hint: "Is a comma missing before it?",
  }),
  UNEXPECTED_TOKEN: (_rest, error) =>
    error.message.startsWith("Unexpected")
      ? {
          message: "Something stands here that does not belong.",
          hint: "Is a comma, a colon or a line break missing before it?",
        }
      : notYaml(error),
  // The parser descends by recursion and reports the end of its stack as an error of the text.
  RESOURCE_EXHAUSTION: () => TOO_DEEP,
  TAG_RESOLVE_FAILED: (rest) => ({
    message: `The tag ${/^\S+/.exec(rest)?.[0] ?? ""} means nothing here.`,
    hint: "Remove the tag.",
  }),
};

/** By the beginning of the parser's message. */
const MISSING_WORDS: readonly (readonly [string, SyntaxWords])[] = [
  [
    "Missing closing",
    {
      message: "A quote is not closed before the end of the file.",
      hint: "Look for the quote that opens a text and has no partner.",
    },
  ],
  ["Implicit map keys", { message: "A key has no value.", hint: "Is a colon missing behind it?" }],
  ["Missing ,", { message: "Two values stand side by side.", hint: "Is a comma or a colon missing between them?" }],
  [
    "Flow",
    {
      message: "A bracket or a brace before this place is not closed.",
      hint: "Close it, or indent the lines inside of it.",
    },
  ],
];

function notYaml(error: YAMLError): SyntaxWords {
  return {
    message: `This is not YAML: ${sentence(error.message)}`,
    hint: "Check the indentation, brackets and quotes before this place.",
  };
}

/** The longest of the parser's own messages has some hundred. */
const MESSAGE_MAX = 160;

function sentence(message: string): string {
  // Some of them end with a piece of the file, however long that is.
  const [first = ""] = message.split("\n");
  const line = first.length > MESSAGE_MAX ? `${first.slice(0, MESSAGE_MAX)}…` : first;
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}${line.endsWith(".") ? "" : "."}`;
}
