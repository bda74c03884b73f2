// The ways AWS says no. One table per cause, by protocol family, because the same cause has another name on each wire.

export class AwsError extends Error {
  constructor(code, message, status = 400, extra = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.extra = extra;
  }
}

const INVALID_TOKEN = "The security token included in the request is invalid.";
const EXPIRED_TOKEN = "The security token included in the request is expired";
const WRONG_SIGNATURE =
  "The request signature we calculated does not match the signature you provided. " +
  "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const EC2_AUTH = "AWS was not able to validate the provided access credentials";

const CAUSES = {
  no_signature: {
    query: ["MissingAuthenticationToken", "Request is missing Authentication Token", 403],
    json: ["MissingAuthenticationTokenException", "Request is missing Authentication Token", 400],
    s3: ["AccessDenied", "Access Denied", 403],
  },
  incomplete_signature: {
    query: ["IncompleteSignature", "", 400],
    json: ["IncompleteSignatureException", "", 400],
    s3: ["AuthorizationHeaderMalformed", "", 400],
  },
  unknown_key: {
    query: ["InvalidClientTokenId", INVALID_TOKEN, 403],
    json: ["UnrecognizedClientException", INVALID_TOKEN, 400],
    rest: ["UnrecognizedClientException", INVALID_TOKEN, 403],
    ec2: ["AuthFailure", EC2_AUTH, 401],
    s3: ["InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403],
  },
  wrong_signature: {
    query: ["SignatureDoesNotMatch", WRONG_SIGNATURE, 403],
    json: ["InvalidSignatureException", WRONG_SIGNATURE, 400],
    rest: ["InvalidSignatureException", WRONG_SIGNATURE, 403],
    ec2: ["AuthFailure", EC2_AUTH, 401],
    s3: [
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. " +
        "Check your key and signing method.",
      403,
    ],
  },
  skewed: {
    query: ["SignatureDoesNotMatch", "", 403],
    json: ["InvalidSignatureException", "", 400],
    rest: ["InvalidSignatureException", "", 403],
    ec2: ["RequestExpired", "Request has expired.", 400],
    s3: ["RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 403],
  },
  wrong_scope: {
    query: ["SignatureDoesNotMatch", "", 403],
    json: ["InvalidSignatureException", "", 400],
    rest: ["InvalidSignatureException", "", 403],
    ec2: ["AuthFailure", EC2_AUTH, 401],
    s3: ["AuthorizationHeaderMalformed", "", 400],
  },
  expired_token: {
    query: ["ExpiredToken", EXPIRED_TOKEN, 403],
    json: ["ExpiredTokenException", EXPIRED_TOKEN, 400],
    rest: ["ExpiredTokenException", EXPIRED_TOKEN, 403],
    ec2: ["RequestExpired", "Request has expired.", 400],
    s3: ["ExpiredToken", "The provided token has expired.", 400],
  },
  denied: {
    query: ["AccessDenied", "", 403],
    json: ["AccessDeniedException", "", 400],
    rest: ["AccessDeniedException", "", 403],
    ec2: ["UnauthorizedOperation", "", 403],
    s3: ["AccessDenied", "Access Denied", 403],
  },
  throttled: {
    query: ["Throttling", "Rate exceeded", 400],
    json: ["ThrottlingException", "Rate exceeded", 400],
    rest: ["TooManyRequestsException", "Rate exceeded", 429],
    ec2: ["RequestLimitExceeded", "Request limit exceeded.", 503],
    s3: ["SlowDown", "Please reduce your request rate.", 503],
    bedrock: ["ThrottlingException", "Your request was denied due to exceeding the account quotas.", 429],
    "bedrock-agent": ["ThrottlingException", "Your request was denied due to exceeding the account quotas.", 429],
    eks: ["ThrottlingException", "Rate exceeded", 429],
    lambda: ["TooManyRequestsException", "Rate exceeded", 429, { Reason: "CallerRateLimitExceeded", Type: "User" }],
    organizations: [
      "TooManyRequestsException",
      "AWS Organizations can't complete your request because another request is " +
        "already in progress. Try again later.",
      400,
    ],
  },
  // A page token that the service did not hand out.
  invalid_token: {
    query: ["ValidationError", "", 400],
    json: ["ValidationException", "", 400],
    ec2: ["InvalidParameterValue", "", 400],
    s3: ["InvalidArgument", "", 400],
    organizations: ["InvalidInputException", "", 400],
    rds: ["InvalidParameterValue", "", 400],
    eks: ["InvalidParameterException", "", 400],
    lambda: ["InvalidParameterValueException", "", 400],
    kms: ["InvalidMarkerException", "", 400],
    secretsmanager: ["InvalidNextTokenException", "", 400],
  },
  // S3 signs the hash of every body, so it must be said and be right.
  no_hash: {
    s3: ["InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400],
  },
  wrong_hash: {
    s3: [
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      400,
    ],
  },
  unknown_operation: {
    query: ["InvalidAction", "", 400],
    json: ["UnknownOperationException", "", 400],
    rest: ["UnknownOperationException", "", 404],
    s3: ["MethodNotAllowed", "The specified method is not allowed against this resource.", 405],
  },
  invalid_input: {
    query: ["ValidationError", "", 400],
    json: ["ValidationException", "", 400],
    ec2: ["InvalidParameterValue", "", 400],
    s3: ["InvalidArgument", "", 400],
    organizations: ["InvalidInputException", "", 400],
    rds: ["InvalidParameterValue", "", 400],
    eks: ["InvalidParameterException", "", 400],
    lambda: ["InvalidParameterValueException", "", 400],
  },
  malformed: {
    query: ["MalformedInput", "The request could not be parsed.", 400],
    json: ["SerializationException", "The request could not be parsed.", 400],
    s3: [
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
      400,
    ],
  },
  internal: {
    query: [
      "InternalFailure",
      "The request processing has failed because of an unknown error, exception or failure.",
      500,
    ],
    json: ["InternalServerError", "An internal server error occurred.", 500],
    kms: ["KMSInternalException", "An internal error occurred.", 500],
    secretsmanager: ["InternalServiceError", "An error occurred on the server side.", 500],
    bedrock: ["InternalServerException", "An internal server error occurred.", 500],
    "bedrock-agent": ["InternalServerException", "An internal server error occurred.", 500],
    ec2: ["InternalError", "An internal error has occurred", 500],
    eks: ["ServerException", "An internal server error occurred.", 500],
    lambda: ["ServiceException", "An error occurred and the request cannot be processed.", 500],
    s3: ["InternalError", "We encountered an internal error. Please try again.", 500],
  },
};

const FAMILY = { query: "query", ec2: "ec2", json: "json", "rest-json": "rest", "rest-xml": "s3" };
const FALLBACK = { ec2: "query", rest: "json", s3: "query" };

export function refusal(cause, service, message) {
  const table = CAUSES[cause];
  const family = FAMILY[service?.protocol] ?? "query";
  const [code, text, status, extra] = table[service?.name] ?? table[family] ?? table[FALLBACK[family]];
  return new AwsError(code, message ?? text, status, extra);
}

// EC2 and S3 keep the reason of a failed signature to themselves.
export function refusalWithReason(cause, service, reason) {
  const own = refusal(cause, service);
  return own.message ? own : refusal(cause, service, reason);
}
