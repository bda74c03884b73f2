// AssumeRoleWithWebIdentity: signed by nobody, decided by what the token says. Its own signature is not checked: the tests
// are about the caller, and have no identity provider.
import { AwsError } from "./errors.mjs";
import { decide } from "./policy.mjs";

const invalid = (message) => new AwsError("InvalidIdentityToken", message, 400);
const seconds = (ms) => Math.floor(ms / 1000);

function claimsOf(token) {
  const parts = token.split(".");
  try {
    if (parts.length !== 3) throw new Error("not three parts");
    return JSON.parse(Buffer.from(parts[1], "base64url").toString("utf8"));
  } catch {
    throw invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
  }
}

function providerOf(account, claims) {
  const name = String(claims.iss).replace(/^https:\/\//, "");
  const provider = account.get("oidc_providers", name);
  if (!provider) throw invalid(`No OpenIDConnect provider found in your account for ${claims.iss}`);
  if (![claims.aud].flat().some((aud) => provider.client_ids.includes(aud))) {
    throw invalid("Incorrect token audience");
  }
  return provider;
}

// Returns { provider, claims } when the role's trust policy lets the token in.
export function admit(call, role) {
  const { input, clock, world, region } = call;
  const claims = claimsOf(input.WebIdentityToken);
  const denied = () => new AwsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403);
  if (!role) throw denied();
  const provider = providerOf(world.account(role.arn.split(":")[4]), claims);
  if (!(claims.exp > seconds(clock.now()))) {
    throw new AwsError(
      "ExpiredTokenException",
      `Token expired: current date/time ${seconds(clock.now())} must be before the expiration date/time ${claims.exp}`,
      400,
    );
  }
  const prefix = provider.url.toLowerCase();
  const context = {
    [`${prefix}:aud`]: [claims.aud].flat()[0],
    [`${prefix}:sub`]: claims.sub,
    "sts:rolesessionname": input.RoleSessionName,
    "aws:requestedregion": region,
  };
  const request = { action: "sts:AssumeRoleWithWebIdentity", resource: "", context };
  const concerns = ({ Principal }) => [Principal?.Federated ?? []].flat().includes(provider.arn);
  if (decide([world.documents.parsed(role.trust)], request, concerns) !== "allow") throw denied();
  return { provider, claims };
}
