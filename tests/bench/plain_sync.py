"""The identities of an account as a plain script reads them: list, then ask for each, one call after the other.

    plain_sync.py ENDPOINT ROLE_ARN SHARE

A reasonable script, no straw man: paginators, a session kept open, no call made twice, AWS managed documents read once, the
credential report instead of a login-profile call a user. SHARE < 1 reads that share of each listing's items. Prints what it
found, how many calls it made for items, and what start-up and listings took."""
import csv
import io
import json
import sys
import time

import boto3


class Script:
    def __init__(self, endpoint, role_arn, share):
        self.share, self.calls, self.found = share, 0, {}
        sts = boto3.client("sts", endpoint_url=endpoint, region_name="us-east-1")
        got = sts.assume_role(RoleArn=role_arn, RoleSessionName="plain-script")["Credentials"]
        self.iam = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=got["AccessKeyId"],
                                aws_secret_access_key=got["SecretAccessKey"], aws_session_token=got["SessionToken"])

    def pages(self, operation, key, **params):
        items = []
        for page in self.iam.get_paginator(operation).paginate(**params):
            self.calls += 1
            items += page[key]
        return items

    def call(self, operation, **params):
        self.calls += 1
        return getattr(self.iam, operation)(**params)

    def some(self, items):
        return items[:max(1, round(len(items) * self.share))]

    def listings(self):
        self.users = self.some(self.pages("list_users", "Users"))
        self.groups = self.some(self.pages("list_groups", "Groups"))
        self.roles = self.some(self.pages("list_roles", "Roles"))
        self.policies = self.some(self.pages("list_policies", "Policies", Scope="Local"))
        self.managed = self.pages("list_policies", "Policies", Scope="AWS", OnlyAttached=True)
        while self.call("generate_credential_report")["State"] != "COMPLETE":
            time.sleep(1)
        report = self.call("get_credential_report")["Content"].decode()
        self.report = {row["user"]: row for row in csv.DictReader(io.StringIO(report))}
        self.pages("list_virtual_mfa_devices", "VirtualMFADevices")
        self.calls = 0

    def policies_of(self, kind, name):
        who = {f"{kind.capitalize()}Name": name}
        out = {"attached": self.pages(f"list_attached_{kind}_policies", "AttachedPolicies", **who), "inline": {}}
        for policy in self.pages(f"list_{kind}_policies", "PolicyNames", **who):
            out["inline"][policy] = self.call(f"get_{kind}_policy", PolicyName=policy, **who)["PolicyDocument"]
        return out

    def run(self):
        for user in self.users:
            name = user["UserName"]
            keys = self.pages("list_access_keys", "AccessKeyMetadata", UserName=name)
            for key in keys:
                key["used"] = self.call("get_access_key_last_used", AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
            self.found[user["Arn"]] = {
                **self.call("get_user", UserName=name)["User"], **self.policies_of("user", name), "keys": keys,
                "mfa": self.pages("list_mfa_devices", "MFADevices", UserName=name), "report": self.report.get(name)}
        for group in self.groups:
            members = self.pages("get_group", "Users", GroupName=group["GroupName"])
            self.found[group["Arn"]] = {**self.policies_of("group", group["GroupName"]), "members": [m["Arn"] for m in members]}
        for role in self.roles:
            self.found[role["Arn"]] = {**self.call("get_role", RoleName=role["RoleName"])["Role"], **self.policies_of("role", role["RoleName"])}
        for policy in self.policies:
            versions = self.pages("list_policy_versions", "Versions", PolicyArn=policy["Arn"])
            self.found[policy["Arn"]] = [self.call("get_policy_version", PolicyArn=policy["Arn"], VersionId=v["VersionId"]) for v in versions]
        for policy in self.some(self.managed):
            self.found[policy["Arn"]] = self.call("get_policy_version", PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])


def main():
    began = time.monotonic()
    script = Script(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    script.listings()
    fixed, fixed_cpu = time.monotonic() - began, time.process_time()
    script.run()
    print(json.dumps({"found": len(script.found), "calls": script.calls, "fixed_s": fixed, "fixed_cpu_s": fixed_cpu}))


if __name__ == "__main__":
    main()
