import { expect, test } from "vitest";
import { isSuspect, judgeOutlier } from "./outlier.ts";

const options = { consecutiveFailures: 5, successRatioMin: 0.8, requestsMin: 20 };
const silent = { failures: 0, total: 0 };

test("four failures in a row are no reason, five are, when the peers are well or have no traffic", () => {
  const own = { failures: 5, total: 5 };
  expect(judgeOutlier(options, 4, own, silent)).toBe("sound");
  expect(judgeOutlier(options, 5, own, silent)).toBe("failures-in-a-row");
  expect(judgeOutlier(options, 5, own, { failures: 0, total: 1000 })).toBe("failures-in-a-row");
});

test("where a third of all requests fails, five in a row are an everyday event and thirteen are not", () => {
  const own = { failures: 7, total: 15 };
  const peers = { failures: 333, total: 1000 };
  expect(judgeOutlier(options, 5, own, peers)).toBe("alike");
  expect(judgeOutlier(options, 12, own, peers)).toBe("alike");
  expect(judgeOutlier(options, 13, own, peers)).toBe("failures-in-a-row");
});

test("when everybody fails nobody is an outlier, however long the run", () => {
  expect(judgeOutlier(options, 1_000_000, { failures: 100, total: 100 }, { failures: 90, total: 90 })).toBe("alike");
});

test("two failed requests of peers are no proof that all fail alike", () => {
  expect(judgeOutlier(options, 6, { failures: 6, total: 6 }, { failures: 2, total: 2 })).toBe("failures-in-a-row");
});

test("a success ratio counts from twenty results on, below 80 %, and only against clearly better peers", () => {
  const good = { failures: 1, total: 100 };
  expect(judgeOutlier(options, 1, { failures: 19, total: 19 }, good)).toBe("sound");
  expect(judgeOutlier(options, 1, { failures: 4, total: 20 }, good)).toBe("sound");
  expect(judgeOutlier(options, 1, { failures: 5, total: 20 }, good)).toBe("success-ratio");
  expect(judgeOutlier(options, 1, { failures: 5, total: 20 }, { failures: 13, total: 100 })).toBe("alike");
  expect(judgeOutlier(options, 1, { failures: 5, total: 20 }, { failures: 12, total: 100 })).toBe("success-ratio");
  expect(judgeOutlier(options, 1, { failures: 5, total: 20 }, { failures: 0, total: 19 })).toBe("alike");
});

test("the cheap question and the judgement agree about who is sound", () => {
  for (const run of [0, 4, 5, 9]) {
    for (const failures of [0, 4, 5, 20]) {
      const own = { failures, total: 20 };
      expect(isSuspect(options, run, own)).toBe(judgeOutlier(options, run, own, silent) !== "sound");
    }
  }
});
