"""What a customer pastes into AWS: the documents grant what the catalogue says and not a word more, in every form."""
import json
import re
import subprocess
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from api import expect
from catalogue import NEVER, PREFIX, actions_of, capabilities, expected, granted
from waiting import wait_until

VENDOR = "469725248735"
DEMO = "111122223333"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
EVERYTHING = {"tiers": "1,2,3,4", "mode": "organization", "bucket": "trail-logs", "trail_kms_key_arn": KEY,
              "capabilities": "preflight_simulation,setup_trail"}
FORMS = ("cloudformation", "terraform", "cli")
LIMIT = 6144
HOSTILE = ["'; touch /tmp/x; '", "$(id)", "`id`", "${path.module}", "%{ if true }", "a\nb", "a: b", "*", "a*", "?", "{{x}}", "\"", "\\", "!Ref X",
           "é", "a,b", "a b", "<script>", "#", "&", "|", ";", "a//b", "/a", "a/", "../a", "a/../b"]


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(vendor_account=VENDOR, setup_template_url="https://templates.s3.eu-central-1.amazonaws.com/connectord.yaml")


@pytest.fixture(scope="module")
def org(server):
    return server.organization()


def plan(org, **options):
    return expect(org.get("/v1/aws/setup", **options), 200)


def form(org, name, **options):
    answer = org.get(f"/v1/aws/setup/{name}", **options)
    assert answer.status_code == 200, answer.text
    return answer.text


def minified(document):
    return json.dumps(document, separators=(",", ":"))


def all_granted(documents):
    return set().union(*(granted(document) for document in documents))


def test_the_trust_is_our_account_and_the_organizations_own_external_id(org, server):
    made = plan(org)
    assert made["principal"] == f"arn:aws:iam::{VENDOR}:root"
    assert made["external_id"] == org.org_id != plan(server.organization())["external_id"]
    assert made["trust_policy"] == {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": made["principal"]}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": org.org_id}}}]}


@pytest.mark.parametrize("options", [{}, {"tiers": "1"}, {"tiers": "1,2", "capabilities": "s3,kms"}, {"capabilities": "bedrock"},
                                     {"mode": "organization"}, {"mode": "organization", "member_access": "direct"},
                                     {"tiers": "4", "bucket": "trail-logs"}, {"partition": "aws-cn"}, EVERYTHING], ids=str)
def test_what_is_asked_for_is_granted_or_said_to_be_left_out(org, options):
    made = plan(org, **options)
    known = capabilities()
    tiers = {int(t) for t in options.get("tiers", "" if "capabilities" in options else "1,2,3,4").split(",") if t}
    named = set(filter(None, options.get("capabilities", "").split(",")))
    asked = {name for name, c in known.items() if c["tier"] in tiers} | named
    published = [name for policy in made["policies"] for name in policy["capabilities"]]
    omitted = {one["capability"]: one["reason"] for one in made["omitted"]}
    assert len(published) == len(set(published)), "each capability is in one policy (or its parts)"
    assert set(published) | set(omitted) == asked and not set(published) & set(omitted)
    for policy in made["policies"]:
        assert len(minified(policy["document"])) == policy["characters"] <= LIMIT
        wanted = expected(policy["capabilities"], partition=made["partition"], bucket="trail-logs", key_arn=KEY)
        assert granted(policy["document"]) == wanted
        assert {known[name]["tier"] for name in policy["capabilities"]} == {policy["tier"]}
        assert set(policy["planned"]) == {n for n in policy["capabilities"] if not known[n].get("landed")}
        assert all(known[name]["lost"] in policy["lost"] for name in policy["capabilities"])


def test_left_out_things_say_why(org):
    def omitted(**options):
        return {one["capability"]: one["reason"] for one in plan(org, **options)["omitted"]}
    assert omitted() == {"org_tree": "needs_organization", "member_hop": "needs_organization", "setup_org": "needs_organization",
                         "activity_history": "needs_bucket", "activity_history_key": "needs_trail_kms_key_arn",
                         "preflight_simulation": "only_by_name", "setup_trail": "only_by_name"}
    assert omitted(**EVERYTHING) == {}
    assert omitted(mode="organization", member_access="direct", tiers="1") == {"member_hop": "member_access_direct",
                                                                            "preflight_simulation": "only_by_name"}
    assert omitted(partition="aws-cn", tiers="3") == {"bedrock": "not_in_partition"}


def test_the_trails_bucket_is_the_only_one_whose_objects_can_be_read(org):
    pairs = all_granted(p["document"] for p in plan(org, **EVERYTHING, digest_prefix="some/AWSLogs")["policies"])
    assert {r for a, r in pairs if a == "s3:GetObject"} == {"arn:aws:s3:::trail-logs/some/AWSLogs/*"}
    assert {r for a, r in pairs if a == "s3:ListBucket"} == {"arn:aws:s3:::trail-logs"}
    assert {r for a, r in pairs if a == "kms:Decrypt"} == {KEY}


def test_no_tier_that_reads_asks_for_data(org):
    for name, c in capabilities().items():
        assert c["tier"] == 4 or not actions_of(c) & NEVER, name
    pairs = all_granted(p["document"] for p in plan(org, tiers="1,2,3", mode="organization", capabilities="preflight_simulation")["policies"])
    assert not {a for a, _ in pairs} & NEVER
    assert not any("*" in a for a, _ in pairs), "an action is a name, not a pattern"


def test_the_lists_of_bedrock_and_dynamodb_are_the_published_ones(org):
    def actions(name):
        return {a for p in plan(org, capabilities=name)["policies"] for a, _ in granted(p["document"])}
    assert actions("dynamodb") == {f"dynamodb:{a}" for a in (
        "ListTables", "DescribeTable", "DescribeContinuousBackups", "ListTagsOfResource", "GetResourcePolicy", "DescribeStream")}
    assert actions("bedrock") == {f"bedrock:{a}" for a in (
        "ListFoundationModels", "ListCustomModels", "ListImportedModels", "ListProvisionedModelThroughputs", "ListInferenceProfiles",
        "ListGuardrails", "ListAgents", "GetAgent", "ListAgentAliases", "GetAgentAlias", "ListKnowledgeBases", "GetKnowledgeBase",
        "ListDataSources", "ListPrompts")}


@pytest.mark.parametrize("partition, console", [("aws", "console.aws.amazon.com"), ("aws-us-gov", None), ("aws-cn", None)])
def test_every_arn_is_of_the_partition(org, partition, console):
    options = {k: v for k, v in EVERYTHING.items() if k != "trail_kms_key_arn"}
    made = plan(org, **options, partition=partition)
    texts = [json.dumps(made["policies"]), json.dumps(made["trust_policy"])] + [form(org, f, **options, partition=partition) for f in FORMS]
    for text in texts:
        arns = re.findall(r"arn:([a-z-]+):", text)
        assert arns and set(arns) == {partition}
    # A template is not read across partitions, so there is a link where the operator's template is.
    assert (urlsplit(made["quick_create_url"]).hostname if made["quick_create_url"] else None) == console


def template(text):
    """A CloudFormation template, and the roles' policies when it is deployed with its defaults."""
    made = yaml.safe_load(text)
    assert made["AWSTemplateFormatVersion"] == "2010-09-09" and len(text.encode()) <= 51200
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for part in ("Parameters", "Resources", "Outputs") for name in made[part])
    return made


def names_used(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0]
            elif key == "Fn::If":
                yield from names_used(value[1:])
            else:
                yield from names_used(value)
    elif isinstance(node, list):
        for one in node:
            yield from names_used(one)


@pytest.mark.parametrize("options", [{}, {"tiers": "1"}, EVERYTHING, {**EVERYTHING, "name_prefix": "Abcdefghij-0123456789-abcdefghij"}], ids=str)
def test_the_cloudformation_template_grants_the_same(org, options):
    made = template(form(org, "cloudformation", **options))
    resources = made["Resources"]
    assert set(names_used(made)) <= set(resources) | set(made["Parameters"])
    role = resources.pop("ConnectorRole")
    assert role["Type"] == "AWS::IAM::Role" and role["Properties"]["RoleName"] == options.get("name_prefix", PREFIX)
    assert role["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [{
        "Effect": "Allow", "Principal": {"AWS": {"Ref": "TrustedPrincipalArn"}}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}}]
    assert made["Parameters"]["ExternalId"]["Default"] == org.org_id
    assert made["Parameters"]["TrustedPrincipalArn"]["Default"] == f"arn:aws:iam::{VENDOR}:root"
    assert len(resources) <= 10, "AWS attaches ten policies to a role"
    assert all(r["Type"] == "AWS::IAM::ManagedPolicy" and r["Properties"]["Roles"] == [{"Ref": "ConnectorRole"}] for r in resources.values())
    documents = [r["Properties"]["PolicyDocument"] for r in resources.values()]
    assert all(len(minified(d)) <= LIMIT for d in documents)
    wanted = plan(org, **{"tiers": "1,2,3", **options})["policies"]
    assert all_granted(documents) >= {(a, r) for a, r in all_granted(p["document"] for p in wanted) if (a, "*") not in all_granted(documents)}
    assert all_granted(documents) <= all_granted(p["document"] for p in wanted)
    assert made["Outputs"]["RoleArn"]["Value"] == {"Fn::GetAtt": ["ConnectorRole", "Arn"]}


def test_a_template_changes_nothing_unless_it_is_asked_to(org):
    for name in FORMS:
        assert "cloudformation:CreateStack" not in form(org, name)
        assert "cloudformation:CreateStack" in form(org, name, tiers="1,4")


def test_our_role_cannot_change_itself(org):
    """Tier 4 may change roles named PREFIX-*; the role that has it is named otherwise."""
    made = plan(org, **EVERYTHING)
    pattern = {r for p in made["policies"] for a, r in granted(p["document"]) if a == "iam:PutRolePolicy"}
    assert pattern == {f"arn:aws:iam::*:role/{PREFIX}-*"}
    assert not made["role_name"].startswith(f"{PREFIX}-")


def run_script(text, tmp_path):
    """The script with an aws that only takes notes: what a real one would have been told."""
    notes = tmp_path / "notes"
    fake = tmp_path / "aws"
    fake.write_text('#!/bin/sh\nfor a in "$@"; do printf "%s\\0" "$a"; done >>"$NOTES"; printf "\\n\\0" >>"$NOTES"\n'
                    'case $2 in create-policy) echo "arn:made:$4";; get-role) echo arn:of:role;; esac\n')
    fake.chmod(0o755)
    script = tmp_path / "setup.sh"
    script.write_text(text)
    done = subprocess.run(["/bin/sh", script], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                          env={"PATH": f"{tmp_path}:/usr/bin:/bin", "NOTES": str(notes)})
    assert done.returncode == 0, done.stderr
    calls = [[]]
    for word in notes.read_text().split("\0")[:-1]:
        calls.append([]) if word == "\n" else calls[-1].append(word)
    return done.stdout, calls[:-1]


def test_the_script_says_to_aws_what_the_documents_say(org, tmp_path):
    options = {**EVERYTHING, "digest_prefix": "it's (mine)!/AWSLogs".replace(" ", "")}
    out, calls = run_script(form(org, "cli", **options), tmp_path)
    assert out == "arn:of:role\n"
    made = plan(org, **options)
    role = calls[0]
    assert role[:4] == ["iam", "create-role", "--role-name", PREFIX]
    assert json.loads(role[role.index("--assume-role-policy-document") + 1]) == made["trust_policy"]
    policies = [c for c in calls if c[1] == "create-policy"]
    documents = [json.loads(c[c.index("--policy-document") + 1]) for c in policies]
    assert ("s3:GetObject", "arn:aws:s3:::trail-logs/it's(mine)!/AWSLogs/*") in all_granted(documents)
    assert all_granted(documents) <= all_granted(p["document"] for p in made["policies"])
    attached = [c for c in calls if c[1] == "attach-role-policy"]
    assert [c[c.index("--policy-arn") + 1] for c in attached] == [f"arn:made:{c[3]}" for c in policies]
    assert len(attached) <= 10


def test_the_terraform_text_holds_the_same_documents(org):
    options = {**EVERYTHING, "digest_prefix": "it's(mine)!/AWSLogs"}
    text = form(org, "terraform", **options)
    documents = [json.loads(line[line.index("jsonencode(") + 11:-1]) for line in text.splitlines() if "jsonencode(" in line]
    assert documents[0] == plan(org)["trust_policy"]
    assert ("s3:GetObject", "arn:aws:s3:::trail-logs/it's(mine)!/AWSLogs/*") in all_granted(documents[1:])
    assert all_granted(documents[1:]) <= all_granted(p["document"] for p in plan(org, **options)["policies"])
    assert all(len(minified(d)) <= LIMIT for d in documents)
    assert "${" not in text and "%{" not in text
    assert text.count("{") == text.count("}") and text.count('"aws_iam_role_policy_attachment"') == len(documents) - 1


@pytest.mark.parametrize("parameter", ["bucket", "digest_prefix", "trail_kms_key_arn", "name_prefix", "tiers", "capabilities", "partition", "mode",
                                       "member_access"])
def test_nothing_that_could_be_read_as_a_command_or_a_wildcard_is_taken(org, parameter):
    base = {"bucket": "trail-logs", "mode": "organization"}
    for value in HOSTILE:
        if parameter == "trail_kms_key_arn":
            value = KEY[:-36] + value
        for path in ("", *(f"/{name}" for name in FORMS)):
            answer = org.get("/v1/aws/setup" + path, **{**base, parameter: value})
            assert answer.status_code in (400, 422), (path, value, answer.text[:200])
            assert parameter in answer.text
            assert value not in answer.text or value in ("*", "?", "#", "&", "|", ";", "\\", "\"", "a/", "/a", "a,b"), "values are not echoed"


@pytest.mark.parametrize("options, field", [
    ({"member_access": "direct"}, "?member_access"), ({"digest_prefix": "AWSLogs"}, "?digest_prefix"), ({"trail_kms_key_arn": KEY}, "?trail_kms_key_arn"),
    ({"bucket": "trail-logs", "trail_kms_key_arn": KEY, "partition": "aws-cn"}, "?trail_kms_key_arn"),
    ({"bucket": "trail-logs", "trail_kms_key_arn": KEY.replace("key/", "alias/")}, "?trail_kms_key_arn"),
    ({"bucket": "trail-logs", "trail_kms_key_arn": KEY.replace("eu-central-1", "cn-north-1")}, "?trail_kms_key_arn"),
    ({"tiers": "1,5"}, "?tiers"), ({"capabilities": "iam_identities,nothing"}, "?capabilities"), ({"bucket": "Not_A_Bucket"}, "?bucket"),
    ({"name_prefix": "x" * 33}, "?name_prefix")], ids=str)
def test_impossible_wishes_name_their_parameter(org, options, field):
    problem = expect(org.get("/v1/aws/setup", **options), 422)
    assert field in [e["pointer"] for e in problem["errors"]]


def test_all_wrong_parameters_are_told_at_once(org):
    problem = expect(org.get("/v1/aws/setup", tiers="9", bucket="X", name_prefix="-"), 422)
    assert [e["pointer"] for e in problem["errors"]] == ["?tiers", "?name_prefix", "?bucket"]


def test_the_member_template_reads_and_cannot_see_the_tree(org):
    made = template(form(org, "slashid-member-account-setup.yaml", name_prefix="acme"))
    resources, parameters = made["Resources"], made["Parameters"]
    assert set(names_used(made)) <= set(resources) | set(parameters)
    types = {c["name"] for c in capabilities().values() if c["tier"] == 3}
    assert {p for p in parameters if p.startswith("Include")} == {"Include" + t.capitalize() for t in types}
    assert all(parameters[p]["Default"] == "false" and parameters[p]["AllowedValues"] == ["true", "false"] for p in parameters
               if p.startswith("Include") or p == "EnableActivity")
    assert (parameters["NamePrefix"]["Default"], parameters["ExternalId"]["Default"]) == ("acme", org.org_id)
    role = resources["MemberRole"]["Properties"]
    assert role["RoleName"] == {"Fn::Sub": "${NamePrefix}-member-read"}
    statement, = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": {"Fn::If": ["ViaManagement", {"Ref": "ManagementRoleArn"}, {"Ref": "TrustedPrincipalArn"}]}}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
    documents = {name: r["Properties"]["PolicyDocument"] for name, r in resources.items() if name != "MemberRole"}
    assert sum(len(minified(d)) for d in documents.values()) <= 10240, "AWS bounds the inline policies of a role"
    assert granted(documents["ReadIdentities"]) == expected(["iam_identities", "regions", "identity_center_probe"])
    for name in types:
        made_of = resources[f"ReadInclude{name.capitalize()}"]
        assert granted(made_of["Properties"]["PolicyDocument"]) == expected([name])
        assert made["Conditions"][made_of["Condition"]] == {"Fn::Equals": [{"Ref": f"Include{name.capitalize()}"}, "true"]}
    assert granted(documents["ReadEnableActivity"]) == expected(["activity_live_poll"])
    assert made["Outputs"]["RoleArn"]["Value"] == {"Fn::GetAtt": ["MemberRole", "Arn"]}
    assert made["Outputs"]["TemplateVersion"]["Value"] == made["Metadata"]["ConnectordTemplateVersion"]
    china = template(form(org, "slashid-member-account-setup.yaml", partition="aws-cn"))
    assert "IncludeBedrock" not in china["Parameters"] and china["Parameters"]["TrustedPrincipalArn"]["Default"].startswith("arn:aws-cn:")


def test_the_quick_create_link_fills_in_what_is_the_organizations(org):
    made = plan(org, name_prefix="acme")
    link = urlsplit(made["quick_create_url"])
    path, _, query = link.fragment.partition("?")
    assert (link.scheme, link.hostname, link.path, path) == ("https", "console.aws.amazon.com", "/cloudformation/home", "/stacks/quickcreate")
    assert {k: v for k, (v,) in parse_qs(query).items()} == {
        "templateURL": "https://templates.s3.eu-central-1.amazonaws.com/connectord.yaml", "stackName": "acme",
        "param_TrustedPrincipalArn": made["principal"], "param_ExternalId": org.org_id}


def test_links_lead_to_the_same_wishes(org):
    options = {**EVERYTHING, "digest_prefix": "it's/AWSLogs", "name_prefix": "acme"}
    links = plan(org, **options)["links"]
    for name in FORMS:
        answer = org.request("GET", links[name])
        assert answer.status_code == 200 and answer.text == form(org, name, **options)
    assert org.request("GET", links["member_template"]).text == form(org, "slashid-member-account-setup.yaml", name_prefix="acme")
    assert org.request("GET", links["permissions"]).status_code == 200


def test_the_catalogue_is_served_as_it_is_kept(org):
    data = {c["capability"]: c for c in expect(org.get("/v1/aws/permissions"), 200)["data"]}
    known = capabilities()
    assert list(data) == list(known)
    for name, kept in known.items():
        served = data[name]
        assert (served["tier"], served["title"], served["need"], served["where"], served["lost"], served["in_use"]) == (
            kept["tier"], kept["title"], kept["need"], kept["where"], kept["lost"], kept.get("landed", False))
        assert {a["action"]: (a["why"], a["resources"]) for a in served["actions"]} == {
            action: (why, grant.get("resources", ["*"])) for grant in kept["grants"] for action, why in grant["actions"].items()}
    assert {c["tier"] for c in expect(org.get("/v1/aws/permissions", tier=2), 200)["data"]} == {2}
    assert [c["capability"] for c in expect(org.get("/v1/aws/permissions", capability="s3"), 200)["data"]] == ["s3"]
    assert expect(org.get("/v1/aws/permissions", capability="s3", tier=1), 200)["data"] == []
    assert org.get("/v1/aws/permissions", tier=5).status_code in (400, 422)
    assert expect(org.get("/v1/aws/permissions", capability="x"), 422)["errors"][0]["pointer"] == "?capability"


def test_without_an_account_of_ours_the_operator_is_told_what_to_do(start_server):
    org = start_server().organization()
    for path in ("", *(f"/{name}" for name in FORMS), "/slashid-member-account-setup.yaml"):
        answer = org.get("/v1/aws/setup" + path)
        problem = expect(answer, 503)
        assert problem["code"] == "vendor_unknown" and "CONNECTORD_VENDOR_ACCOUNT" in problem["detail"]
        assert int(answer.headers["Retry-After"]) > 0
    assert org.get("/v1/aws/permissions").status_code == 200


def resolved(node, values):
    """What CloudFormation would make of it."""
    if isinstance(node, list):
        return [resolved(one, values) for one in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Ref"}:
        return values[node["Ref"]]
    return {key: resolved(value, values) for key, value in node.items()}


@pytest.fixture(scope="module")
def world(start_awssim, start_worker, start_server):
    aws = start_awssim("demo")
    worker = start_worker(aws, aws_rates="iam=1000")
    return SimpleNamespace(aws=aws, worker=worker, server=start_server())


def connect(world, org, trust, documents):
    """The demo account with a role that is made of nothing but these, connected; its first sync."""
    inline = {f"p{i}": document for i, document in enumerate(documents)}
    world.aws.mutate({"op": "put_role", "account": DEMO, "name": PREFIX, "trust": trust, "inline": inline})
    made = org.connect(DEMO, role_arn=f"arn:aws:iam::{DEMO}:role/{PREFIX}")
    first = wait_until(lambda: org.syncs(made["id"]), lambda: world.worker.tail(), 30)[0]
    done = org.wait_sync(first["id"])
    assert done["state"] == "complete", (done, org.coverage(made["id"]), world.worker.tail())
    return made["id"]


def test_a_role_made_of_the_template_is_all_that_a_first_sync_needs(world):
    """Nobody configured the account here: the worker found it, and the server told the organization."""
    org = world.server.organization()
    wait_until(lambda: org.get("/v1/aws/setup").status_code == 200, "the worker has told whose account it is", 30)
    made = template(form(org, "cloudformation", tiers="1"))
    values = {name: p["Default"] for name, p in made["Parameters"].items()}
    trust = resolved(made["Resources"]["ConnectorRole"]["Properties"]["AssumeRolePolicyDocument"], values)
    documents = [r["Properties"]["PolicyDocument"] for name, r in made["Resources"].items() if name != "ConnectorRole"]
    connection = connect(world, org, trust, documents)
    assert all(row["state"] == "ok" for row in org.coverage(connection)), org.coverage(connection)


def test_a_role_made_by_the_script_is_all_that_a_first_sync_needs(world, tmp_path):
    org = world.server.organization()
    _, calls = run_script(form(org, "cli", tiers="1"), tmp_path)
    words = [dict(zip(c[2::2], c[3::2])) for c in calls]
    documents = [json.loads(w["--policy-document"]) for w in words if "--policy-document" in w]
    connection = connect(world, org, json.loads(words[0]["--assume-role-policy-document"]), documents)
    assert all(row["state"] == "ok" for row in org.coverage(connection)), org.coverage(connection)
