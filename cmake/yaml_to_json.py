"""yaml_to_json.py IN OUT: the API contract as compact JSON. Dates stay text, keys keep their order."""
import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    """YAML's own idea of dates is not wanted: examples are JSON."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}

with open(sys.argv[1], encoding="utf-8") as source:
    contract = yaml.load(source, Loader)
with open(sys.argv[2], "w", encoding="utf-8") as target:
    json.dump(contract, target, ensure_ascii=False, separators=(",", ":"))
