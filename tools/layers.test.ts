import path from "node:path";
import { describe, expect, test } from "vitest";
import { importsOf, sourceFiles } from "./imports.ts";
import { breachesIn } from "./layers.ts";

function breachesOf(file: string, text: string): string[] {
  return breachesIn([{ path: file, text }]);
}

describe("the layer check", () => {
  test("names the folders that are allowed when an import goes the wrong way", () => {
    expect(breachesOf("src/gateway/relay.ts", `\nimport { plan } from "../control/plan.ts";\n`)).toEqual([
      "src/gateway/relay.ts:2 imports ../control/plan.ts: gateway may import kernel, http1, http2, policies, config, contract; not control",
    ]);
    expect(breachesOf("src/kernel/ring.ts", `import type { Settings } from "../config/settings.ts";`)).toEqual([
      "src/kernel/ring.ts:1 imports ../config/settings.ts: kernel may import nothing; not config",
    ]);
  });

  test.each([
    ["src/gateway/a.ts", `import { b } from "./b.ts";`],
    ["src/gateway/a.ts", `import type { CauseId } from "../kernel/causes.ts";`],
    ["src/main.ts", `import net from "node:net";\nimport { run } from "./gateway/run.ts";`],
    ["src/net/dial.ts", `import * as net from "node:net";`],
    ["src/http1/a.ts", `import { Buffer } from "node:buffer";`],
    ["src/config/a.ts", `import { createHash } from "node:crypto";\nimport { parse } from "yaml";`],
    ["src/policies/a.ts", `import type { Socket } from "node:net";`],
    ["src/policies/a.ts", `import { type Hash, createHash as hash } from "node:crypto";`],
    ["src/policies/a.test.ts", `import { readFileSync } from "node:fs";\nimport "../control/x.ts";`],
    [
      "web/now/a.tsx",
      `import "./a.css";\nimport { useMemo } from "preact/hooks";\nimport { B } from "../parts/b.tsx";`,
    ],
    ["web/now/a.tsx", `import type { Story } from "../../src/contract/story.ts";`],
    ["src/kernel/a.ts", `// import { x } from "../gateway/x.ts";\n/*\nimport { x } from "../gateway/x.ts";\n*/`],
    ["src/kernel/a.ts", `const text = 'import { x } from "../gateway/x.ts"';`],
  ])("%s may say %s", (file, text) => {
    expect(breachesOf(file, text)).toEqual([]);
  });

  test.each([
    ["src/policies/a.ts", `import { randomBytes } from "node:crypto";`, "operating system"],
    ["src/policies/a.ts", `import crypto from "node:crypto";`, "operating system"],
    ["src/gateway/a.ts", `import { setTimeout } from "node:timers/promises";`, "operating system"],
    ["src/gateway/a.ts", `const fs = await import("node:fs");`, "operating system"],
    ["src/admin/a.ts", `import "node:fs";`, "operating system"],
    ["web/now/a.tsx", `import { x } from "../../src/gateway/x.ts";`, "web may import kernel, contract; not gateway"],
    ["web/now/a.tsx", `import { z } from "zod";`, "only preact"],
    ["src/admin/a.ts", `import { x } from "../../web/x.ts";`, "outside src/"],
    ["src/gateway/a.ts", `import fs from "fs";`, "node:"],
    ["src/policies/a.ts", `import { z } from "zod";`, "policies uses no packages"],
    ["src/contract/a.ts", `import { parse } from "yaml/dist/x";`, "only zod"],
    ["src/gateway/a.ts", `import { x } from "./x";`, ".ts"],
    ["src/gateway/a.ts", `import { x } from "./x.test.ts";`, "tests are imported by nothing"],
    ["src/gateway/a.ts", `import meta from "../../package.json" with { type: "json" };`, ".ts"],
    ["src/gateway/a.ts", `import { x } from "../../tools/x.ts";`, "outside src/"],
    ["src/gateway/a.ts", `export { x } from "./x.ts";`, "barrel"],
    ["src/gateway/a.ts", `export * from "./x.ts";`, "barrel"],
    ["src/gateway/a.ts", `export type { X } from "./x.ts";`, "barrel"],
    ["src/gateway/index.ts", ``, "barrel"],
    ["src/gateway/a.ts", `import {\n  one,\n  two as three,\n} from "../net/x.ts";`, "not net"],
    ["src/gateway/a.ts", `type X = typeof import("../net/x.ts");`, "not net"],
    ["src/gateway/a.ts", `const routes = ["/*"];\nconst x = await import("../net/x.ts"); /* */`, "not net"],
    ["src/helpers/a.ts", ``, "not in the table"],
    ["src/constructor/a.ts", ``, "not in the table"],
  ])("%s may not say %s", (file, text, why) => {
    const breaches = breachesOf(file, text);
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toContain(why);
  });

  test("tells a circle of files once, and none where the way back is a type", () => {
    const a = { path: "src/gateway/a.ts", text: `import { b } from "./b.ts";` };
    const b = { path: "src/gateway/b.ts", text: `import { c } from "./c.ts";` };
    const back = { path: "src/gateway/c.ts", text: `import { a } from "./a.ts";` };
    const typeBack = { path: "src/gateway/c.ts", text: `import type { A } from "./a.ts";` };
    expect(breachesIn([a, b, back])).toEqual([
      "src/gateway/a.ts → src/gateway/b.ts → src/gateway/c.ts → src/gateway/a.ts: a circle; move what both need into a file of its own",
    ]);
    expect(breachesIn([a, b, typeBack])).toEqual([]);
  });

  test("finds the files of this repository and imports in them", () => {
    const files = sourceFiles(path.join(import.meta.dirname, ".."), "src");
    expect(files.flatMap((file) => importsOf(file.text)).length).toBeGreaterThan(10);
  });
});
