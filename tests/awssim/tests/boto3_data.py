"""Reads what an account keeps with boto3 and its own paginators, and prints it as JSON; Debian's knows no Bedrock."""
import functools
import json
import socket
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, ACCOUNT, REGIONS = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
PAGING = {}
# s3control puts the account into the host.
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: look_up("127.0.0.1" if host.endswith(".localhost") else host, *rest, **more)


@functools.cache
def client(service, region="us-east-1", endpoint=ENDPOINT):
    return boto3.client(service, endpoint_url=endpoint, region_name=region, config=Config(retries={"max_attempts": 0}))


def rows(caller, operation, member, **parameters):
    pages = caller.get_paginator(operation).paginate(PaginationConfig=PAGING, **parameters)
    return [row for page in pages for row in page.get(member, [])]


def or_code(call, member=None, **parameters):
    try:
        answer = call(**parameters)
    except ClientError as error:
        return {"code": error.response["Error"]["Code"]}
    answer.pop("ResponseMetadata")
    return answer.get(member) if member else answer


def region_of(bucket):
    """The region stands in a header, whether the bucket is here or elsewhere."""
    try:
        answer = client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        answer = error.response
    return answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"]


def buckets():
    reads = {
        "policy": ("get_bucket_policy", "Policy"),
        "status": ("get_bucket_policy_status", "PolicyStatus"),
        "acl": ("get_bucket_acl", "Grants"),
        "block": ("get_public_access_block", "PublicAccessBlockConfiguration"),
        "ownership": ("get_bucket_ownership_controls", "OwnershipControls"),
        "encryption": ("get_bucket_encryption", "ServerSideEncryptionConfiguration"),
        "tags": ("get_bucket_tagging", "TagSet"),
        "versioning": ("get_bucket_versioning", None),
        "logging": ("get_bucket_logging", "LoggingEnabled"),
        "location": ("get_bucket_location", "LocationConstraint"),
    }
    callers = {region: client("s3", region) for region in REGIONS}
    found = []
    for bucket in client("s3").list_buckets()["Buckets"]:
        name = bucket["Name"]
        region = region_of(name)
        details = {
            key: or_code(getattr(callers[region], operation), member, Bucket=name, ExpectedBucketOwner=ACCOUNT)
            for key, (operation, member) in reads.items()
        }
        found.append({**bucket, "BucketRegion": region, **details})
    return found


def account_block():
    control = client("s3control", endpoint=ENDPOINT.replace("127.0.0.1", "localhost"))
    return or_code(control.get_public_access_block, "PublicAccessBlockConfiguration", AccountId=ACCOUNT)


def secrets(region):
    manager = client("secretsmanager", region)
    found = rows(manager, "list_secrets", "SecretList")
    for secret in found:
        secret["policy"] = or_code(manager.get_resource_policy, "ResourcePolicy", SecretId=secret["ARN"])
        copies = manager.describe_secret(SecretId=secret["ARN"]).get("ReplicationStatus", [])
        secret["replicas"] = [copy["Region"] for copy in copies]
    return found


def rows_or_code(kms, operation, member, key):
    try:
        return rows(kms, operation, member, KeyId=key)
    except ClientError as error:
        return {"code": error.response["Error"]["Code"]}


def keys(region):
    kms = client("kms", region)
    found = [
        {
            "KeyId": key,
            "metadata": or_code(kms.describe_key, "KeyMetadata", KeyId=key),
            "policy": or_code(kms.get_key_policy, "Policy", KeyId=key, PolicyName="default"),
            "grants": rows_or_code(kms, "list_grants", "Grants", key),
            "tags": rows_or_code(kms, "list_resource_tags", "Tags", key),
            "rotation": or_code(kms.get_key_rotation_status, KeyId=key),
        }
        for key in (row["KeyId"] for row in rows(kms, "list_keys", "Keys"))
    ]
    return {"aliases": rows(kms, "list_aliases", "Aliases"), "keys": found}


def tables(region):
    dynamodb, streams = client("dynamodb", region), client("dynamodbstreams", region)
    found = []
    for name in rows(dynamodb, "list_tables", "TableNames"):
        table = dynamodb.describe_table(TableName=name)["Table"]
        arn = table.get("LatestStreamArn")
        stream = {"description": or_code(streams.describe_stream, "StreamDescription", StreamArn=arn, Limit=1)} if arn else None
        backups = or_code(dynamodb.describe_continuous_backups, "ContinuousBackupsDescription", TableName=name)
        tags = [
            tag
            for page in dynamodb.get_paginator("list_tags_of_resource").paginate(ResourceArn=table["TableArn"])
            for tag in page["Tags"]
        ]
        found.append({"table": table, "backups": backups, "tags": tags, "stream": stream})
    return found


def regions(**paging):
    PAGING.clear()
    PAGING.update(paging)
    return {region: {"secrets": secrets(region), "kms": keys(region), "tables": tables(region)} for region in REGIONS}


read = {"buckets": buckets(), "account_block": account_block(), "pages": [regions(PageSize=1), regions()]}
json.dump(read, sys.stdout, default=lambda moment: moment.isoformat())
