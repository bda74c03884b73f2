"""Calls one operation of each service, none of which awssim has behaviour for, and prints how each ended as JSON."""
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

EKS_ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/a+b c"
CALLS = {
    "eks": ("list_tags_for_resource", {"resourceArn": EKS_ARN}),
    "lambda": ("get_function_code_signing_config", {"FunctionName": "arn:aws:lambda:eu-west-1:111122223333:function:f"}),
    "s3": ("get_bucket_website", {"Bucket": "a-bucket"}),
    "dynamodb": ("list_backups", {}),
    "dynamodbstreams": ("list_streams", {}),
    "kms": ("list_retirable_grants", {"RetiringPrincipal": "arn:aws:iam::111122223333:role/r"}),
    "rds": ("describe_events", {}),
    "ec2": ("describe_addresses", {"Filters": [{"Name": "vpc-id", "Values": ["v1", "v2"]}]}),
    "cloudtrail": ("lookup_events", {}),
    "sso-admin": ("list_permission_set_provisioning_status", {"InstanceArn": "arn:aws:sso:::instance/ssoins-0123456789abcdef"}),
    "identitystore": ("describe_user", {"IdentityStoreId": "d-1234567890", "UserId": "a-user-id"}),
    "secretsmanager": ("list_secret_version_ids", {"SecretId": "a-secret"}),
    "cloudformation": ("list_stacks", {}),
    "events": ("list_rules", {}),
}


def outcome(endpoint, name, operation, parameters):
    settings = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0})
    client = boto3.client(name, endpoint_url=endpoint, region_name="eu-west-1", config=settings)
    try:
        getattr(client, operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


json.dump({name: outcome(sys.argv[1], name, *call) for name, call in CALLS.items()}, sys.stdout)
