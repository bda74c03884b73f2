// DynamoDB: tables, their backups, tags and policies. Items are never shown: no world has any.
import { AwsError } from "../../errors.mjs";
import { decodeToken, listing } from "../../paging.mjs";
import { some, tagList } from "../view.mjs";
import { notFound, streamByArn, tableByArn, tableNamed } from "./find.mjs";

function tableOf(call) {
  const table = tableNamed(call);
  if (!table) throw notFound(`Table: ${call.input.TableName} not found`);
  return table;
}

const keySchema = (key) => key.map((AttributeName, n) => ({ AttributeName, KeyType: n ? "RANGE" : "HASH" }));

const index = (table) => (name) => ({
  IndexName: name,
  KeySchema: keySchema([name]),
  Projection: { ProjectionType: "ALL" },
  IndexStatus: "ACTIVE",
  IndexSizeBytes: table.bytes,
  ItemCount: table.items,
  IndexArn: `${table.arn}/index/${name}`,
});

const replica = ({ region, status, arn, kms_key, class: tableClass }) => ({
  RegionName: region,
  ReplicaStatus: status,
  ReplicaArn: arn,
  KMSMasterKeyId: kms_key,
  ReplicaTableClassSummary: tableClass && { TableClass: tableClass },
});

const restored = ({ table, backup, at }) => ({
  SourceTableArn: table,
  SourceBackupArn: backup,
  RestoreDateTime: at,
  RestoreInProgress: false,
});

const encryption = ({ kms_key, encryption_status = "ENABLED" }) => ({
  Status: encryption_status,
  SSEType: "KMS",
  KMSMasterKeyArn: kms_key,
});

const throughput = ({ billing, capacity: [read, write] = [5, 5] }) => {
  const onDemand = billing === "PAY_PER_REQUEST";
  return {
    NumberOfDecreasesToday: 0,
    ReadCapacityUnits: onDemand ? 0 : read,
    WriteCapacityUnits: onDemand ? 0 : write,
  };
};

function description(table) {
  const { stream } = table;
  const attributes = [...new Set([...table.key, ...table.indexes])];
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableId: table.id,
    TableStatus: table.status,
    CreationDateTime: table.created,
    AttributeDefinitions: attributes.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    KeySchema: keySchema(table.key),
    ProvisionedThroughput: throughput(table),
    TableSizeBytes: table.bytes,
    ItemCount: table.items,
    BillingModeSummary: table.billing === "PAY_PER_REQUEST" ? { BillingMode: table.billing } : undefined,
    GlobalSecondaryIndexes: some(table.indexes)?.map(index(table)),
    StreamSpecification:
      stream?.status === "ENABLED" ? { StreamEnabled: true, StreamViewType: stream.view } : undefined,
    LatestStreamLabel: stream?.label,
    LatestStreamArn: stream?.arn,
    GlobalTableVersion: table.replicas.length ? "2019.11.21" : undefined,
    Replicas: some(table.replicas)?.map(replica),
    RestoreSummary: table.restored && restored(table.restored),
    SSEDescription: table.kms_key && encryption(table),
    TableClassSummary: table.class && { TableClass: table.class },
    DeletionProtectionEnabled: table.deletion_protection,
    ...table.raw,
  };
}

const anyTable = ({ account, region }) => `arn:${account.partition}:dynamodb:${region}:${account.id}:table/`;

export const resourceOf = (call) => call.input.ResourceArn ?? `${anyTable(call)}${call.input.TableName ?? "*"}`;

// A stream has a policy of its own, which its table's does not replace.
export function guardOf(call) {
  const { ResourceArn, TableName } = call.input;
  const one = TableName !== undefined ? tableNamed(call) : ResourceArn && (tableByArn(call) ?? streamByArn(call));
  return one && { document: one.policy, owner: call.account.id };
}

function recovery({ created, point_in_time_recovery: kept }, now) {
  if (!kept) return { PointInTimeRecoveryStatus: "DISABLED" };
  return {
    PointInTimeRecoveryStatus: "ENABLED",
    RecoveryPeriodInDays: kept.days ?? 35,
    EarliestRestorableDateTime: created,
    LatestRestorableDateTime: now,
  };
}

export const operations = {
  // The token is the last name itself, and no secret; but a fault may have put one of ours in its place.
  ListTables(call) {
    const { account, region, input, pageSize = 100 } = call;
    const { Limit = 100, ExclusiveStartTableName: token } = input;
    const ours = decodeToken(token ?? "");
    const after = ours ? ours.after : token;
    if (!Number.isInteger(Limit) || Limit < 1 || Limit > 100) {
      const bound = Limit < 1 ? "greater than or equal to 1" : "less than or equal to 100";
      throw new AwsError(
        "ValidationException",
        `1 validation error detected: Value '${Limit}' at 'limit' failed to satisfy constraint: Member must have value ${bound}`,
        400,
      );
    }
    const size = Math.min(Limit, pageSize);
    const names = account.resources(region, "tables").map(({ name }) => name);
    const start = after === undefined ? 0 : names.filter((name) => name <= after).length;
    const page = names.slice(start, start + size);
    const last = start + size >= names.length;
    call.page = { number: Math.ceil(start / size) + 1, last, after, next: page.at(-1) ?? after };
    return { TableNames: page, LastEvaluatedTableName: last ? undefined : page.at(-1) };
  },

  DescribeTable: (call) => ({ Table: description(tableOf(call)) }),

  // Unlike the others it has an error of its own for a table that is not there.
  DescribeContinuousBackups(call) {
    const table = tableNamed(call);
    if (!table) throw new AwsError("TableNotFoundException", `Table not found: ${call.input.TableName}`, 400);
    return {
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: "ENABLED",
        PointInTimeRecoveryDescription: recovery(table, call.clock.now()),
      },
    };
  },

  ListTagsOfResource(call) {
    const table = tableByArn(call);
    if (!table) throw notFound(`ResourceArn: ${call.input.ResourceArn} not found`);
    return listing(call, "Tags", tagList(table.tags), ({ Key }) => Key, undefined, { limit: 10, max: 10 });
  },

  GetResourcePolicy(call) {
    const { ResourceArn } = call.input;
    const one = tableByArn(call) ?? streamByArn(call);
    if (!one) throw notFound(`ResourceArn: ${ResourceArn} not found`);
    if (!one.policy) {
      throw new AwsError(
        "PolicyNotFoundException",
        `Resource-based policy not found for the provided ResourceArn: ${ResourceArn}`,
        400,
      );
    }
    return { Policy: call.world.documents.text(one.policy), RevisionId: one.revision ?? "1" };
  },
};
