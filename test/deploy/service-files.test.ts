/** What can be known of the deployment files without the systems that they are for. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { loadSettings } from "../../src/config/load.ts";

const DEPLOY = fileURLToPath(new URL("../../deploy", import.meta.url));
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("the units of systemd", () => {
  it.skipIf(!hasSystemd)("have no fault that systemd would find", () => {
    const folder = mkdtempSync(join(tmpdir(), "goodgate-units-"));
    try {
      for (const unit of ["goodgate.service", "goodgate.socket"]) {
        // The program has to be there to be found.
        const text = readFileSync(join(DEPLOY, "systemd", unit), "utf8");
        writeFileSync(join(folder, unit), text.replace("/usr/local/bin/node", process.execPath));
      }
      const units = ["goodgate.service", "goodgate.socket"].map((unit) => join(folder, unit));
      const verified = spawnSync("systemd-analyze", ["verify", ...units], { encoding: "utf8" });
      expect(verified.stderr.split("\n").filter((line) => line.includes("goodgate"))).toEqual([]);
      expect(verified.status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
        }[];
      };
    };
  };
}

test("the manifests of Kubernetes hold a configuration without problems, and time to drain by it", () => {
  const text = readFileSync(join(DEPLOY, "kubernetes/goodgate.yaml"), "utf8");
  const manifests = parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
  expect(manifests.map(({ kind }) => kind)).toEqual([
    "ConfigMap",
    "Deployment",
    "Service",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
  ]);
  const loaded = loadSettings(manifests[0]?.data?.["goodgate.yaml"] ?? "", "goodgate.yaml");
  expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  const pod = manifests[1]?.spec?.template?.spec;
  const preStop = Number(pod?.containers[0]?.lifecycle.preStop.exec.command.at(-1));
  const drain = loaded.ok ? loaded.settings.drainMs / 1000 : Infinity;
  expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(preStop + drain);
});
