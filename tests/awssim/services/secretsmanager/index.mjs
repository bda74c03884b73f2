// Secrets Manager: what secrets there are and who may read them.
import { AwsError } from "../../errors.mjs";
import { listing } from "../../paging.mjs";
import { some, tagList } from "../view.mjs";

// By ARN, by the ARN without the six letters, or by name.
function lookUp({ account, region, input: { SecretId } }) {
  const by = (field) => account.resourceBy(region, "secrets", field, SecretId);
  const without = ({ arn }) => SecretId === arn.slice(0, -"-xxxxxx".length);
  return by("arn") ?? by("name") ?? account.resources(region, "secrets").find(without);
}

function secretOf(call) {
  const secret = lookUp(call);
  if (!secret) throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 400);
  return secret;
}

function notDeleted(secret) {
  if (!secret.deleted) return secret;
  throw new AwsError(
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
    400,
  );
}

const rules = ({ days, schedule, duration }) => ({
  AutomaticallyAfterDays: days,
  ScheduleExpression: schedule,
  Duration: duration,
});

const entry = (secret) => ({
  ARN: secret.arn,
  Name: secret.name,
  Description: secret.description,
  Type: secret.type,
  KmsKeyId: secret.kms_key,
  RotationEnabled: secret.rotation ? true : undefined,
  RotationLambdaARN: secret.rotation?.lambda,
  RotationRules: secret.rotation && rules(secret.rotation),
  ExternalSecretRotationRoleArn: secret.rotation?.role,
  LastRotatedDate: secret.last_rotated,
  LastChangedDate: secret.last_changed,
  LastAccessedDate: secret.last_accessed,
  DeletedDate: secret.deleted,
  NextRotationDate: secret.next_rotation,
  Tags: some(tagList(secret.tags)),
  SecretVersionsToStages: secret.versions,
  OwningService: secret.owning_service,
  CreatedDate: secret.created,
  PrimaryRegion: secret.primary_region,
  ...secret.raw,
});

// What one secret tells beyond the list: where its copies are.
const whole = ({ SecretVersionsToStages, Type, ...rest }, { replicas }) => ({
  ...rest,
  VersionIdsToStages: SecretVersionsToStages,
  ReplicationStatus: replicas?.map((Region) => ({ Region, Status: "InSync" })),
});

export function resourceOf(call) {
  const { account, region, input } = call;
  if (input.SecretId === undefined) return "*";
  const named = `arn:${account.partition}:secretsmanager:${region}:${account.id}:secret:${input.SecretId}`;
  return lookUp(call)?.arn ?? (input.SecretId.startsWith("arn:") ? input.SecretId : named);
}

export function guardOf(call) {
  const secret = call.input.SecretId === undefined ? undefined : lookUp(call);
  return secret && { document: secret.policy, owner: call.account.id };
}

export const operations = {
  ListSecrets(call) {
    const { Filters, IncludePlannedDeletion } = call.input;
    if (Filters?.length) throw new AwsError("InvalidParameterException", "awssim does not filter secrets.", 400);
    const wanted = call.account
      .resources(call.region, "secrets")
      .filter((one) => IncludePlannedDeletion || !one.deleted);
    return listing(call, "SecretList", wanted, ({ name }) => name, entry, { limit: 100, max: 100 });
  },

  GetResourcePolicy(call) {
    const { arn, name, policy } = notDeleted(secretOf(call));
    return { ARN: arn, Name: name, ResourcePolicy: policy && call.world.documents.text(policy) };
  },

  DescribeSecret(call) {
    const secret = secretOf(call);
    return whole(entry(secret), secret);
  },

  // Nobody under test may ever get here. The answer is known text, so that it can be looked for wherever it may have gone.
  GetSecretValue(call) {
    const { arn, name, created, versions } = notDeleted(secretOf(call));
    call.note({ secret_read: arn });
    const VersionId = Object.keys(versions)[0];
    return { ARN: arn, Name: name, VersionId, SecretString: `canary-secret-value-of-${name}`, CreatedDate: created };
  },
};
