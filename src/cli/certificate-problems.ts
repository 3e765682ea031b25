/** What is wrong with the certificate files that a configuration names, as a start or a reload would find it. */
import type { ListenerTlsSettings, Settings } from "../config/settings.ts";
import { authorityFault, examineCertificate, validityText } from "../contract/certificate.ts";
import { plain, wrap, pageWidth } from "./page.ts";
import type { CliPorts, Terminal } from "./ports.ts";

export interface CertificateProblem {
  /** `listeners[0].tls.certificates[1].key`. */
  readonly path: string;
  readonly file: string;
  /** The rest of a sentence that begins with the file. */
  readonly message: string;
  readonly hint: string;
}

export async function certificateProblems(ports: CliPorts, { listeners }: Settings): Promise<CertificateProblem[]> {
  const problems: CertificateProblem[] = [];
  for (const [index, { tls }] of listeners.entries())
    if (tls !== null) problems.push(...(await problemsOf(ports, tls, `listeners[${index}].tls`)));
  return problems;
}

async function problemsOf(ports: CliPorts, tls: ListenerTlsSettings, path: string): Promise<CertificateProblem[]> {
  const problems: CertificateProblem[] = [];
  for (const [index, files] of tls.certificates.entries()) {
    const at = `${path}.certificates[${index}]`;
    const cert = await ports.readFile(files.cert);
    if (!cert.ok) problems.push(unreadable(`${at}.cert`, files.cert, cert.code));
    const key = await ports.readFile(files.key);
    if (!key.ok) problems.push(unreadable(`${at}.key`, files.key, key.code));
    if (!cert.ok || !key.ok) continue;
    const verdict = examineCertificate({ cert: cert.text, key: key.text });
    if (!verdict.ok) {
      const { file, reason: message, hint } = verdict;
      problems.push({ path: `${at}.${file}`, file: files[file], message, hint });
      continue;
    }
    const validity = validityText(verdict.facts, ports.wall());
    if (validity !== "") problems.push({ path: `${at}.cert`, file: files.cert, message: validity, hint: "Renew it." });
  }
  for (const [index, { ca }] of tls.clientCertificates.entries()) {
    const at = `${path}.clientCertificates[${index}].ca`;
    const read = await ports.readFile(ca);
    if (!read.ok) problems.push(unreadable(at, ca, read.code));
    const fault = read.ok ? authorityFault(read.text) : null;
    if (fault !== null) problems.push({ path: at, file: ca, message: fault, hint: "" });
  }
  return problems;
}

function unreadable(path: string, file: string, code: string): CertificateProblem {
  return { path, file, message: `cannot be read (${code})`, hint: "Check the path and the rights of this user." };
}

export function certificateProblemLines(problems: readonly CertificateProblem[], terminal: Terminal): string[] {
  const { paint } = terminal;
  return problems.flatMap(({ path, file, message, hint }) => [
    `${paint("bold", path)}  ${paint("red", plain(`${file} ${message}.`))}`,
    ...(hint === "" ? [] : wrap(plain(hint), pageWidth(terminal) - 2).map((line) => `  ${line}`)),
    "",
  ]);
}
