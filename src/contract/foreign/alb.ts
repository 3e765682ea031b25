/** AWS Application Load Balancer: statuses (`elb_status_code`), `error_reason` and `classification_reason` of its log. */
import type { ForeignRow } from "./row.ts";

const IDENTITY = "signing the user in failed (`authenticate` action)";
const LAMBDA = "the Lambda target failed";
const DESYNC = "the request is malformed or ambiguous (desync mitigation)";

export const ALB: readonly ForeignRow[] = [
  ["400", "the request is malformed, or its line or fields exceed 16 KB, 64 KB in all"],
  ["408", "the client did not send its request before the idle timeout"],
  ["460", "the client closed before the load balancer could answer, and before the idle timeout"],
  ["463", "X-Forwarded-For has more than 30 addresses"],
  ["464", "the protocol version of the request does not fit the target group"],
  ["500", "an error of the load balancer, of its firewall or of a sign-in"],
  ["501", "a Transfer-Encoding that is not understood"],
  [
    "502",
    "the target refused, reset or closed the connection, or sent a response that is not understood; look whether `target_status_code` is `-`",
  ],
  ["503", "the target group has no target"],
  [
    "504",
    "connecting took longer than 10 s, no response came within the idle timeout, or less body came than was declared",
  ],
  ["505", "a version of HTTP that is not supported"],
  ["561", "the identity provider answered with an error"],
  ...each(IDENTITY, [
    "AuthInvalidCookie",
    "AuthInvalidGrantError",
    "AuthInvalidIdToken",
    "AuthInvalidStateParam",
    "AuthInvalidTokenResponse",
    "AuthInvalidUserinfoResponse",
    "AuthMissingCodeParam",
    "AuthMissingHostHeader",
    "AuthMissingStateParam",
    "AuthTokenEpRequestFailed",
    "AuthTokenEpRequestTimeout",
    "AuthUnhandledException",
    "AuthUserinfoEpRequestFailed",
    "AuthUserinfoEpRequestTimeout",
    "AuthUserinfoResponseSizeExceeded",
  ]),
  ["AWSALBTGCookieInvalid", "the cookie that binds a client to a target group cannot be read"],
  ["WeightedTargetGroupsUnhandledException", "choosing among weighted target groups failed inside the load balancer"],
  ...each(LAMBDA, [
    "LambdaAccessDenied",
    "LambdaBadRequest",
    "LambdaConnectionError",
    "LambdaConnectionTimeout",
    "LambdaEC2AccessDeniedException",
    "LambdaEC2ThrottledException",
    "LambdaEC2UnexpectedException",
    "LambdaENILimitReachedException",
    "LambdaInvalidResponse",
    "LambdaInvalidRuntimeException",
    "LambdaInvalidSecurityGroupIDException",
    "LambdaInvalidSubnetIDException",
    "LambdaInvalidZipFileException",
    "LambdaKMSAccessDeniedException",
    "LambdaKMSDisabledException",
    "LambdaKMSInvalidStateException",
    "LambdaKMSNotFoundException",
    "LambdaRequestTooLarge",
    "LambdaResourceNotFound",
    "LambdaResponseTooLarge",
    "LambdaServiceException",
    "LambdaSubnetIPAddressLimitReachedException",
    "LambdaThrottling",
    "LambdaUnhandled",
  ]),
  ...each(DESYNC, [
    "AmbiguousUri",
    "BadContentLength",
    "BadHeader",
    "BadTransferEncoding",
    "BadUri",
    "BadMethod",
    "BadVersion",
    "BothTeClPresent",
    "DuplicateContentLength",
    "EmptyHeader",
    "GetHeadZeroContentLength",
    "MultipleContentLength",
    "MultipleTransferEncodingChunked",
    "NonCompliantHeader",
    "NonCompliantVersion",
    "SpaceInUri",
    "SuspiciousHeader",
    "UndefinedContentLengthSemantics",
    "UndefinedTransferEncodingSemantics",
  ]),
];

/** Reasons that say by their name what was wrong within one kind of failure. */
function each(kind: string, codes: readonly string[]): ForeignRow[] {
  return codes.map((code) => [code, kind] as const);
}
