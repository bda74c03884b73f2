"""The resources of one account by boto3, with its own paginators; prints what it read as JSON, region by region.

Debian's boto3 is older than access entries, pod identities and IncludeManagedResources: it does not read those.
"""
import json
import sys

import boto3


def rows(client, operation, member, **parameters):
    pages = client.get_paginator(operation).paginate(**parameters)
    return [one for page in pages for one in page.get(member, [])]


def read_ec2(ec2):
    reservations = rows(ec2, "describe_instances", "Reservations")
    own = {"OwnerIds": ["self"]}
    public = rows(ec2, "describe_snapshots", "Snapshots", RestorableByUserIds=["all"], **own)
    return {
        "instances": [
            {**one, "OwnerId": group["OwnerId"], "ReservationId": group["ReservationId"]}
            for group in reservations for one in group["Instances"]
        ],
        "security_groups": rows(ec2, "describe_security_groups", "SecurityGroups"),
        "vpcs": rows(ec2, "describe_vpcs", "Vpcs"),
        "subnets": rows(ec2, "describe_subnets", "Subnets"),
        "volumes": rows(ec2, "describe_volumes", "Volumes"),
        "snapshots": rows(ec2, "describe_snapshots", "Snapshots", **own),
        "public_snapshots": [one["SnapshotId"] for one in public],
        "images": ec2.describe_images(Owners=["self"], IncludeDeprecated=True)["Images"],
        "key_pairs": ec2.describe_key_pairs()["KeyPairs"],
        "launch_templates": rows(ec2, "describe_launch_templates", "LaunchTemplates"),
        "template_versions": rows(ec2, "describe_launch_template_versions", "LaunchTemplateVersions",
                                  Versions=["$Default", "$Latest"]),
    }


def read_rds(rds):
    shares = {}
    snapshots = [one for kind in ("manual", "automated")
                 for one in rows(rds, "describe_db_snapshots", "DBSnapshots", SnapshotType=kind)]
    clusters = [one for kind in ("manual", "automated")
                for one in rows(rds, "describe_db_cluster_snapshots", "DBClusterSnapshots", SnapshotType=kind)]
    for one in snapshots:
        name = one["DBSnapshotIdentifier"]
        answer = rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)
        shares[name] = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
    for one in clusters:
        name = one["DBClusterSnapshotIdentifier"]
        answer = rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
        shares[name] = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    return {
        "db_clusters": rows(rds, "describe_db_clusters", "DBClusters"),
        "db_instances": rows(rds, "describe_db_instances", "DBInstances"),
        "db_snapshots": snapshots,
        "db_cluster_snapshots": clusters,
        "db_proxies": rows(rds, "describe_db_proxies", "DBProxies"),
        "shares": shares,
    }


def read_cluster(eks, name):
    cluster = eks.describe_cluster(name=name)["cluster"]
    if "connectorConfig" in cluster:
        return {"cluster": cluster}
    where = {"clusterName": name}
    return {
        "cluster": cluster,
        "nodegroups": [eks.describe_nodegroup(nodegroupName=one, **where)["nodegroup"]
                       for one in rows(eks, "list_nodegroups", "nodegroups", **where)],
        "fargate_profiles": [eks.describe_fargate_profile(fargateProfileName=one, **where)["fargateProfile"]
                             for one in rows(eks, "list_fargate_profiles", "fargateProfileNames", **where)],
        "addons": [eks.describe_addon(addonName=one, **where)["addon"]
                   for one in rows(eks, "list_addons", "addons", **where)],
        "identity_providers": [
            eks.describe_identity_provider_config(identityProviderConfig=one, **where)["identityProviderConfig"]
            for one in rows(eks, "list_identity_provider_configs", "identityProviderConfigs", **where)
        ],
    }


def policy(client, **parameters):
    try:
        return client.get_policy(**parameters)["Policy"]
    except client.exceptions.ResourceNotFoundException:
        return None


def read_function(client, one):
    name = one["FunctionName"]
    aliases = rows(client, "list_aliases", "Aliases", FunctionName=name)
    policies = {"": policy(client, FunctionName=name)}
    policies.update({alias["Name"]: policy(client, FunctionName=name, Qualifier=alias["Name"]) for alias in aliases})
    urls = rows(client, "list_function_url_configs", "FunctionUrlConfigs", FunctionName=name)
    return {**one, "aliases": aliases, "policies": policies, "urls": urls,
            "Tags": client.list_tags(Resource=one["FunctionArn"])["Tags"]}


def read_region(endpoint, region):
    ec2, rds, eks, function = (boto3.client(name, endpoint_url=endpoint, region_name=region)
                               for name in ("ec2", "rds", "eks", "lambda"))
    return {
        **read_ec2(ec2),
        **read_rds(rds),
        "eks_clusters": [read_cluster(eks, name) for name in rows(eks, "list_clusters", "clusters", include=["all"])],
        "functions": [read_function(function, one) for one in rows(function, "list_functions", "Functions")],
        "event_source_mappings": rows(function, "list_event_source_mappings", "EventSourceMappings"),
    }


def main():
    endpoint, *regions = sys.argv[1:]
    read = {region: read_region(endpoint, region) for region in regions}
    json.dump(read, sys.stdout, default=lambda moment: moment.isoformat())


main()
