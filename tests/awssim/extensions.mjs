// What AWS added after aws-sdk v2 was frozen and a test world needs. tests/extensions.test.mjs holds each
// addition against the current v3 client's own schema, so that none of it is our opinion.
const ADDED = {
  organizations: {
    Account: {
      find: (m) => m.operations.ListAccounts.output.members.Accounts,
      members: { State: {}, Paths: { type: "list", member: {} } },
    },
    OrganizationalUnit: {
      find: (m) => m.operations.ListOrganizationalUnitsForParent.output.members.OrganizationalUnits,
      members: { Path: {} },
    },
  },
};

export const additions = () =>
  Object.entries(ADDED).flatMap(([service, shapes]) =>
    Object.entries(shapes).map(([shape, { members }]) => ({ service, shape, members: Object.keys(members) })),
  );

export function extend(name, model) {
  for (const { find, members } of Object.values(ADDED[name] ?? {})) {
    const list = deref(model, find(model));
    Object.assign(deref(model, list.member).members, members);
  }
  return model;
}

const deref = (model, ref) => (ref.shape ? model.shapes[ref.shape] : ref);
