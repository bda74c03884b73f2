// The account service: regions once more, this time with their switches.
import { paginate } from "../paging.mjs";
import { AwsError } from "../errors.mjs";
import { regionList } from "../regions.mjs";

const STATUS = { "opt-in-not-required": "ENABLED_BY_DEFAULT", "opted-in": "ENABLED", "not-opted-in": "DISABLED" };

// An account may ask about itself; about another one only within an organization it manages.
function target({ world, account, input }) {
  if (!input.AccountId || input.AccountId === account.id) return account;
  const organization = world.organizationOf(account.id);
  const other = world.account(input.AccountId);
  if (!organization?.mayRead(account.id) || !organization.has(input.AccountId) || !other) {
    throw new AwsError("AccessDeniedException", "User is not authorized to access the given account.", 403);
  }
  return other;
}

export const resourceOf = ({ account, input }) =>
  `arn:${account.partition}:account::${input.AccountId ?? account.id}:account`;

export const operations = {
  ListRegions(call) {
    const wanted = regionList(target(call))
      .map(({ name, status }) => ({ RegionName: name, RegionOptStatus: STATUS[status] }))
      .filter(({ RegionOptStatus }) => call.input.RegionOptStatusContains?.includes(RegionOptStatus) ?? true);
    const { items, more } = paginate(call, wanted, ({ RegionName }) => RegionName, { limit: 50, max: 50 });
    return { Regions: items, ...more };
  },

  GetRegionOptStatus(call) {
    const found = regionList(target(call)).find(({ name }) => name === call.input.RegionName);
    if (!found) throw new AwsError("ValidationException", `${call.input.RegionName} is not a valid region`, 400);
    return { RegionName: found.name, RegionOptStatus: STATUS[found.status] };
  },
};
