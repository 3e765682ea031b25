/**
 * `goodgate certificate dev`: TLS on one's own machine, with the few words that it takes to trust it. `list` and `renew`
 * are about those that a gateway obtains by itself: obtained-certificates.ts.
 */
import { join } from "node:path";
import { complain, sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { obtainedCertificates } from "./obtained-certificates.ts";
import { labelled, pageWidth, plain } from "./page.ts";
import type { CliPorts, DevCertificateResult, Terminal } from "./ports.ts";

export interface CertificateOptions {
  readonly dir?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export async function certificateCommand(
  ports: CliPorts,
  args: readonly string[],
  options: CertificateOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const [what, ...hosts] = args;
  if (what === "list" || what === "renew") return obtainedCertificates(ports, what, hosts[0], options);
  if (what !== "dev") {
    const message = what === undefined ? "say which certificate." : `there is no certificate ${plain(what)}.`;
    return complain(
      ports,
      { code: "usage", exit: EXIT.usage, message, hints: ["For this machine:  goodgate certificate dev"] },
      json,
    );
  }
  const wrong = hosts.find((host) => !/^(\*\.)?[\w.-]{1,253}$|^[0-9a-f:]+$/i.test(host));
  if (wrong !== undefined) {
    const message = `${plain(wrong)} is not the name or the address of a host.`;
    return complain(ports, { code: "usage", exit: EXIT.usage, message, hints: [] }, json);
  }
  const made = await ports.makeDevCertificate(options.dir ?? devDirectory(ports.env), hosts);
  if (!made.ok) return complain(ports, cannotMake(made), json);
  if (json) sayJson(ports, made);
  else sayLines(ports, madeLines(made, ports.terminal));
  return EXIT.ok;
}

/** Where it is kept when nobody says: with the data of this user. */
export function devDirectory(env: CliPorts["env"]): string {
  const data = env["XDG_DATA_HOME"] ?? "";
  return join(data === "" ? join(env["HOME"] ?? ".", ".local", "share") : data, "goodgate", "dev");
}

/** Whose word stands for what `goodgate proxy --tls` shows. */
export function devAuthority(env: CliPorts["env"]): string {
  return join(devDirectory(env), "authority.pem");
}

export function cannotMake({ where, code }: Extract<DevCertificateResult, { ok: false }>): {
  code: string;
  exit: ExitCode;
  message: string;
  hints: string[];
} {
  return {
    code: "certificate-not-made",
    exit: EXIT.no,
    message: `no certificate could be made: ${plain(where)} cannot be used (${plain(code)}).`,
    hints: ["Name a folder that this user may write:  goodgate certificate dev --dir FOLDER"],
  };
}

function madeLines(made: Extract<DevCertificateResult, { ok: true }>, terminal: Terminal): string[] {
  const { paint } = terminal;
  const authority = plain(made.authority);
  const rows = [
    { label: "authority", text: `${authority}${made.isNew ? "  (new)" : ""}` },
    { label: "certificate", text: plain(made.cert) },
    { label: "key", text: plain(made.key) },
    { label: "names", text: plain(made.names.join(", ")) },
    { label: "until", text: new Date(made.notAfter).toISOString().slice(0, 10) },
  ];
  return [
    ...labelled(rows, Math.max(pageWidth(terminal), 100), (label) => paint("cyan", label)),
    "",
    paint("bold", "Use it"),
    "  goodgate proxy --to http://127.0.0.1:3000 --tls",
    `  curl --cacert ${authority} https://localhost:8080/`,
    "",
    paint("bold", "Trust it on this machine"),
    `  Debian   sudo cp ${authority} /usr/local/share/ca-certificates/goodgate.crt && sudo update-ca-certificates`,
    `  Fedora   sudo trust anchor ${authority}`,
    `  macOS    sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${authority}`,
    "  Firefox  Settings, Certificates, Authorities, Import",
    // On Linux it has a store of its own and does not look into the system's.
    `  Chrome   certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n goodgate -i ${authority}`,
    "           (on Linux; certutil is in libnss3-tools or nss-tools)",
    "",
    paint(
      "dim",
      "Whoever has the authority's key can show a certificate for any name to whoever trusts it: keep it here.",
    ),
  ];
}
