import * as accounts from "./accounts.mjs";
import * as credentials from "./credentials.mjs";
import * as details from "./details.mjs";
import * as policies from "./policies.mjs";
import * as principals from "./principals.mjs";
import * as report from "./report.mjs";
import * as simulate from "./simulate.mjs";

export { resourceOf } from "./find.mjs";

export const operations = {
  ...accounts.operations,
  ...credentials.operations,
  ...details.operations,
  ...policies.operations,
  ...principals.operations,
  ...report.operations,
  ...simulate.operations,
};
