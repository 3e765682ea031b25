/** Runs before each file of tests: what it starts can be found and ended, however the file itself ends (left-over.ts). */
import { expect } from "vitest";
import { markWorker } from "./left-over.ts";

markWorker(expect.getState().testPath ?? "");
