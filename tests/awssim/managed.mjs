// AWS's own managed policies: the same in every account, their ARNs have "aws" for an account.
import { policyId } from "./ids.mjs";

export class ManagedPolicies {
  constructor(partition, specs) {
    this.partition = partition;
    this.byArn = new Map(
      Object.entries(specs).map(([name, spec]) => {
        const policy = this.build(name, spec);
        return [policy.arn, policy];
      }),
    );
    this.sorted = [...this.byArn.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  arn(name) {
    const known = [...this.byArn.values()].find((policy) => policy.name === name);
    return known?.arn ?? `arn:${this.partition}:iam::aws:policy/${name}`;
  }

  get(arn) {
    return this.byArn.get(arn);
  }

  build(name, spec) {
    const path = spec.path ?? "/";
    const created = Date.parse(spec.created ?? "2015-02-06T18:39:46Z");
    const updated = Date.parse(spec.updated ?? spec.created ?? "2015-02-06T18:39:46Z");
    const version = { id: spec.version ?? "v1", document: spec.document, created: updated, is_default: true };
    return {
      type: "policy",
      aws: true,
      name,
      path,
      arn: `arn:${this.partition}:iam::aws:policy${path}${name}`,
      id: policyId("aws", name),
      created,
      updated,
      description: spec.description,
      versions: [version],
      tags: {},
    };
  }
}
