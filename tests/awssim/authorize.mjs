// Decides every call: identity policies, permissions boundary, session policy, service control policies, and the policy on
// the resource itself, together.
import { decide, missingKeys } from "./policy.mjs";
import { refusal } from "./errors.mjs";
import { evaluateGuard } from "./trust.mjs";

// In the order in which AWS reports a denial; "each" layers must all allow.
const LAYERS = [
  { name: "service control policy", article: "a", read: controls },
  { name: "identity-based policy", article: "an", read: identity },
  { name: "permissions boundary", article: "a", read: boundary },
  { name: "session policy", article: "a", read: session },
];

export class Authorizer {
  constructor(world) {
    this.world = world;
  }

  context(principal, region, extra = {}) {
    const organization = this.world.organizationOf(principal.account.id);
    const all = {
      "aws:principalarn": principal.principalArn,
      "aws:principalaccount": principal.account.id,
      "aws:principalorgid": organization?.id,
      "aws:principalorgpaths": organization && [organization.path(principal.account.id)],
      "aws:userid": principal.userId,
      "aws:username": principal.kind === "user" ? principal.name : undefined,
      "aws:principaltype": principal.kind === "user" ? "User" : "AssumedRole",
      "aws:requestedregion": region,
      "aws:securetransport": "true",
      "aws:sourceidentity": principal.sourceIdentity,
      ...extra,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }

  // Undefined when allowed, else { explicit, reason }, the reason in AWS's words.
  denial(principal, request) {
    const groups = LAYERS.map((layer) => ({ layer, sets: layer.read(this.world, principal) }));
    const verdicts = groups.map(({ layer, sets }) => ({
      layer,
      sets: sets.map((documents) => decide(documents, request)),
    }));
    const denied = verdicts.find(({ sets }) => sets.includes("deny"));
    if (denied) {
      return { explicit: true, reason: `with an explicit deny in ${denied.layer.article} ${denied.layer.name}` };
    }
    const controlled = this.controlled(request);
    if (controlled) return controlled;
    const guard = this.guard(principal, request);
    if (guard.decision === "deny") {
      return { explicit: true, reason: "with an explicit deny in a resource-based policy" };
    }
    const asked = guard.opens ? verdicts.filter(({ layer }) => layer.read !== identity) : verdicts;
    const silent = asked.find(({ sets }) => sets.some((verdict) => verdict !== "allow"))?.layer.name;
    const name = silent ?? (guard.needed && guard.decision !== "allow" ? "resource-based policy" : undefined);
    return name && { explicit: false, reason: `because no ${name} allows the ${request.action} action` };
  }

  // What the organization of a resource's owner denies to everybody.
  controlled(request) {
    return this.resourceControls(request).some((documents) => decide(documents, request) === "deny")
      ? { explicit: true, reason: "with an explicit deny in a resource control policy" }
      : undefined;
  }

  resourceControls({ guard }) {
    const levels = (guard && this.world.organizationOf(guard.owner)?.resourceControls(guard.owner)) ?? [];
    return levels.map((documents) => documents.map((document) => this.world.documents.parsed(document)));
  }

  guard(principal, request) {
    if (!request.guard) return {};
    const { document } = request.guard;
    const parsed = document ? this.world.documents.parsed(document) : undefined;
    const caller = { ...principal, account: principal.account.id, partition: this.world.partition };
    return evaluateGuard({ ...request.guard, document: parsed }, caller, request);
  }

  // What IAM's policy simulator says of a user or role: sessions do not come into it.
  simulate(principal, request) {
    const verdict = (sets) => {
      const each = sets.map((documents) => decide(documents, request));
      return each.includes("deny") ? "explicitDeny" : each.every((one) => one === "allow") ? "allowed" : "implicitDeny";
    };
    const own = identity(this.world, principal);
    const layers = [own, boundary(this.world, principal), controls(this.world, principal)];
    const [mine, bounded, controlled] = layers.map(verdict);
    const all = [mine, bounded, controlled];
    const inside = this.world.organizationOf(principal.account.id) !== undefined;
    return {
      decision: all.find((one) => one === "explicitDeny") ?? all.find((one) => one === "implicitDeny") ?? "allowed",
      boundary: layers[1].length ? bounded === "allowed" : undefined,
      organizations: inside ? controlled === "allowed" : undefined,
      missing: missingKeys(layers.flat(2), request),
    };
  }

  check(principal, service, request) {
    const denial = this.denial(principal, request);
    if (denial) throw deniedCall(principal, service, request, denial);
  }
}

// Without a reason where AWS keeps it to itself: a trust policy's contents are not the caller's business.
export function deniedCall(principal, service, { action, resource }, { reason } = {}) {
  const shown = service.name === "s3" ? `"${resource}"` : resource;
  const on = resource && service.protocol !== "ec2" ? ` on resource: ${shown}` : "";
  const sentence = `User: ${principal.arn} is not authorized to perform: ${action}${on}${reason ? ` ${reason}` : ""}`;
  return refusal(
    "denied",
    service,
    service.protocol === "ec2" ? `You are not authorized to perform this operation. ${sentence}` : sentence,
  );
}

function documentsOf(world, account, entity) {
  return world.derived(entity, "documents", () =>
    [
      ...Object.values(entity.inline),
      ...entity.attached.map((ref) => defaultDocument(account, ref)).filter(Boolean),
    ].map((document) => world.documents.parsed(document)),
  );
}

function defaultDocument(account, ref) {
  return account.policy(account.policyArn(ref))?.versions.find((version) => version.is_default)?.document;
}

function entityOf(principal) {
  return principal.account.get(principal.kind === "user" ? "users" : "roles", principal.name);
}

function identity(world, principal) {
  const entity = entityOf(principal);
  // A role that was deleted under a live session grants nothing any more.
  if (!entity) return [[]];
  const groups = principal.kind === "user" ? principal.account.groupsOf(entity) : [];
  return [[entity, ...groups].flatMap((one) => documentsOf(world, principal.account, one))];
}

function boundary(world, principal) {
  const ref = entityOf(principal)?.boundary;
  if (!ref) return [];
  const document = defaultDocument(principal.account, ref);
  return [document ? [world.documents.parsed(document)] : []];
}

function session(world, principal) {
  return principal.policy ? [[principal.policy]] : [];
}

function controls(world, principal) {
  const entity = entityOf(principal);
  if (entity?.path.startsWith("/aws-service-role/")) return [];
  const levels = world.organizationOf(principal.account.id)?.controls(principal.account.id) ?? [];
  return levels.map((documents) => documents.map((document) => world.documents.parsed(document)));
}
