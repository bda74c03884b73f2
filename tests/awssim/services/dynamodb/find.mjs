// Looks a table or a stream up. A stream is its table's child and is known by its ARN alone.
import { AwsError } from "../../errors.mjs";

export const notFound = (what) =>
  new AwsError("ResourceNotFoundException", `Requested resource not found: ${what}`, 400);

// By name or, as AWS has it since 2024, by ARN.
export const tableNamed = ({ account, region, input: { TableName } }) =>
  account.resource(region, "tables", TableName) ?? account.resourceBy(region, "tables", "arn", TableName);

export const tableByArn = ({ account, region, input: { ResourceArn } }) =>
  account.resourceBy(region, "tables", "arn", ResourceArn);

export function streamByArn({ account, region, input }) {
  const arn = input.StreamArn ?? input.ResourceArn;
  const table = account.resourceBy(region, "tables", "arn", arn.split("/stream/")[0]);
  return table?.stream?.arn === arn && table.stream.status !== "GONE" ? table.stream : undefined;
}

export const tableOfStream = ({ account, region, input: { StreamArn } }) =>
  account.resourceBy(region, "tables", "arn", StreamArn.split("/stream/")[0]);
