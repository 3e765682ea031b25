import { expect, test } from "vitest";
import { NO_OUTLOOK } from "./limit-foresight.ts";
import type { Outlook } from "./limit-foresight.ts";
import { arrive, createAdmissionQueue, nextWaiter, takeExpired } from "./admission-queue.ts";
import type { AdmissionQueue, QueueEntry } from "./admission-queue.ts";

const OPTIONS = { calmMs: 500, stressedMs: 20, criticalMs: 1_000, waitingMax: 1_000 };
const somewhere = (): boolean => true;

function come(queue: AdmissionQueue<string>, name: string, now: number, hasWaited = false): boolean {
  const arrival = { route: 0, rank: 1, congested: true, outlook: NO_OUTLOOK, deadlineAt: Infinity, hasWaited } as const;
  return arrive(OPTIONS, queue, name, arrival, now).entry !== null;
}

/** A queue that has stood for a second and served a hundred. */
function stressed(): AdmissionQueue<string> {
  const queue = createAdmissionQueue<string>();
  const out: QueueEntry<string>[] = [];
  come(queue, "first", 0);
  for (let now = 0; now < 1_000; now += 10) {
    come(queue, `at ${now}`, now);
    come(queue, `too, at ${now}`, now);
    nextWaiter(queue, somewhere, now);
    takeExpired(queue, now, out);
  }
  return queue;
}

test("who was turned away and came back when it was told to goes before newcomers, and waits in the order of coming", () => {
  const queue = stressed();
  const out: QueueEntry<string>[] = [];
  takeExpired(queue, 1_600, out);
  come(queue, "newcomer", 1_600);
  come(queue, "second visit", 1_601, true);
  come(queue, "later second visit", 1_602, true);
  come(queue, "last newcomer", 1_603);
  const order = Array.from({ length: 4 }, () => nextWaiter(queue, somewhere, 1_604)?.waiter);
  expect(order).toEqual(["second visit", "later second visit", "last newcomer", "newcomer"]);
});

test("who comes with its deadline behind it is refused at once, and takes nobody's place", () => {
  const queue = createAdmissionQueue<string>();
  come(queue, "in time", 0);
  const arrival = {
    route: 0,
    rank: 1,
    congested: false,
    outlook: NO_OUTLOOK,
    deadlineAt: 5,
    hasWaited: false,
  } as const;
  expect(arrive({ ...OPTIONS, waitingMax: 1 }, queue, "late", arrival, 5)).toEqual({
    entry: null,
    displaced: null,
    because: "expired",
  });
  expect(queue.waiting).toBe(1);
});

test("no more of them keep a place than can be served while they wait", () => {
  const queue = stressed();
  for (let i = 0; i < 500; i += 1) come(queue, `visitor ${i}`, 1_000, true);
  const patient = queue.lanes.reduce(
    (sum, lane) => sum + (lane?.patient.filter((entry) => !entry.gone).length ?? 0),
    0,
  );
  expect(patient).toBeGreaterThan(5);
  expect(patient).toBeLessThan(200);
});

test("who comes to a burst's queue that is too long to be served in time hears so at once, and hardly anybody waits in vain", () => {
  const queue = createAdmissionQueue<string>();
  const served: string[] = [];
  let refused = 0;
  // Two come every five milliseconds, one goes on every ten: in 500 ms it will be fifty.
  for (let now = 0; now < 400; now += 5) {
    for (const which of ["a", "b"]) if (!come(queue, `${which} at ${now}`, now)) refused += 1;
    const next = now % 10 === 0 ? nextWaiter(queue, somewhere, now) : null;
    if (next !== null) served.push(next.waiter);
  }
  expect(refused).toBeGreaterThan(30);
  const out: QueueEntry<string>[] = [];
  for (let now = 400; now < 1_000; now += 10) {
    takeExpired(queue, now, out);
    nextWaiter(queue, somewhere, now);
  }
  expect(out.length).toBeLessThan(10);
  expect(queue.waiting).toBe(0);
});

test("a background request does not queue behind others that wait for late answers", () => {
  const queue = createAdmissionQueue<string>();
  const arrival = {
    route: 1,
    rank: 2,
    congested: true,
    outlook: NO_OUTLOOK,
    deadlineAt: Infinity,
    hasWaited: false,
  } as const;
  come(queue, "normal", 0);
  expect(arrive(OPTIONS, queue, "at once", arrival, 10).entry).not.toBeNull();
  expect(arrive(OPTIONS, queue, "later", arrival, 20)).toMatchObject({ entry: null, because: "lower class" });
  expect(arrive(OPTIONS, queue, "in a burst", { ...arrival, congested: false }, 20).entry).not.toBeNull();
});

test("where the pace of the origins is known, as many wait from the first moment on as go on in time", () => {
  const arrival = { route: 0, rank: 1, congested: true, deadlineAt: Infinity, hasWaited: false } as const;
  const admitted = (outlook: Outlook): number => {
    const queue = createAdmissionQueue<string>();
    let count = 0;
    for (let i = 0; i < 100; i += 1)
      if (arrive(OPTIONS, queue, "", { ...arrival, outlook }, 0).entry !== null) count += 1;
    return count;
  };
  expect(admitted(NO_OUTLOOK)).toBe(100);
  expect(admitted({ perSecond: 50, ahead: 0 })).toBe(20);
  // What the origins hold too much of comes out first.
  expect(admitted({ perSecond: 50, ahead: 12 })).toBe(8);
  expect(admitted({ perSecond: 50, ahead: 30 })).toBe(0);
});

test("where the pace of the origins is known, a background request does not queue behind others at all", () => {
  const queue = createAdmissionQueue<string>();
  const outlook = { perSecond: 50, ahead: 0 };
  const arrival = { route: 1, rank: 2, congested: true, outlook, deadlineAt: Infinity, hasWaited: false } as const;
  expect(arrive(OPTIONS, queue, "alone", arrival, 0).entry).not.toBeNull();
  come(queue, "normal", 0);
  expect(arrive(OPTIONS, queue, "behind", arrival, 0)).toMatchObject({ entry: null, because: "lower class" });
});

test("a critical request waits whatever the pace", () => {
  const queue = createAdmissionQueue<string>();
  const outlook = { perSecond: 1, ahead: 100 };
  const arrival = { route: 0, rank: 0, congested: true, outlook, deadlineAt: Infinity, hasWaited: false } as const;
  expect(arrive(OPTIONS, queue, "critical", arrival, 0).entry).not.toBeNull();
});
