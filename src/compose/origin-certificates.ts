/** The certificates and keys that the configuration names for origins: a start with one that is of no use is refused. */
import type { StartResult } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import { createOriginContexts, OriginTlsFault } from "../net/origin-contexts.ts";
import type { OriginContexts } from "../net/origin-contexts.ts";
import type { Events } from "./events.ts";

export function originContexts(tell: Events["tell"]): OriginContexts {
  return createOriginContexts({
    onRefused: ({ file, reason }) => tell("certificate.refused", `${file} ${reason}; what it was before is used on`),
  });
}

/** Null: all of them can be used. */
export function unusableOriginFile(
  settings: Settings,
  contexts: OriginContexts,
): Extract<StartResult, { ok: false }> | null {
  for (const { tls } of settings.services.flatMap(({ pools }) => pools.flatMap(({ origins }) => origins))) {
    if (tls === null) continue;
    try {
      contexts.contextOf(tls);
    } catch (error) {
      if (!(error instanceof OriginTlsFault)) throw error;
      return { ok: false, what: "certificate", where: error.file, code: error.reason, hint: error.hint };
    }
  }
  return null;
}
