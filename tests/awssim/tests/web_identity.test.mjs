// AssumeRoleWithWebIdentity: nobody signs it, and what the token says decides.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { Sim, codeOf } from "./support.mjs";

const VENDOR_ACCOUNT = "469725248735";
const ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/VENDORCLUSTER";
const ROLE = `arn:aws:iam::${VENDOR_ACCOUNT}:role/ConnectordPod`;
const SUBJECT = "system:serviceaccount:connectord:worker";

let sim;
before(async () => {
  sim = await Sim.start("demo.yaml");
  await sim.post("world", [
    { op: "put_oidc_provider", account: VENDOR_ACCOUNT, name: ISSUER, client_ids: ["sts.amazonaws.com"] },
    {
      op: "put_role",
      account: VENDOR_ACCOUNT,
      name: "ConnectordPod",
      trust: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Federated: `arn:aws:iam::${VENDOR_ACCOUNT}:oidc-provider/${ISSUER}` },
            Action: "sts:AssumeRoleWithWebIdentity",
            Condition: { StringEquals: { [`${ISSUER}:sub`]: SUBJECT, [`${ISSUER}:aud`]: "sts.amazonaws.com" } },
          },
        ],
      },
    },
  ]);
});
after(() => sim.stop());

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(claims = {}) {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const all = { iss: `https://${ISSUER}`, aud: ["sts.amazonaws.com"], sub: SUBJECT, exp, ...claims };
  return `${part({ alg: "RS256" })}.${part(all)}.c2lnbmF0dXJl`;
}

const assume = (WebIdentityToken, RoleArn = ROLE) =>
  sim
    .client(STSClient, { accessKeyId: "unused", secretAccessKey: "unused" })
    .send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: "pod", WebIdentityToken }));

test("a token that the trust policy asks for opens the role", async () => {
  const made = await assume(token());
  assert.equal(made.SubjectFromWebIdentityToken, SUBJECT);
  assert.equal(made.AssumedRoleUser.Arn, `arn:aws:sts::${VENDOR_ACCOUNT}:assumed-role/ConnectordPod/pod`);
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = made.Credentials;
  const me = await sim
    .client(STSClient, { accessKeyId, secretAccessKey, sessionToken })
    .send(new GetCallerIdentityCommand({}));
  assert.equal(me.Account, VENDOR_ACCOUNT);
});

const REFUSED = {
  "of another subject": [{ sub: "system:serviceaccount:default:other" }, "AccessDenied"],
  "for another audience": [{ aud: ["somebody.else"] }, "InvalidIdentityTokenException"],
  "of an unknown issuer": [{ iss: "https://example.com" }, "InvalidIdentityTokenException"],
  "that has ended": [{ exp: Math.floor(Date.now() / 1000) - 1 }, "ExpiredTokenException"],
};
for (const [what, [claims, code]] of Object.entries(REFUSED)) {
  test(`a token ${what} is refused`, async () => assert.equal(await codeOf(assume(token(claims))), code));
}

test("what is no token, and a role that trusts no provider, are refused", async () => {
  assert.equal(await codeOf(assume("no token")), "InvalidIdentityTokenException");
  assert.equal(
    await codeOf(assume(token(), `arn:aws:iam::${VENDOR_ACCOUNT}:role/ConnectordBase`)),
    "AccessDenied",
  );
});

test("every other call still needs a signature", async () => {
  const answer = await fetch(sim.endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "Action=GetCallerIdentity&Version=2011-06-15",
  });
  assert.equal(answer.status, 403);
  assert.match(await answer.text(), /MissingAuthenticationToken/);
});
