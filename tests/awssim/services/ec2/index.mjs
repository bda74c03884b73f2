import * as regions from "./regions.mjs";

export const resourceOf = () => "*";

export const operations = { ...regions.operations };
