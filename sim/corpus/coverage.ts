/**
 * What the corpus has to have in it: the mechanisms by which services fail (the 24 that the drills of this project count, by number),
 * the signals that are mistaken for each other with both their members, the conclusions there are, and what is no fault. Each
 * names its cases: disturbances, scenarios of the simulator, or kinds of quiet weeks. coverage.test.ts fails when one is missing.
 */
import type { ConclusionId } from "../../src/kernel/conclusions.ts";

export interface Mechanism {
  readonly number: number;
  readonly title: string;
  readonly cases: readonly string[];
  /** Why there is nothing that an engine of diagnosis could see of it here. Empty: there is. */
  readonly unseen: string;
}

export const MECHANISMS: readonly Mechanism[] = [
  seen(
    1,
    "bad configuration, everywhere at once",
    "wrong configuration",
    "a configuration that only some workers have",
  ),
  unseen(
    2,
    "delayed crash that poisons what was last known to be good",
    "which revision is kept as good is decided where revisions are governed; of the crash itself the restart is told",
    "the gateway restarted and cold",
  ),
  seen(3, "good and bad configurations alternate", "good and bad configurations take turns"),
  unseen(
    4,
    "empty, old or shrunken control data obeyed",
    "the data plane refuses such data, and nothing fails; what is let through is a change of the set of origins",
    "a new origin that does not work",
    "a zone answers with nothing",
    "names-vanish",
  ),
  seen(
    5,
    "answers of DNS vanish while origins are well",
    "resolver down",
    "resolver down, last good addresses used",
    "one zone broken",
    "dns-dark",
    "dns-loss",
    "names-vanish",
  ),
  seen(
    6,
    "name moved, old address kept, or an address that is somebody else's",
    "name moved to a wrong address",
    "a name leads to somebody else's certificate",
    "an address belongs to somebody else now",
    "wrong-tenant",
  ),
  seen(7, "storm of repeats, overload that keeps itself up", "repeats are the load", "overload outlives its trigger"),
  seen(8, "herd on recovery", "everybody comes back at once", "an outage, and everybody comes back at once"),
  seen(9, "cache lost", "cache lost"),
  seen(10, "slow origin drains what is shared", "one route slow", "one origin slow", "slow-neighbour"),
  seen(11, "the probe removes everybody", "check broken", "lying-checks"),
  seen(
    12,
    "gray origin, fast-failing black hole, failing keys",
    "gray origin: resets",
    "gray origin: errors",
    "fast failing origin",
    "some keys of a route fail on every origin",
    "gray-origin",
    "fast-failing",
  ),
  seen(13, "a defence turns on own traffic", "our own limit hits a friend", "bots and floods"),
  unseen(
    14,
    "a dependency in the way of requests",
    "the gateway has none: nothing of a request waits for another service; a dependency of origins shows as theirs",
    "application fails everywhere",
    "sick-dependency",
  ),
  seen(15, "standby not ready", "weak-standby", "provider out: refused"),
  seen(16, "flapping and needless failover", "origin comes and goes", "flapping"),
  seen(
    17,
    "peak above what there is, spill that topples the next",
    "surge of new work",
    "waves of new work",
    "origins too small for the usual load",
    "queue for connections full",
  ),
  seen(
    18,
    "storms of connections, hard limits",
    "descriptors used up",
    "no local ports",
    "connections used up",
    "memory at its end",
    "connection-flood",
  ),
  seen(19, "kept connections are closed as they are used", "keep-alive race", "idle connections forgotten"),
  seen(20, "failure after the first byte", "truncated answers", "answers stop halfway at one origin"),
  seen(
    21,
    "certificate, chain, clock",
    "one certificate has expired",
    "this machine's clock is wrong",
    "wrong certificate deployed",
    "an issuer that nobody knows",
    "our own certificate is refused",
  ),
  seen(22, "drift", "one worker unlike the others", "one node unlike the others"),
  seen(23, "poison request", "crash on one request", "poison"),
  unseen(
    24,
    "blind and locked out",
    "an engine that hears nothing concludes nothing; what it shows then is tested where it is shown (service-health.ts: no data is no health)",
  ),
];

/** A symptom, whom it is blamed on first, and what it is: the engine is asked about both. */
export interface Pair {
  readonly id: string;
  readonly symptom: string;
  readonly suspect: readonly string[];
  readonly truth: readonly string[];
}

export const PAIRS: readonly Pair[] = [
  pair("A1", "a rare 502", ["origin crashes", "gray origin: resets"], ["keep-alive race"]),
  pair("A2", "slow, or 504", ["the application slow everywhere", "one origin slow"], ["resolver down"]),
  pair("A3", "no origin is left", ["everything refuses"], ["check broken"]),
  pair("A4", "errors come in pulses", ["waves of new work"], ["good and bad configurations take turns"]),
  pair("A5", "it began when something was changed", ["wrong configuration"], ["a change after it began"]),
  pair("A6", "all routes slow", ["the application slow everywhere"], ["gateway slow, nothing fails"]),
  pair(
    "A7",
    "a steady quarter fails",
    ["one of four origins answers errors only"],
    ["one worker unlike the others", "one node unlike the others"],
  ),
  pair("A8", "calls time out and it heals by itself", ["resolver down"], ["too many questions for the resolver"]),
  pair("A9", "certificates out of date", ["one certificate has expired"], ["this machine's clock is wrong"]),
  pair(
    "A10",
    "one provider cannot be reached",
    ["provider out: silence"],
    ["the way to one provider loses packets", "the only provider cannot be connected to"],
  ),
  pair("keep-alive race or crash on a request", "connections break", ["crash on one request"], ["keep-alive race"]),
  pair(
    "queue, filter or dead machine",
    "connecting ends in silence",
    ["queue for connections full", "silent at one port of a machine that answers at another"],
    ["machine gone or filtered", "machine gone, and the ladder says so"],
  ),
  pair("descriptors or names", "names cannot be resolved", ["one zone broken"], ["descriptors used up"]),
  pair(
    "own stall or slow origin",
    "late answers",
    ["one origin slow"],
    ["gateway stands still", "one worker stands still"],
  ),
  pair(
    "stale name or wrong certificate",
    "a certificate for another name",
    ["wrong certificate deployed"],
    ["a name leads to somebody else's certificate"],
  ),
  pair("truncated or stalled", "a body ends early", ["truncated answers"], ["answers stop halfway at one origin"]),
  pair(
    "large packets or a stopping origin",
    "bodies stand still",
    ["answers stop halfway at one origin"],
    ["large answers vanish on the way"],
  ),
  pair(
    "clients leave or it is slow",
    "many leave before their answer",
    ["clients leave, answers as fast as ever"],
    ["clients leave because it is slow"],
  ),
  pair(
    "inner gateway or the application",
    "a 5xx comes back",
    ["application fails everywhere"],
    ["inner gateway answers for the application", "stacked-gateways"],
  ),
  pair("habit or fault", "errors as an hour ago", ["what ends every night does not end"], ["a batch every night"]),
  pair("surge or repeats", "more comes than fits", ["surge of new work"], ["repeats are the load"]),
  pair("surge or herd", "more comes than fits", ["surge of new work"], ["everybody comes back at once"]),
  pair(
    "deploy or provider",
    "it began with a deploy",
    ["bad version on one pool"],
    ["a deploy while its provider fails"],
  ),
  pair(
    "restart or crash",
    "it began with a start",
    ["the gateway restarted and cold"],
    ["a restart beside an origin that crashes"],
  ),
  pair(
    "this machine or a provider",
    "nothing can be connected to",
    ["provider out: silence"],
    ["this machine drops new connections"],
  ),
];

/** Conclusions that no case is about, and why. */
export const NOT_CONCLUDED: Readonly<Partial<Record<ConclusionId, string>>> = {
  "net.path": "from one place it cannot be told from its provider's outage: two cases ask for that to be said",
  "net.filtered":
    "from here it cannot be told from a full queue, nor from a machine that is gone: two cases ask for that to be said",
  "change.drill": "a drill where it runs is no incident at all: the quiet kind of that name asks for it",
};

export const NO_FAULT: readonly { readonly title: string; readonly cases: readonly string[] }[] = [
  { title: "quiet days", cases: ["days and nights", "stray failures", "clients that leave", "drills"] },
  { title: "swings of load", cases: ["swings of load", "bots and floods"] },
  { title: "habits", cases: ["a batch every night"] },
  { title: "deploys without fault", cases: ["deploys done well", "restarts done well"] },
];

function seen(number: number, title: string, ...cases: readonly string[]): Mechanism {
  return { number, title, cases, unseen: "" };
}

function unseen(number: number, title: string, why: string, ...cases: readonly string[]): Mechanism {
  return { number, title, cases, unseen: why };
}

function pair(id: string, symptom: string, suspect: readonly string[], truth: readonly string[]): Pair {
  return { id, symptom, suspect, truth };
}
