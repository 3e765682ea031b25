/** Certificates that are obtained by themselves, in the API: how it is with each, and an order by hand. */
import type { CertificatesResponse, RenewedResponse } from "../contract/api-responses.ts";
import { renewBodySchema } from "../contract/api-schemas.ts";
import { respondJson, respondProblem } from "./answers.ts";
import { parseBody } from "./json-body.ts";
import type { Operation } from "./operations.ts";

export const CERTIFICATE_OPERATIONS: readonly Operation[] = [
  {
    path: "/certificates",
    id: "certificates",
    summary: "Certificates that are obtained by themselves (ACME): from whom, until when, what is next, what failed.",
    parameters: [],
    answers: "Certificates",
    problems: [],
    answer: ({ acme }) =>
      respondJson({
        certificates: [...(acme?.list() ?? [])],
        fleet: acme?.fleet() ?? null,
      } satisfies CertificatesResponse),
  },
  {
    method: "POST",
    path: "/certificates/renew",
    id: "renewCertificate",
    summary: "Orders the certificate of a name now, whatever its time.",
    parameters: [],
    takes: "RenewBody",
    answers: "Renewed",
    problems: [403, 404, 409],
    answer({ acme }, { body }) {
      const parsed = parseBody(renewBodySchema, body);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const { name } = parsed.value;
      const isKnown = acme?.list().some((one) => one.name === name) === true;
      const detail = isKnown && acme !== null ? acme.renew(name) : `No certificate of ${name} is obtained here.`;
      if (detail === null) return respondJson({ name } satisfies RenewedResponse);
      return respondProblem(
        isKnown ? { status: 409, code: "renewal-waits", detail } : { status: 404, code: "unknown-certificate", detail },
      );
    },
  },
];
