/**
 * Ties a schema to the type that it describes. The types of record.ts and view.ts are written by hand,
 * because they are read by people on the hot path's side; the schemas give the OpenAPI document and the
 * tests. `describes` refuses to compile when the two are not the same, so neither can drift.
 */
import type { z } from "zod";

/** `describes<ExchangeRecord>()(z.object({ … }))`: the schema itself, once its type is exactly that. */
export function describes<T>() {
  return <S extends z.ZodType>(
    schema: S,
    // Not an argument: where the types differ, the call lacks one and its error shows this sentence.
    ..._drift: Same<Plain<z.output<S>>, Plain<T>> extends true ? [] : ["schema and type differ"]
  ): S => schema;
}

/** Whether two types are one; assignability both ways would not see an optional field that only one has. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Without `readonly` and without names of interfaces, which say nothing about what goes over the wire. */
type Plain<T> = T extends readonly (infer E)[]
  ? Plain<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Plain<T[K]> }
    : T;
