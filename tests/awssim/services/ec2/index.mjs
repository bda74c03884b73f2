// EC2: regions, and what runs in them.
import * as lists from "./lists.mjs";
import * as regions from "./regions.mjs";

// None of its Describe calls can be bounded to a resource.
export const resourceOf = () => "*";

export const operations = { ...regions.operations, ...lists.operations };
