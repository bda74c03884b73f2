"""The reads of one account by boto3, with its own paginators; prints what it read as JSON."""
import json
import sys

import boto3


def rows(client, operation, page_size, *members, **parameters):
    pages = client.get_paginator(operation).paginate(PaginationConfig={"PageSize": page_size}, **parameters)
    found = {member: [] for member in members}
    for page in pages:
        for member in members:
            found[member] += page.get(member, [])
    return found[members[0]] if len(members) == 1 else found


def read_users(iam, size, read):
    read.update(users=rows(iam, "list_users", size, "Users"), access_keys={}, last_used={}, mfa={})
    for user in read["users"]:
        name = user["UserName"]
        read["access_keys"][name] = rows(iam, "list_access_keys", size, "AccessKeyMetadata", UserName=name)
        read["mfa"][name] = rows(iam, "list_mfa_devices", size, "MFADevices", UserName=name)
        for key in read["access_keys"][name]:
            used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
            read["last_used"][key["AccessKeyId"]] = used["AccessKeyLastUsed"]


def main():
    endpoint, size = sys.argv[1], int(sys.argv[2])
    iam, sts, ec2 = (boto3.client(name, endpoint_url=endpoint, region_name="us-east-1") for name in ("iam", "sts", "ec2"))
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    read = {
        "account": sts.get_caller_identity()["Account"],
        "details": rows(iam, "get_account_authorization_details", size, *lists),
        "roles": rows(iam, "list_roles", size, "Roles"),
        "aws_policies": rows(iam, "list_policies", size, "Policies", Scope="AWS", OnlyAttached=True),
        "aliases": rows(iam, "list_account_aliases", size, "AccountAliases"),
        "saml": iam.list_saml_providers()["SAMLProviderList"],
        "oidc": iam.list_open_id_connect_providers()["OpenIDConnectProviderList"],
        "regions": ec2.describe_regions(AllRegions=True)["Regions"],
    }
    read_users(iam, size, read)
    json.dump(read, sys.stdout, default=lambda moment: moment.isoformat())


main()
