/** The table of causes, asked for once when somebody needs it. */
import { signal } from "@preact/signals";
import type { CausesResponse } from "../../src/contract/api-responses.ts";
import type { Cause } from "../../src/kernel/causes.ts";
import { ask } from "./api.ts";

export const causes = signal<ReadonlyMap<string, Cause>>(new Map());
let isAsked = false;

export async function needCauses(): Promise<void> {
  if (isAsked) return;
  isAsked = true;
  const answer = await ask<CausesResponse>("/causes");
  if (answer.ok) causes.value = new Map(answer.value.causes.map((cause) => [cause.id, cause]));
  else isAsked = false;
}
