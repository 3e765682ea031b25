/**
 * The kinds of values that a configuration has: duration, size, ratio, count, choice, text with a form. Each
 * is a zod schema that reads what the operator wrote and carries what the reference and the JSON Schema
 * say about it. Their own checks and not zod's built-in ones, because a message has to name the value and
 * show the right form.
 *
 * A default is written in the operator's own notation and goes through the same check as a file.
 */
import { z } from "zod";
import { nearest } from "../kernel/nearest.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import {
  DURATION_PATTERN,
  formatDuration,
  formatRatio,
  formatSize,
  parseDuration,
  parseRatio,
  parseSize,
  SIZE_PATTERN,
} from "./units.ts";

/** What is known of a kind of value besides how to check it. */
export interface FieldFacts {
  /** For the reference: `duration`, `list of names`. */
  readonly type: string;
  /** For the reference: `1ms to 1h`; empty when there is nothing to say. */
  readonly bounds: string;
  /** What a JSON Schema can say of it. */
  readonly json: Readonly<Record<string, unknown>>;
}

export const fieldFacts = z.registry<FieldFacts>();

export type Field<Value> = z.ZodPipe<z.ZodUnknown, z.ZodTransform<Value>>;

/** A value that `parse` accepts. Absent values never get here: they have a default or are reported as missing. */
export function field<Value>(facts: FieldFacts, parse: (input: unknown) => Parsed<Value>): Field<Value> {
  const schema = z.unknown().transform((input, context): Value => {
    const parsed = input === undefined ? refused(MISSING) : input === null ? refused(EMPTY, EMPTY_HINT) : parse(input);
    if (parsed.ok) return parsed.value;
    context.issues.push({ code: "custom", message: parsed.message, params: { hint: parsed.hint }, input });
    return z.NEVER;
  });
  fieldFacts.add(schema, facts);
  return schema;
}

export const MISSING = "This key is missing.";
export const EMPTY = "Nothing is written here.";
export const EMPTY_HINT = "Give it a value, or leave the key out.";

export function duration(min: string, max: string): Field<number> {
  const bounds = { min: known(parseDuration(min, NO_BOUNDS)), max: known(parseDuration(max, NO_BOUNDS)) };
  const text = `${formatDuration(bounds.min)} to ${formatDuration(bounds.max)}`;
  return field({ type: "duration", bounds: text, json: { type: "string", pattern: DURATION_PATTERN } }, (input) =>
    parseDuration(input, bounds),
  );
}

/** A duration, or false for none, which the settings write as 0. */
export function durationOrFalse(min: string, max: string): Field<number> {
  const bounds = { min: known(parseDuration(min, NO_BOUNDS)), max: known(parseDuration(max, NO_BOUNDS)) };
  const text = `${formatDuration(bounds.min)} to ${formatDuration(bounds.max)}`;
  const json = { anyOf: [{ const: false }, { type: "string", pattern: DURATION_PATTERN }] };
  return field({ type: "duration or false", bounds: text, json }, (input) => {
    if (input === false) return accepted(0);
    const parsed = parseDuration(input, bounds);
    return parsed.ok || parsed.hint !== "" ? parsed : refused(parsed.message, "For no limit write false.");
  });
}

export function size(min: string, max: string): Field<number> {
  const bounds = { min: known(parseSize(min, NO_BOUNDS)), max: known(parseSize(max, NO_BOUNDS)) };
  const text = `${formatSize(bounds.min)} to ${formatSize(bounds.max)}`;
  return field({ type: "size", bounds: text, json: { type: "string", pattern: SIZE_PATTERN } }, (input) =>
    parseSize(input, bounds),
  );
}

export function ratio(min: number, max: number): Field<number> {
  const json = {
    anyOf: [
      { type: "number", minimum: min, maximum: max },
      { type: "string", pattern: "^[0-9]+(\\.[0-9]+)?%$" },
    ],
  };
  return field({ type: "ratio", bounds: `${formatRatio(min)} to ${formatRatio(max)}`, json }, (input) =>
    parseRatio(input, { min, max }),
  );
}

/** A whole number of `things`, which the messages name. */
export function count(things: string, min: number, max: number): Field<number> {
  return field(
    { type: "whole number", bounds: `${min} to ${max}`, json: { type: "integer", minimum: min, maximum: max } },
    (input) => {
      if (typeof input !== "number" || !Number.isInteger(input)) {
        return refused(`${quoted(input)} is not a whole number of ${things}.`, `Write a number from ${min} to ${max}.`);
      }
      return input >= min && input <= max
        ? accepted(input)
        : refused(`${input} is out of bounds: ${min} to ${max} ${things}.`);
    },
  );
}

export function yesOrNo(): Field<boolean> {
  return field({ type: "true or false", bounds: "", json: { type: "boolean" } }, (input) => {
    if (typeof input === "boolean") return accepted(input);
    const isWord = typeof input === "string" && /^(yes|no|on|off)$/i.test(input);
    return refused(
      `${quoted(input)} is not true or false.`,
      isWord ? `Write ${/^(yes|on)$/i.test(input) ? "true" : "false"}.` : "",
    );
  });
}

export function choice<const Value extends string>(values: readonly Value[]): Field<Value> {
  const listed = values.join(", ");
  return field({ type: values.join(" or "), bounds: "", json: { enum: [...values] } }, (input) => {
    const value = values.find((candidate) => candidate === input);
    if (value !== undefined) return accepted(value);
    const meant = typeof input === "string" ? nearest(input, values) : null;
    return refused(`${quoted(input)} is not one of ${listed}.`, meant === null ? "" : `Did you mean ${meant}?`);
  });
}

/** Text that `parse` accepts; `pattern` is as much of it as a JSON Schema can check. */
export function text<Value>(
  type: string,
  parse: (input: unknown) => Parsed<Value>,
  { bounds = "", pattern }: { readonly bounds?: string; readonly pattern?: string } = {},
): Field<Value> {
  const json = pattern === undefined ? { type: "string" } : { type: "string", pattern };
  return field({ type, bounds, json }, parse);
}

/**
 * False alone: the first half of "a section, or false". `alsoTrue`: true stands for the section with its defaults.
 * `example`: what would be right, of a section that has none without being written.
 */
export function switchedOff({ alsoTrue = false, example = "" } = {}): Field<false> {
  const what = alsoTrue ? "is not true, false or a mapping" : "is neither a mapping nor false";
  return field({ type: "false", bounds: "", json: { const: false } }, (input) => {
    if (input === false) return accepted(false);
    const hint = example === "" ? hintForSwitch(input, alsoTrue) : `Write ${example}, or false for none.`;
    return refused(`${quoted(input)} ${what}.`, hint);
  });
}

function hintForSwitch(input: unknown, alsoTrue: boolean): string {
  const isOn = input === true || (typeof input === "string" && /^(yes|on|true)$/i.test(input));
  if (!isOn) return "Write false to switch it off.";
  return alsoTrue ? "Write true." : "Leave the key out to have it with its defaults.";
}

/** True alone: the short form of a section with every default. */
export function yes(what = "a mapping"): Field<true> {
  return field({ type: "true", bounds: "", json: { const: true } }, (input) =>
    input === true ? accepted(true) : refused(`${quoted(input)} is neither ${what} nor true.`, ""),
  );
}

const NO_BOUNDS = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** For values written in this program, which are right or a bug. */
function known<Value>(parsed: Parsed<Value>): Value {
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}
