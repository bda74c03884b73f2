// What the services with resources share: views of them, their tags, and who a resource is shared with.

// "raw" in a world file is members as they go over the wire, for what no field stands for: values that AWS has not
// invented yet. Nothing is kept: an organization's resources are many, and each is read once in a sync.
export const view =
  (build) =>
  (account, one, ...more) => ({ ...build(account, one, ...more), ...one.raw });

export const tagList = (tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) }));

export const some = (list) => (list?.length ? list : undefined);

// Of what can be shared in a region: this account's own, and what the others show to it or to everybody.
export function visible({ world, account, region }, kind) {
  return [...world.accounts.values()].flatMap((owner) =>
    owner === account
      ? account.resources(region, kind)
      : owner.resources(region, kind).filter((one) => one.public || one.shared_with.includes(account.id)),
  );
}
