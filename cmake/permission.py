"""permission.py IN OUT: the permission catalogue as C tables. Refuses what the catalogue must not be."""
import re
import sys

import yaml

NEEDS = ("required", "organization", "identity_center", "optional")
WHERE = ("management", "member", "both")
KEYS = {"name", "tier", "title", "need", "where", "lost", "grants", "landed", "organization_only", "by_name", "document",
        "partitions"}
HOLES = {"PARTITION", "PREFIX", "BUCKET", "TRAIL_PREFIX", "KEY_ARN"}


class Loader(yaml.SafeLoader):
    """A key twice would silently lose the first one."""


def _mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(keys) == len(set(keys)), f"a key twice near line {node.start_mark.line + 1}"
    return {key: loader.construct_object(value, deep=True) for key, (_, value) in zip(keys, node.value)}


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def text(s):
    assert re.fullmatch(r'[ -~]*', s) and '"' not in s and "\\" not in s, f"not plain: {s}"
    return f'"{s}"'


def check(c, seen):
    assert set(c) <= KEYS, f"{c['name']}: unknown {set(c) - KEYS}"
    assert re.fullmatch(r"[a-z0-9_]{2,40}", c["name"]) and c["name"] not in seen, f"name {c['name']}"
    assert c["tier"] in (1, 2, 3, 4) and c["need"] in NEEDS and c["where"] in WHERE, c["name"]
    assert c["lost"].endswith(".") and c["title"] and c["grants"], c["name"]


def rows(c):
    done = set()
    for grant in c["grants"]:
        assert set(grant) <= {"resources", "actions"} and grant["actions"], c["name"]
        for action, why in grant["actions"].items():
            assert re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+", action) and why.endswith("."), action
            assert action not in done, f"{action} twice in {c['name']}"
            done.add(action)
            for resource in grant.get("resources", ["*"]):
                words = set(re.findall(r"[A-Z][A-Z_]+", resource))
                assert words <= HOLES, f"{resource}: unknown hole"
                yield action, why, resource


def main(source, target):
    with open(source, encoding="utf-8") as f:
        capabilities = yaml.load(f, Loader)["capabilities"]
    assert [c["tier"] for c in capabilities] == sorted(c["tier"] for c in capabilities), "not in order of tier"
    heads, lines, seen = [], [], set()
    for i, c in enumerate(capabilities):
        check(c, seen)
        seen.add(c["name"])
        flags = "".join(f", .{flag} = true" for flag in ("landed", "organization_only", "by_name") if c.get(flag))
        heads.append(f'\t{{ .name = {text(c["name"])}, .title = {text(c["title"])},\n'
                     f'\t  .lost = {text(c["lost"])},\n'
                     f'\t  .tier = {c["tier"]}, .need = PERMISSION_{c["need"].upper()}, .where = {text(c["where"])}{flags},\n'
                     f'\t  .document = {text(c.get("document", ""))}, .partitions = {text("|".join(c.get("partitions", [])))} }},\n')
        lines += [f"\t{{ {text(action)}, {text(why)},\n\t  {text(resource)}, &PERMISSION_CAPABILITIES[{i}] }},\n"
                  for action, why, resource in rows(c)]
    with open(target, "w", encoding="utf-8") as f:
        f.write("/* Made by cmake/permission.py from base/permission.yaml. */\n#include \"base/permission.h\"\n\n"
                "const struct permission_capability PERMISSION_CAPABILITIES[] = {\n" + "".join(heads) + "};\n"
                "const size_t PERMISSION_CAPABILITIES_N = COUNT_OF(PERMISSION_CAPABILITIES);\n\n"
                "const struct permission_action PERMISSION_ACTIONS[] = {\n" + "".join(lines) + "};\n"
                "const size_t PERMISSION_ACTIONS_N = COUNT_OF(PERMISSION_ACTIONS);\n")


main(sys.argv[1], sys.argv[2])
