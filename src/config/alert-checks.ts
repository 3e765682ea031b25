/** Checks of `alerts` and `statusPage` that compare distant places: sinks and services that must exist, and what needs a control plane. */
import { nearest } from "../kernel/nearest.ts";
import { quoted } from "./parsed.ts";
import { valueAt } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";
import { isMapping } from "./yaml-tree.ts";

export function alertFindings(file: unknown): Finding[] {
  return [...statusPageFindings(file), ...alertsFindings(file)];
}

function alertsFindings(file: unknown): Finding[] {
  const alerts = valueAt(file, ["alerts"]);
  if (!isMapping(alerts)) return [];
  const written = valueAt(file, ["alerts", "sinks"]);
  const sinks = isMapping(written) ? Object.keys(written) : [];
  return [
    ...controlFinding(file, "alerts"),
    ...(isMapping(written) && sinks.length === 0
      ? [
          problem(
            ["alerts", "sinks"],
            "There is no sink, so nobody would be told.",
            "Name one, or write alerts: false.",
          ),
        ]
      : []),
    ...(sinks.length === 0 ? [] : routesFindings(file, sinks)),
    ...sinks.flatMap((name) => passwordFindings(file, ["alerts", "sinks", name, "email"])),
  ];
}

function statusPageFindings(file: unknown): Finding[] {
  const page = valueAt(file, ["statusPage"]);
  if (!isMapping(page)) return [];
  const services = valueAt(file, ["services"]);
  const known = isMapping(services) ? Object.keys(services) : [];
  const shown = valueAt(page, ["services"]);
  return [
    ...controlFinding(file, "statusPage"),
    ...Object.keys(isMapping(shown) ? shown : {}).flatMap((name) => {
      if (known.includes(name)) return [];
      const near = nearest(name, known);
      const hint = near === null ? `There is: ${known.join(", ")}.` : `Did you mean ${quoted(near)}?`;
      return [
        {
          ...problem(["statusPage", "services", name], `There is no service ${quoted(name)}.`, hint),
          at: "key" as const,
        },
      ];
    }),
  ];
}

function controlFinding(file: unknown, key: "alerts" | "statusPage"): Finding[] {
  if (valueAt(file, ["control"]) !== false) return [];
  const message = "Nobody finds out what there is to tell while the control plane is off: control is false.";
  return [problem([key], message, `Leave control out, or write ${key}: false.`)];
}

function routesFindings(file: unknown, sinks: readonly string[]): Finding[] {
  const path: Path = ["alerts", "routes"];
  const names = new Map<string, number>();
  const services = valueAt(file, ["services"]);
  const known = isMapping(services) ? Object.keys(services) : [];
  return listAt(file, path).flatMap((route, index) => {
    const at = [...path, index];
    const findings = [
      ...unknownNames(file, [...at, "to"], sinks, "sink"),
      ...listAt(file, [...at, "escalate"]).flatMap((_, step) =>
        unknownNames(file, [...at, "escalate", step, "to"], sinks, "sink"),
      ),
      ...unknownNames(file, [...at, "match", "service"], known, "service"),
    ];
    const written = valueAt(route, ["name"]);
    const name = typeof written === "string" ? written : `route-${index + 1}`;
    const first = names.get(name);
    names.set(name, first ?? index);
    if (first !== undefined) {
      findings.push(
        problem(
          typeof written === "string" ? [...at, "name"] : at,
          `Two routes of alerts are named ${quoted(name)}.`,
          `The other one is alerts.routes[${first}].`,
        ),
      );
    }
    return findings;
  });
}

function unknownNames(file: unknown, path: Path, known: readonly string[], what: "sink" | "service"): Finding[] {
  return listAt(file, path).flatMap((name, index) => {
    if (typeof name !== "string" || known.includes(name)) return [];
    const near = nearest(name, known);
    const hint = near === null ? `There is: ${known.join(", ")}.` : `Did you mean ${quoted(near)}?`;
    return [problem([...path, index], `There is no ${what} ${quoted(name)}.`, hint)];
  });
}

function passwordFindings(file: unknown, path: Path): Finding[] {
  const hasUser = valueAt(file, [...path, "user"]) !== undefined;
  const hasPassword = valueAt(file, [...path, "password"]) !== undefined;
  if (hasUser === hasPassword) return [];
  const here = hasUser ? "user" : "password";
  const other = hasUser ? "password" : "user";
  return [
    problem([...path, here], `Nobody signs in with a ${here} and no ${other}.`, `Add ${other}, or leave this out.`),
  ];
}

function listAt(file: unknown, path: Path): readonly unknown[] {
  const value = valueAt(file, path);
  return Array.isArray(value) ? value : [];
}

function problem(path: Path, message: string, hint: string): Finding {
  return { path, at: "value", message, hint };
}
