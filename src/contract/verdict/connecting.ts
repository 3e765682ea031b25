/**
 * Silence and errors on the way to a connection, and connections that are torn in the middle. From one place a full
 * accept queue, a firewall that drops and a machine that is off are the same silence; what decides is whether anything
 * else got through to that machine at the same time.
 */
import type { Evidence } from "../evidence.ts";
import { countText, durationText } from "../quantities.ts";
import type { AttemptRecord } from "../record.ts";
import { decided, undecided } from "./case.ts";
import type { Case, ExchangeVerdict, Finding } from "./case.ts";
import { othersWhere, wallOf } from "./surroundings.ts";
import { citeAttempt, citeOthers } from "./witness.ts";

/** What was answered this long before the silence began still says that the machine was up. */
const JUST_BEFORE_MS = 10_000;
/** As many silent tries beside ones that got through are no lost packets. */
const SILENT_MIN = 3;
/** How many other machines have to be silent, too, before this one's own may be the reason. */
const ELSEWHERE_MIN = 2;
const TOGETHER_MS = 1_000;
const AFTERWARDS_MS = 5_000;

/** Backlog overflow, firewall drop, dead host, or new connections that this machine itself drops. */
export function judgeConnecting(one: Case): ExchangeVerdict | null {
  const { record, attempt, around } = one;
  if (attempt === null) return null;
  const suspects: Suspects = { found: ["origin.backlog_full", "net.filtered", "origin.host_dead"], because: [] };
  const connected = gotThrough(one, attempt);
  const silent = othersWhere(
    around,
    (other) => other.address === attempt.address && other.cause === "net.connect_timeout",
  );
  if (connected !== null) {
    const [first, ...more] = silent;
    if (first !== undefined && silent.length + 1 >= SILENT_MIN) {
      const text = `${countText(silent.length, "other attempt")} to connect there met silence in the same minute`;
      return decided(one, "origin.backlog_full", [connected, citeOthers(text, first, ...more)]);
    }
    suspects.found = ["origin.backlog_full", "net.path"];
    suspects.because.push(connected);
  } else ruleOutDead(one, attempt, suspects);
  suspectThisMachine(one, attempt, suspects);
  const [first, second, ...more] = suspects.found;
  if (first === undefined || second === undefined) return null;
  const tell = [first, second, ...more].map((suspect) => TELLING[suspect] ?? "").filter((text) => text !== "");
  const silence = citeAttempt(record, attempt, "nothing came back, neither an acceptance nor a refusal", {
    of: ["connectedUs"],
    signs: ["answeredAgoMs", "connectedAgoMs", "inFlight"],
  });
  return undecided(one, [first, second, ...more], [...suspects.because, silence], tell.join(" "));
}

interface Suspects {
  found: Finding[];
  readonly because: Evidence[];
}

const TELLING: Partial<Record<Finding, string>> = {
  "origin.backlog_full": "If ListenOverflows rises at the origin (`nstat`), its process accepts too slowly.",
  "net.filtered": "If the port answers from another network or the machine on another port, something filters.",
  "origin.host_dead": "If the machine answers on no port from anywhere, it is gone.",
  "net.path": "If pings to the machine are lost as well, it is the path.",
  "net.local_drop":
    "If this machine reaches no new address at all, look at `nf_conntrack_count` and its limit before anything else.",
};

/** Another connection to that very port was made while this one waited. */
function gotThrough({ record, around }: Case, attempt: AttemptRecord): Evidence | null {
  const { signs } = attempt;
  const waitedMs = (attempt.endedUs - attempt.startedUs) / 1000;
  if (signs !== null && signs.connectedAgoMs >= 0 && signs.connectedAgoMs <= waitedMs) {
    const text = `another connection to ${attempt.address} was made meanwhile, ${durationText(signs.connectedAgoMs * 1000)} before this one was given up`;
    return citeAttempt(record, attempt, text, { of: ["address", "startedUs", "endedUs"], signs: ["connectedAgoMs"] });
  }
  const from = wallOf(record, attempt.startedUs);
  const to = wallOf(record, attempt.endedUs);
  const [first, ...more] = othersWhere(around, (other, its) => {
    if (other.address !== attempt.address || other.reused || other.connectedUs === -1) return false;
    const at = wallOf(its, other.connectedUs);
    return at >= from && at <= to;
  });
  return first === undefined ? null : citeOthers("another connection to that port was made meanwhile", first, ...more);
}

/** Whatever the machine answered shows that it is there. */
function ruleOutDead({ record, around }: Case, attempt: AttemptRecord, suspects: Suspects): void {
  const { signs } = attempt;
  const waitedMs = (attempt.endedUs - attempt.startedUs) / 1000;
  const rule = (because: Evidence): void => {
    suspects.because.push(because);
    suspects.found = suspects.found.filter((suspect) => suspect !== "origin.host_dead");
  };
  if (signs !== null && signs.answeredAgoMs >= 0 && signs.answeredAgoMs <= waitedMs) {
    const text = `${attempt.address} answered others meanwhile, on connections that were open already: the machine is there`;
    rule(citeAttempt(record, attempt, text, { signs: ["answeredAgoMs", "limitMs"] }));
    return;
  }
  if (signs !== null && signs.answeredAgoMs >= 0 && signs.answeredAgoMs <= waitedMs + JUST_BEFORE_MS) {
    const text = `${attempt.address} had answered ${durationText(signs.answeredAgoMs * 1000)} before`;
    suspects.because.push(citeAttempt(record, attempt, text, { signs: ["answeredAgoMs"] }));
  }
  const from = wallOf(record, attempt.startedUs);
  const host = hostOf(attempt.address);
  const [first, ...more] = othersWhere(around, (other, its) => {
    const isSameMachine = hostOf(other.address) === host && (other.address !== attempt.address || other.status > 0);
    return isSameMachine && answered(other) && wallOf(its, other.endedUs) >= from;
  });
  if (first !== undefined) rule(citeOthers("the same machine answered others in that minute", first, ...more));
}

/** New connections that fail to machines which have nothing in common but that we ask for them. */
function suspectThisMachine({ record, around }: Case, attempt: AttemptRecord, suspects: Suspects): void {
  const dialled = [
    ...othersWhere(around, (other) => !other.reused && hostOf(other.address) !== hostOf(attempt.address)),
    ...record.attempts
      .filter((other) => other !== attempt && !other.reused && hostOf(other.address) !== hostOf(attempt.address))
      .map((other) => ({ record, attempt: other })),
  ];
  const silent = dialled.filter((other) => other.attempt.cause === "net.connect_timeout");
  const [made, ...moreMade] = dialled.filter((other) => answered(other.attempt));
  const hosts = new Set(silent.map((other) => hostOf(other.attempt.address)));
  const [first, ...more] = silent;
  if (first === undefined || hosts.size < ELSEWHERE_MIN) return;
  if (made !== undefined) {
    suspects.because.push(citeOthers("new connections to other machines were made all the same", made, ...moreMade));
    return;
  }
  const text = `new connections to ${hosts.size} other machines met silence, too, and none was made`;
  suspects.because.push(citeOthers(text, first, ...more));
  suspects.found = ["net.local_drop", ...suspects.found];
}

/** It got an answer of TCP, if only a refusal. */
function answered(attempt: AttemptRecord): boolean {
  return (!attempt.reused && attempt.connectedUs !== -1) || attempt.cause === "origin.refused" || attempt.status > 0;
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}

/** No route here, a machine that nobody hears there, or a rule of this machine's own firewall. */
export function judgeUnroutable(one: Case): ExchangeVerdict | null {
  const { record, attempt } = one;
  if (attempt === null || attempt.signs === null) return null;
  const cite = (text: string): Evidence => citeAttempt(record, attempt, text, { signs: ["detail"], of: ["address"] });
  switch (attempt.signs.detail) {
    case "EPERM":
    case "EACCES":
      return decided(one, "net.local_drop", [cite("this machine's own rules forbid the connection")]);
    case "EHOSTUNREACH":
    case "EHOSTDOWN":
      return undecided(
        one,
        ["origin.host_dead", "net.path"],
        [cite("a neighbour or a router says that nobody has the address")],
        "Look whether the machine is on. If it is, ask the router that says so for its way to it.",
      );
    default:
      return null;
  }
}

/** RST in the middle of a response: by a process that died, or by something between. */
export function judgeMidReset(one: Case): ExchangeVerdict | null {
  const { record, attempt, around } = one;
  if (attempt === null) return null;
  const at = wallOf(record, attempt.endedUs);
  const [refused, ...more] = [
    ...record.attempts
      .filter(
        (other) => other.address === attempt.address && isAfter(other.cause, other.endedUs / 1000 + record.startedAt),
      )
      .map((other) => ({ record, attempt: other })),
    ...othersWhere(
      around,
      (other, its) => other.address === attempt.address && isAfter(other.cause, wallOf(its, other.endedUs)),
    ),
  ];
  function isAfter(cause: AttemptRecord["cause"], when: number): boolean {
    return cause === "origin.refused" && when >= at && when <= at + AFTERWARDS_MS;
  }
  if (refused !== undefined) {
    return decided(one, "origin.down", [
      citeOthers("right afterwards nothing listened at that address any more: its process had ended", refused, ...more),
    ]);
  }
  const torn = othersWhere(
    around,
    (other, its) =>
      other.address === attempt.address &&
      other.cause === "net.mid_reset" &&
      Math.abs(wallOf(its, other.endedUs) - at) <= TOGETHER_MS,
  );
  const [first, ...rest] = torn;
  const because =
    first === undefined
      ? [
          citeAttempt(record, attempt, "nothing else of that address broke at that moment", {
            of: ["address", "endedUs"],
          }),
        ]
      : [
          citeOthers(
            `${countText(torn.length, "other response")} of that address broke at the same moment`,
            first,
            ...rest,
          ),
        ];
  return undecided(
    one,
    first === undefined ? ["net.path", "origin.down"] : ["origin.down", "net.path"],
    because,
    "If the origin's log has these requests as complete, it is the path. If it has nothing of them, or a start of the process, it is the origin.",
  );
}
