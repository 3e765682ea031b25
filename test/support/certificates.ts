/** Certificates for tests: a root, an intermediate, and whatever a test wants of them. Made once for each file of tests. */
import { issueCertificate, makeAuthority } from "../../src/net/make-certificate.ts";
import type { Authority, Issued } from "../../src/net/make-certificate.ts";

const DAY_MS = 86_400_000;

export interface TestAuthority {
  readonly root: Authority;
  readonly intermediate: Authority;
  /** For a server, with the intermediate behind it. */
  server(names: readonly string[], options?: TestCertificate): Promise<Issued>;
  client(name: string, options?: TestCertificate): Promise<Issued>;
}

export interface TestCertificate {
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
  readonly isRsa?: boolean;
}

export async function testAuthority(name = "Goodgate test"): Promise<TestAuthority> {
  const root = await makeAuthority(`${name} root`, validity({ from: -30, to: 3650 }), null);
  const intermediate = await makeAuthority(`${name} intermediate`, validity({ from: -30, to: 1825 }), root);
  return {
    root,
    intermediate,
    async server(names, options = {}) {
      const subject = `CN=${names[0] ?? "nobody"}`;
      const { isRsa = false } = options;
      const made = await issueCertificate(intermediate, { names, subject, isClient: false, isRsa }, validity(options));
      return { cert: made.cert + intermediate.cert, key: made.key };
    },
    client: (subject, options = {}) =>
      issueCertificate(root, { names: [], subject: `CN=${subject}`, isClient: true }, validity(options)),
  };
}

function validity({ from = -1, to = 90 }: TestCertificate): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now + from * DAY_MS), notAfter: new Date(now + to * DAY_MS) };
}
