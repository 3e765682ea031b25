/**
 * Evidence for verdicts, taken down together with what it stands on: each method puts the very fields into the
 * citation from which its sentence was made, so that a reader can look them up, and a field that does not exist
 * cannot be cited.
 */
import type { DecisionCode } from "../../kernel/decisions.ts";
import type { Citation, Evidence } from "../evidence.ts";
import type { AttemptRecord, ExchangeRecord, FailureSigns, OwnState } from "../record.ts";

type Plain = string | number | boolean | null;
type PlainKeys<T> = { [K in keyof T]: T[K] extends Plain ? K : never }[keyof T] & string;

export type RecordField = PlainKeys<ExchangeRecord>;
export type AttemptField = PlainKeys<AttemptRecord>;
export type SignField = PlainKeys<FailureSigns>;
export type OwnField = PlainKeys<OwnState>;

/** What is cited of an attempt, by where it stands in it. */
export interface AttemptFields {
  readonly of?: readonly AttemptField[];
  readonly signs?: readonly SignField[];
  readonly own?: readonly OwnField[];
  /** The mark with this number. */
  readonly mark?: number;
}

export function citeRecord(record: ExchangeRecord, text: string, ...fields: readonly RecordField[]): Evidence {
  return { text, cites: [exchangeCitation(record, fieldsOf(record, fields, ""))] };
}

/** How this process was when the exchange failed. Cites the state itself where it was taken down. */
export function citeOwn(record: ExchangeRecord, text: string, ...fields: readonly OwnField[]): Evidence {
  const { own } = record;
  const cited = own === null ? { own: "none" } : fieldsOf(own, fields, "own.");
  return { text, cites: [exchangeCitation(record, cited)] };
}

export function citeAttempt(
  record: ExchangeRecord,
  attempt: AttemptRecord,
  text: string,
  fields: AttemptFields,
): Evidence {
  return { text, cites: [exchangeCitation(record, attemptFields(record, attempt, fields))] };
}

/** A decision in its own words; null: it was not made. */
export function citeDecision(record: ExchangeRecord, code: DecisionCode): Evidence | null {
  const index = record.decisions.findIndex((decision) => decision.code === code);
  const decision = record.decisions[index];
  if (decision === undefined) return null;
  return { text: decision.reason, cites: [exchangeCitation(record, { [`decisions[${index}].code`]: code })] };
}

/** Other exchanges, each with the attempt that says it. At most `CITED_MAX` are named. */
export function citeOthers(text: string, first: Other, ...more: readonly Other[]): Evidence {
  const cite = ({ record, attempt }: Other): Citation =>
    exchangeCitation(
      record,
      attempt === null
        ? fieldsOf(record, ["cause", "doneUs"], "")
        : attemptFields(record, attempt, { of: ["address", "cause", "status"] }),
    );
  return { text, cites: [cite(first), ...more.slice(0, CITED_MAX - 1).map(cite)] };
}

export interface Other {
  readonly record: ExchangeRecord;
  /** Null: the exchange as a whole says it. */
  readonly attempt: AttemptRecord | null;
}

const CITED_MAX = 5;

function attemptFields(
  record: ExchangeRecord,
  attempt: AttemptRecord,
  { of = [], signs = [], own = [], mark }: AttemptFields,
): Record<string, string | number> {
  const at = `attempts[${record.attempts.indexOf(attempt)}].`;
  const fields = fieldsOf(attempt, of, at);
  const seen = attempt.signs;
  if (seen === null) return fields;
  Object.assign(fields, fieldsOf(seen, signs, `${at}signs.`), fieldsOf(seen.own, own, `${at}signs.own.`));
  const found = mark === undefined ? undefined : seen.marks[mark];
  if (found !== undefined) {
    fields[`${at}signs.marks[${mark}].text`] = found.text;
    fields[`${at}signs.marks[${mark}].says`] = found.says;
  }
  return fields;
}

function fieldsOf<T extends object>(
  holder: T,
  names: readonly PlainKeys<T>[],
  prefix: string,
): Record<string, string | number> {
  const fields: Record<string, string | number> = {};
  for (const name of names) {
    fields[prefix + name] = plainText(holder[name]);
  }
  return fields;
}

function plainText(value: unknown): string | number {
  if (typeof value === "number" || typeof value === "string") return value;
  return value === null ? "none" : value === true ? "true" : "false";
}

function exchangeCitation(record: ExchangeRecord, fields: Readonly<Record<string, string | number>>): Citation {
  return { kind: "exchange", id: record.id, at: record.startedAt, fields };
}
