"""What a schema demands, as words for people."""
from document import component, resolve
from markup import code, inline, link

RANGES = (("minLength", "maxLength", " characters"), ("minimum", "maximum", ""), ("minItems", "maxItems", " items"),
          ("x-min-s", "x-max-s", " seconds"), (None, "x-max-bytes", " bytes"))
CHECKED = {"region": "a region of AWS", "role_arn": "the ARN of an IAM role", "bucket": "the name of an S3 bucket"}


def type_words(contract, node):
    """The type, with a link to the component that it is."""
    name, schema = component(node), resolve(contract, node)
    types = schema.get("type")
    if name:
        words = link(f"schema-{name}", code(name))
    elif types == "array" or (isinstance(types, list) and "array" in types):
        words = "list of " + type_words(contract, schema["items"])
    elif "oneOf" in schema and not types:
        words = " or ".join(type_words(contract, one) for one in schema["oneOf"])
    elif schema.get("x-immutable"):
        return "never sent"
    else:
        words = " or ".join([types] if isinstance(types, str) else types or ["any value"])
    if schema.get("format"):
        words += f" ({schema['format']})"
    return words + " or null" if isinstance(types, list) and "null" in types and (name or "array" in types) else words


def range_words(schema, least, most, unit):
    low, high = schema.get(least), schema.get(most)
    if low is None and high is None:
        return []
    if low is None or high is None:
        return [f"at least {low:,}{unit}" if high is None else f"at most {high:,}{unit}"]
    return [f"{low:,}{unit}" if low == high else f"{low:,} to {high:,}{unit}"]


def rule_words(contract, node):
    """Every rule that the schema has, as HTML."""
    schema = resolve(contract, node)
    found = [words for least, most, unit in RANGES for words in range_words(schema, least, most, unit)]
    if "const" in schema:
        found.append("always " + code(schema["const"]))
    if "enum" in schema:
        found.append("one of " + ", ".join(code(value) for value in schema["enum"]))
    if "pattern" in schema:
        found.append("matches " + code(schema["pattern"]))
    elif schema.get("x-check") in CHECKED:
        found.append(CHECKED[schema["x-check"]])
    if schema.get("uniqueItems"):
        found.append("no item twice")
    if "default" in schema:
        found.append("default " + code(schema["default"]).replace("True", "true").replace("False", "false"))
    return "; ".join(found)


def described(contract, node):
    """Rules and description, in one cell."""
    schema = resolve(contract, node)
    words, rules = inline(schema.get("description", "")), rule_words(contract, node)
    return words + ("<br>" if words and rules else "") + (f"<small>{rules}</small>" if rules else "")
