"""What an account's inventory must look like after a complete sync, worked out from the simulator's own truth.

Written against the model's rules (keys, kinds, edges), never against the collector's code: `expected` builds every entity
and edge, `actual` reads the database, `compare` says how they differ."""
import hashlib

ACCOUNT_KINDS = {"users": "aws.iam_user", "groups": "aws.iam_group", "roles": "aws.iam_role"}
# Attributes that the simulator's inventory does not tell; the credential report's own tests look at them.
UNTOLD = {"password_last_changed", "password_next_rotation", "summary", "metadata_state", "certificates", "entity_id",
          "regions_via", "access_key_1_active", "access_key_2_active"}


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def as_list(value):
    return [] if value is None else value if isinstance(value, list) else [value]


class Model:
    def __init__(self, inventory, orphan_profiles=True):
        self.inv, self.p, self.id = inventory, inventory["partition"], inventory["account"]
        self.account = ("aws.account", self.account_key(self.id))
        self.entities, self.edges, self.stubs = {}, {}, set()
        self.orphan_profiles = orphan_profiles
        self.build()

    def account_key(self, account, partition=None):
        return f"aws:account:{partition or self.p}:{account}"

    def arn(self, rest):
        return f"arn:{self.p}:iam::{self.id}:{rest}"

    def entity(self, kind, key, attrs, contained=True):
        self.entities[kind, key] = {k: v for k, v in attrs.items() if v is not None and v != {}}
        if contained:
            self.edge("contains", self.account, (kind, key))
        return kind, key

    def edge(self, kind, src, dst, qualifier="", attrs=None):
        self.edges[kind, src, dst, qualifier] = attrs or {}
        self.stubs |= {src, dst}

    def document(self, document):
        return {"document": sha(document["text"]), "document_state": "malformed" if document["parsed"] is None else "ok"}

    def build(self):
        inv = self.inv
        policy = inv["password_policy"]
        self.entities[self.account] = {"alias": inv["alias"], "regions": sorted(r["name"] for r in inv["regions"] if r["status"] != "not-opted-in")}
        self.entities[self.account] = {k: v for k, v in self.entities[self.account].items() if v is not None}
        self.has_password_policy = policy is not None
        for group in inv["groups"]:
            me = self.entity("aws.iam_group", group["arn"], self.common(group))
            self.policies(me, group)
        for user in inv["users"]:
            self.user(user)
        for role in inv["roles"]:
            self.role(role)
        for one in inv["policies"]:
            self.policy(one)
        for one in inv["aws_policies"]:
            self.aws_policy(one)
        for one in inv["instance_profiles"]:
            self.profile(one)
        for one in inv["saml_providers"]:
            self.entity("aws.saml_provider", one["arn"], {"created": one["created"], "valid_until": one["valid_until"]})
        for one in inv["oidc_providers"]:
            self.entity("aws.oidc_provider", one["arn"], {k: one[k] for k in ("url", "client_ids", "thumbprints", "created")})
        self.root()
        self.stubs -= set(self.entities)

    def common(self, one):
        return {"path": one["path"], "unique_id": one["id"], "created": one.get("created"), "tags": one.get("tags")}

    def policies(self, me, one):
        kind, key = me
        for arn in one["attached_policies"]:
            self.edge("has_policy", me, ("aws.iam_policy", arn))
        if one["boundary"]:
            self.edge("bounded_by", me, ("aws.iam_policy", one["boundary"]))
        for inline in one["inline_policies"]:
            it = self.entity("aws.inline_policy", f"{key}#inline/{inline['name']}",
                             {**self.document(inline["document"]), "principal": key}, contained=False)
            self.edge("has_inline", me, it, inline["name"])

    def user(self, user):
        me = self.entity("aws.iam_user", user["arn"], {
            **self.common(user), "password_enabled": user["password"] is not None, "mfa_active": bool(user["mfa_devices"]),
            "cert_1_active": False, "cert_2_active": False,
            "password_last_used": (user["password"] or {}).get("last_used")})
        self.policies(me, user)
        by_name = {g["name"]: g["arn"] for g in self.inv["groups"]}
        for name in user["groups"]:
            self.edge("member_of", me, ("aws.iam_group", by_name[name]))
        for key in user["access_keys"]:
            it = self.entity("aws.access_key", f"aws:access-key:{self.p}:{self.id}:{key['id']}", {
                "user_name": user["name"], "status": key["status"], "created": key["created"],
                "last_used": key["last_used"] and {k: key["last_used"][k] for k in ("date", "region", "service")}}, contained=False)
            self.edge("has_credential", me, it)
        for device in user["mfa_devices"]:
            self.mfa(me, user["name"], device)

    def mfa(self, owner, name, device):
        serial = device["serial"]
        key = serial if serial.startswith("arn:") else f"aws:mfa:{self.p}:{self.id}:{name}:{serial}"
        it = self.entity("aws.mfa_device", key, {"type": device["type"], "serial": serial, "user_name": name,
                                                 "enabled_at": device["enabled"]}, contained=False)
        self.edge("has_credential", owner, it)

    def root(self):
        attrs = {"is_root": True, "mfa_active": self.inv["root_mfa"], "cert_1_active": False, "cert_2_active": False}
        me = self.entity("aws.iam_user", self.arn("root"), attrs)
        if self.inv["root_mfa"]:
            serial = self.arn("mfa/root-account-mfa-device")
            it = self.entity("aws.mfa_device", serial, {"type": "virtual", "serial": serial, "user_name": "<root_account>"}, contained=False)
            self.edge("has_credential", me, it)

    def role(self, role):
        trust = self.document(role["trust"])
        sso = None
        if role["path"].startswith("/aws-reserved/sso.amazonaws.com/") and role["name"].startswith("AWSReservedSSO_"):
            sso = role["name"].removeprefix("AWSReservedSSO_")[:-17]
        me = self.entity("aws.iam_role", role["arn"], {
            **self.common(role), "description": role["description"], "max_session_duration": role["max_session"],
            "last_used": role["last_used"], "trust_document": trust["document"], "trust_document_state": trust["document_state"],
            "service_linked": True if role["path"].startswith("/aws-service-role/") else None, "sso_permission_set": sso})
        self.policies(me, role)
        if isinstance(role["trust"]["parsed"], dict):
            self.trust(me, role["trust"]["parsed"])

    def trust(self, me, document):
        for n, statement in enumerate(as_list(document.get("Statement"))):
            allow = statement.get("Effect") == "Allow"
            principal = statement.get("Principal")
            if principal == "*":
                principal = {"AWS": "*"}
            for kind, values in (principal or {}).items():
                for value in as_list(values):
                    src = self.principal(kind, value)
                    self.edge("trusts", src, me, str(n), {"effect": statement["Effect"]})
                    if kind == "Federated" and allow and value.startswith("arn:"):
                        self.edge("federates", src, me, str(n), {"effect": "Allow"})
            if "NotPrincipal" in statement:
                self.edge("trusts", ("aws.principal_public", "*"), me, str(n),
                          {"effect": statement["Effect"], "public_if_not_principal": allow})

    def principal(self, kind, value):
        if kind == "Service" or (kind == "Federated" and not value.startswith("arn:")):
            return "aws.principal_service", value
        if kind == "Federated":
            return ("aws.saml_provider" if ":saml-provider/" in value else "aws.oidc_provider"), value
        if kind != "AWS":
            return "aws.principal_unresolved", value
        if value == "*":
            return "aws.principal_public", "*"
        if value.isdigit() and len(value) == 12:
            return "aws.account", self.account_key(value)
        parts = value.split(":", 5)
        if len(parts) < 6:
            return "aws.principal_unresolved", value
        if parts[5] == "root":
            return "aws.account", self.account_key(parts[4], parts[1])
        if parts[2] == "iam" and parts[5].startswith(("user/", "role/")):
            return ("aws.iam_user" if parts[5].startswith("user/") else "aws.iam_role"), value
        if parts[5].startswith("assumed-role/") and parts[4] == self.id:
            name = parts[5].split("/")[1]
            found = [r["arn"] for r in self.inv["roles"] if r["name"] == name]
            if found:
                return "aws.iam_role", found[0]
        return "aws.principal_unresolved", value

    def policy(self, one):
        versions = [{"version_id": v["id"], "is_default": v["is_default"], "created": v["created"], **self.document(v["document"])}
                    for v in sorted(one["versions"], key=lambda v: -int(v["id"][1:]))]
        default = next(v for v in versions if v["is_default"])
        used = one["attached_to"]
        self.entity("aws.iam_policy", one["arn"], {
            "path": one["path"], "unique_id": one["id"], "created": one["created"], "updated": one["updated"],
            "default_version_id": default["version_id"], "document_version": default["version_id"],
            "document": default["document"], "document_state": default["document_state"], "versions": versions,
            "attachment_count": sum(len(names) for names in used.values()), "boundary_usage_count": one["boundary_of"],
            "is_attachable": True})

    def aws_policy(self, one):
        default = next(v for v in one["versions"] if v["is_default"])
        self.entity("aws.iam_policy", one["arn"], {
            "aws_managed": True, "path": one["path"], "unique_id": one["id"], "created": one["created"], "updated": one["updated"],
            "default_version_id": default["id"], "document_version": default["id"], **self.document(default["document"])}, contained=False)

    def profile(self, one):
        if not one["roles"] and not self.orphan_profiles:
            return
        me = self.entity("aws.instance_profile", one["arn"], self.common(one))
        by_name = {r["name"]: r["arn"] for r in self.inv["roles"]}
        for name in one["roles"]:
            self.edge("profile_role", me, ("aws.iam_role", by_name[name]))


def actual(database, org_id, account):
    entities, stubs, names = {}, set(), {}
    for ident, kind, key, attrs, stub in database.rows(
            "SELECT entity_id, kind, key, attrs, stub FROM entity WHERE org_id = %s AND deleted_at IS NULL", org_id):
        names[ident] = (kind, key)
        if stub:
            stubs.add((kind, key))
        else:
            entities[kind, key] = attrs
    edges = {}
    for kind, src, dst, qualifier, attrs in database.rows(
            "SELECT kind, src_id, dst_id, qualifier, attrs FROM edge WHERE org_id = %s AND account_id = %s AND deleted_at IS NULL",
            org_id, account):
        edges[kind, names.get(src, src), names.get(dst, dst), qualifier] = attrs
    return entities, stubs, edges


def differences(want, have, what):
    out = [f"missing {what}: {key}" for key in want if key not in have]
    out += [f"surplus {what}: {key}" for key in have if key not in want]
    for key in want:
        if key not in have:
            continue
        for name in set(want[key]) | set(have[key]):
            if name not in want[key]:
                if name not in UNTOLD and what == "entity":
                    out.append(f"{what} {key}: surplus {name} = {have[key][name]!r}")
            elif have[key].get(name) != want[key][name]:
                out.append(f"{what} {key}: {name} is {have[key].get(name)!r}, should be {want[key][name]!r}")
    return out


def compare(database, org_id, inventory, **options):
    """Every difference between the truth and the database, as sentences."""
    model = Model(inventory, **options)
    entities, stubs, edges = actual(database, org_id, inventory["account"])
    have_account = entities.get(model.account, {})
    out = []
    if have_account.pop("password_policy", {}).get("set") != model.has_password_policy:
        out.append("password policy is wrong")
    for (kind, _), attrs in entities.items():
        if kind == "aws.instance_profile":
            attrs.pop("created", None)
    root = entities.get(("aws.iam_user", model.arn("root")), {})
    for untold in ("created", "password_last_used"):
        root.pop(untold, None)
    root_device = entities.get(("aws.mfa_device", model.arn("mfa/root-account-mfa-device")), {})
    root_device.pop("enabled_at", None)
    out += differences(model.entities, entities, "entity")
    out += differences(model.edges, edges, "edge")
    out += [f"missing stub: {key}" for key in sorted(model.stubs - stubs)]
    out += [f"surplus stub: {key}" for key in sorted(stubs - model.stubs)]
    return out


def snapshot(database, org_id):
    """Everything that is there, byte for byte, to hold against a later look."""
    return (database.rows("SELECT entity_id, kind, key, name, part, attrs::text, incarnation, stub, deleted_at FROM entity"
                          " WHERE org_id = %s ORDER BY entity_id", org_id),
            database.rows("SELECT edge_id, kind, src_id, dst_id, qualifier, attrs::text, deleted_at FROM edge"
                          " WHERE org_id = %s ORDER BY edge_id", org_id))


def changed_rows(before, after):
    """The rows of two snapshots that differ, both sides of each."""
    out = []
    for one, two in zip(before, after):
        old, new = {row[0]: row for row in one}, {row[0]: row for row in two}
        out += [(old.get(i), new.get(i)) for i in sorted(set(old) | set(new)) if old.get(i) != new.get(i)]
    return out


def tombstones(database, org_id):
    return (database.value("SELECT count(*) FROM entity WHERE org_id = %s AND deleted_at IS NOT NULL", org_id)
            + database.value("SELECT count(*) FROM edge WHERE org_id = %s AND deleted_at IS NOT NULL", org_id))


def coverage(database, org_id):
    """part -> (state, action, reason)"""
    return {part: (state, action, reason) for part, state, action, reason in database.rows(
        "SELECT part, state, action, reason FROM coverage WHERE org_id = %s", org_id)}
