/** What a handle under a stream is used for; tcp-socket.test.ts and tls-socket.test.ts have them at work. */
import { expect, it } from "vitest";
import { bindingOf } from "./stream-handle.ts";

it("what a version of Node has no more is named, instead of failing at the first connection", () => {
  expect(() => bindingOf<{ wrap: unknown; unwrap: unknown }>("tls_wrap", ["wrap", "unwrap"])).toThrow(
    `Node ${process.versions.node} has no tls_wrap with unwrap`,
  );
});
