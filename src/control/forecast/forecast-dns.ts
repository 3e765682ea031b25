/**
 * Names whose answers drift: an origin's addresses that change again and again, or a name that has not been resolved
 * for a while and lives on its last good answer, which is kept only so long (dns.keep).
 */
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { HOUR, MINUTE } from "./forecaster.ts";

const CHANGES_MIN = 6;
const WITHIN_MS: number = 2 * HOUR;
const FAILING_MS: number = 5 * MINUTE;
const NAMES_MAX = 1000;
/** How what is told of a name ends that never had an address here. */
const NO_ANSWER = "no answer is known";

interface Name {
  readonly where: Readonly<Record<string, string>>;
  changes: { readonly at: number; readonly id: string; readonly text: string }[];
  failing: { readonly at: number; readonly because: string } | null;
}

export function foreseeDns(): Forecaster {
  const names = new Map<string, Name>();
  function nameOf(where: Readonly<Record<string, string>>): Name | null {
    const key = keyOf(where);
    const known = names.get(key);
    if (known !== undefined) return known;
    if (names.size >= NAMES_MAX) return null;
    const name: Name = { where, changes: [], failing: null };
    names.set(key, name);
    return name;
  }
  return {
    hear(fact) {
      if (fact.kind === "topology") {
        const places = fact.services.flatMap(({ name: service, pools }) =>
          pools.flatMap(({ origins }) => origins.map((origin) => keyOf({ service, origin }))),
        );
        const served = new Set(places);
        // Who is not asked any more is not told as resolved again either.
        for (const key of names.keys()) if (!served.has(key)) names.delete(key);
      } else if (fact.kind === "change" && fact.what === "dns answer changed") {
        const name = nameOf(fact.where);
        if (name === null) return;
        const recent = name.changes.filter(({ at }) => fact.at - at < WITHIN_MS);
        name.changes = [...recent, { at: fact.at, id: fact.id, text: fact.text }].slice(-CHANGES_MIN * 4);
      } else if (fact.kind === "event" && fact.event.kind === "resolution") {
        const { service, origin, because } = fact.event;
        const name = nameOf({ service, origin });
        if (name === null) return;
        name.failing = because === "" ? null : (name.failing ?? { at: fact.at, because });
      }
    },
    look: ({ now }) =>
      [...names.values()].flatMap((name) =>
        [restless(name, now), unresolved(name, now)].filter((sign) => sign !== null),
      ),
  };
}

function keyOf(where: Readonly<Record<string, string>>): string {
  return `${where["service"] ?? ""}\n${where["origin"] ?? ""}`;
}

function restless({ where, changes }: Name, now: number): Foreseen | null {
  const lately = changes.filter(({ at }) => now - at < WITHIN_MS);
  const last = lately.at(-1);
  if (last === undefined || lately.length < CHANGES_MIN) return null;
  return {
    id: `dns drift/${Object.values(where).join("/")}`,
    kind: "dns drift",
    severity: "notice",
    title: `The addresses of ${where["origin"] ?? "an origin"} change again and again`,
    where,
    when: null,
    confidence: 0.8,
    evidence: [
      {
        text: `They changed ${lately.length} times within two hours, last: ${last.text}`,
        cites: [{ kind: "change", id: last.id, at: last.at, text: last.text }],
      },
    ],
    advice: "See whether that is meant (a balancer behind the name), or whether several name servers disagree.",
  };
}

function unresolved({ where, failing }: Name, now: number): Foreseen | null {
  if (failing === null || now - failing.at < FAILING_MS) return null;
  const isKept = !failing.because.endsWith(NO_ANSWER);
  return {
    id: `dns drift/${Object.values(where).join("/")}/unresolved`,
    kind: "dns drift",
    severity: "warning",
    title: `${where["origin"] ?? "An origin"} ${isKept ? "lives on its last good address" : "has no address"}`,
    where,
    when: null,
    confidence: 0.95,
    evidence: [
      {
        text: `Its name has not been resolved for ${Math.round((now - failing.at) / MINUTE)} min: ${failing.because}`,
        cites: [{ kind: "event", at: failing.at, code: "resolution", text: failing.because }],
      },
    ],
    advice: isKept
      ? "Mend the resolver or the zone before the last good answer is too old (dns.keep), or name a second resolver under dns."
      : "Check how the name is written, then the zone and the resolver: nothing is sent there until it has an address.",
  };
}
