"""Reads an Identity Center with boto3 and prints it in the inventory's shape."""
import json
import sys

import boto3


def rows(client, operation, member, **parameters):
    pages = client.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **parameters)
    return [row for page in pages for row in page[member]]


def directory(store, store_id):
    groups = rows(store, "list_groups", "Groups", IdentityStoreId=store_id)
    members = {}
    for group in groups:
        for row in rows(store, "list_group_memberships", "GroupMemberships", IdentityStoreId=store_id, GroupId=group["GroupId"]):
            members.setdefault(row["MemberId"]["UserId"], []).append(group["DisplayName"])
    users = rows(store, "list_users", "Users", IdentityStoreId=store_id)
    return {
        "users": sorted((user["UserName"], user["UserId"], sorted(members.get(user["UserId"], []))) for user in users),
        "groups": sorted((group["DisplayName"], group["GroupId"]) for group in groups),
    }


def grants(sso, instance):
    found = []
    for arn in rows(sso, "list_permission_sets", "PermissionSets", InstanceArn=instance):
        this = {"InstanceArn": instance, "PermissionSetArn": arn}
        name = sso.describe_permission_set(**this)["PermissionSet"]["Name"]
        for account in rows(sso, "list_accounts_for_provisioned_permission_set", "AccountIds", **this):
            for row in rows(sso, "list_account_assignments", "AccountAssignments", AccountId=account, **this):
                found.append((account, name, row["PrincipalType"], row["PrincipalId"]))
    return sorted(found)


def main():
    endpoint, region = sys.argv[1:]
    sso, store = (boto3.client(name, endpoint_url=endpoint, region_name=region) for name in ("sso-admin", "identitystore"))
    instances = rows(sso, "list_instances", "Instances")
    if not instances:
        json.dump(None, sys.stdout)
        return
    instance = instances[0]
    read = {"assignments": grants(sso, instance["InstanceArn"]), **directory(store, instance["IdentityStoreId"])}
    json.dump(read, sys.stdout)


main()
