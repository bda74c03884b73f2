// DynamoDB Streams: signs as dynamodb, and is a service of its own. Records are never shown.
import { AwsError } from "../../errors.mjs";
import { notFound, streamByArn, tableOfStream } from "./find.mjs";

export const resourceOf = ({ account, region, input }) =>
  input.StreamArn ??
  `arn:${account.partition}:dynamodb:${region}:${account.id}:table/${input.TableName ?? "*"}/stream/*`;

export function guardOf(call) {
  const stream = call.input.StreamArn && streamByArn(call);
  return stream && { document: stream.policy, owner: call.account.id };
}

const shard = (_, n) => ({
  ShardId: `shardId-${String(n).padStart(20, "0")}-awssim`,
  SequenceNumberRange: { StartingSequenceNumber: String(n + 1).padStart(21, "0") },
});

export const operations = {
  DescribeStream(call) {
    const { StreamArn, Limit = 100, ExclusiveStartShardId: after } = call.input;
    if (!Number.isInteger(Limit) || Limit < 1 || Limit > 100) {
      throw new AwsError("ValidationException", `Value '${Limit}' at 'limit' failed to satisfy constraint.`, 400);
    }
    const stream = streamByArn(call);
    if (!stream) throw notFound(`Stream: ${StreamArn} not found`);
    const table = tableOfStream(call);
    const all = Array.from({ length: stream.shards }, shard).filter(({ ShardId }) => !after || ShardId > after);
    const page = all.slice(0, Limit);
    return {
      StreamDescription: {
        StreamArn: stream.arn,
        StreamLabel: stream.label,
        StreamStatus: stream.status,
        StreamViewType: stream.view,
        CreationRequestDateTime: stream.created,
        TableName: table.name,
        KeySchema: table.key.map((AttributeName, n) => ({ AttributeName, KeyType: n ? "RANGE" : "HASH" })),
        Shards: page,
        LastEvaluatedShardId: page.length < all.length ? page.at(-1).ShardId : undefined,
      },
    };
  },
};
