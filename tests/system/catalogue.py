"""The permission catalogue as the tests use it: read from its file, not from the product."""
import yaml
from processes import ROOT

PREFIX = "connectord"
NEVER = {"s3:GetObject", "secretsmanager:GetSecretValue", "kms:Decrypt", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan",
         "bedrock:InvokeModel", "lambda:GetFunction"}


def capabilities():
    return {c["name"]: c for c in yaml.safe_load((ROOT / "base/permission.yaml").read_text())["capabilities"]}


def actions_of(capability):
    return {action for grant in capability["grants"] for action in grant["actions"]}


def granted(document):
    """{(action, resource)} of a policy document."""
    found = set()
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow" and set(statement) == {"Effect", "Action", "Resource"}
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        found |= {(action, resource) for action in statement["Action"] for resource in resources}
    return found


def expected(names, partition="aws", prefix=PREFIX, bucket="", trail_prefix="AWSLogs", key_arn=""):
    """{(action, resource)} of these capabilities, from the file."""
    holes = (("PARTITION", partition), ("TRAIL_PREFIX", trail_prefix), ("PREFIX", prefix), ("BUCKET", bucket), ("KEY_ARN", key_arn))
    found = set()
    for name in names:
        for grant in capabilities()[name]["grants"]:
            for resource in grant.get("resources", ["*"]):
                for hole, value in holes:
                    resource = resource.replace(hole, value)
                found |= {(action, resource) for action in grant["actions"]}
    # What is granted on everything needs no other resource in the same document.
    return found
