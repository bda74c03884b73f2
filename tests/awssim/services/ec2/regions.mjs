// EC2: only what tells which regions an account has.
import { AwsError } from "../../errors.mjs";
import { like } from "../../policy.mjs";
import { partitionOf, regionList } from "../../regions.mjs";

const FILTERS = {
  "region-name": (region) => region.name,
  "opt-in-status": (region) => region.status,
  endpoint: (region) => region.endpoint,
};

function passes(region, { Name, Values = [] }) {
  const read = FILTERS[Name];
  if (!read) throw new AwsError("InvalidParameterValue", `The filter '${Name}' is invalid`, 400);
  return Values.some((value) => like(value, read(region)));
}

export const operations = {
  DescribeRegions({ account, input, world }) {
    const all = regionList(account).map((region) => ({
      ...region,
      endpoint: `ec2.${region.name}.${partitionOf(world).suffix}`,
    }));
    const unknown = input.RegionNames?.find((name) => !all.some((region) => region.name === name));
    if (unknown) throw new AwsError("InvalidParameterValue", `Invalid region name: ${unknown}`, 400);
    const wanted = all.filter(
      (region) =>
        (input.AllRegions || region.status !== "not-opted-in") &&
        (!input.RegionNames || input.RegionNames.includes(region.name)) &&
        (input.Filters ?? []).every((filter) => passes(region, filter)),
    );
    return {
      Regions: wanted.map(({ name, status, endpoint }) => ({
        RegionName: name,
        OptInStatus: status,
        Endpoint: endpoint,
      })),
    };
  },
};
