/** What a handle under a stream is used for; tcp-socket.test.ts and tls-socket.test.ts have them at work. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { bindingOf } from "./stream-handle.ts";

it("what a version of Node has no more is named, instead of failing at the first connection", () => {
  expect(() => bindingOf<{ wrap: unknown; unwrap: unknown }>("tls_wrap", ["wrap", "unwrap"])).toThrow(
    `Node ${process.versions.node} has no tls_wrap with unwrap`,
  );
});

it("no option of Node that makes much of what is deprecated keeps it from being found", () => {
  const module = fileURLToPath(new URL("stream-handle.ts", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ["--pending-deprecation", "--throw-deprecation", module], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  expect(stderr).not.toContain("DEP0111");
  expect(status).toBe(0);
});
