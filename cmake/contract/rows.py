"""A schema of one value -> a row of a field table (include/api/fields.h).

Every word of the schema is understood here or refused: a rule that nobody enforces is a lie."""
import re

from document import require, resolve

# Words that tell people something and change nothing.
PROSE = {"description", "example", "examples", "default", "title", "deprecated", "writeOnly", "x-note"}
# The words that each kind of value may use.
WORDS = {
    "string": {"minLength", "maxLength", "enum", "const", "format", "pattern", "x-check", "x-min-s", "x-max-s"},
    "integer": {"minimum", "maximum"},
    "boolean": set(),
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "object": {"properties", "required", "additionalProperties", "oneOf", "x-max-bytes"},
}
ID_PATTERN = re.compile(r"^\^([a-z]+_)\[0-9a-f\]\{32\}\$$")
ITEMS_MAX = 1000
INT64_MAX = 2**63 - 1


def type_of(schema, place):
    """("string", nullable): a type, alone or with null."""
    types = schema.get("type")
    types = [types] if isinstance(types, str) else types
    require(types, place, "a value has a type")
    plain = [t for t in types if t != "null"]
    require(len(plain) == 1 and plain[0] in WORDS, place, f"nothing reads the type {types}")
    return plain[0], "null" in types


def check_words(schema, kind, place):
    unknown = set(schema) - PROSE - WORDS[kind] - {"type", "readOnly", "x-immutable"}
    require(not unknown, place, f"the generator does not know {sorted(unknown)} of a value of type {kind}")


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def c_number(number):
    return f"INT64_C({number})"


def choices(values, place):
    for value in values:
        require(isinstance(value, str) and re.fullmatch(r"[ -~]+", value) and "|" not in value, place, f"{value!r} is not a choice")
    return {"kind": "FIELD_CHOICE", "choices": c_text("|".join(values))}


def text_row(schema, place):
    pattern, check, form = schema.get("pattern"), schema.get("x-check"), schema.get("format")
    prefix = ID_PATTERN.match(pattern or "")
    if "enum" in schema or "const" in schema:
        return choices(schema.get("enum", [schema.get("const")]), place)
    if prefix and not check:
        return {"kind": "FIELD_ID", "prefix": c_text(prefix.group(1))}
    if check:
        require(re.fullmatch("[a-z][a-z0-9_]*", check), place, f"{check} names no function")
        return {"kind": "FIELD_CHECKED", "check": f"format_{check}"}
    require(not pattern, place, "nothing enforces a pattern: name the function beside it with x-check")
    if form == "duration":
        require({"x-min-s", "x-max-s"} <= set(schema), place, "a duration has x-min-s and x-max-s")
        return {"kind": "FIELD_DURATION", "min": c_number(schema["x-min-s"]), "max": c_number(schema["x-max-s"])}
    if form == "date-time":
        return {"kind": "FIELD_TIME"}
    if form == "uuid":
        return {"kind": "FIELD_CHECKED", "check": "format_uuid"}
    require(not form, place, f"nothing enforces the format {form}: name the function beside it with x-check")
    require("maxLength" in schema, place, "a text has a maxLength")
    return {"kind": "FIELD_TEXT", "min": c_number(schema.get("minLength", 0)), "max": c_number(schema["maxLength"])}


def integer_row(schema, place):
    require({"minimum", "maximum"} <= set(schema), place, "a number has a minimum and a maximum")
    return {"kind": "FIELD_INT", "min": c_number(schema["minimum"]), "max": c_number(schema["maximum"])}


def scalar_row(schema, place):
    kind, nullable = type_of(schema, place)
    check_words(schema, kind, place)
    require(kind in ("string", "integer", "boolean"), place, f"nothing reads {kind} here")
    row = {"boolean": lambda: {"kind": "FIELD_BOOL"}, "integer": lambda: integer_row(schema, place),
           "string": lambda: text_row(schema, place)}[kind]()
    if nullable:
        row["nullable"] = "true"
    return row


def line(row):
    """One initializer; the order of the members is that of the struct's reader, kind and name first."""
    return "\t{ " + ", ".join(f".{name} = {value}" for name, value in row.items()) + " },\n"


def parameter_row(contract, given):
    """A query parameter: the same rows, read from text."""
    place = f"parameter {given['name']}"
    schema = resolve(contract, given["schema"])
    if schema.get("type") == "integer":  # what is past every number is past every limit too
        schema = {"maximum": INT64_MAX, **schema}
    if schema.get("type") == "string" and not set(schema) & {"maxLength", "enum", "const", "pattern", "format", "x-check"}:
        schema = {"maxLength": 2048, **schema}
    row = scalar_row(schema, place)
    require("nullable" not in row and row["kind"] != "FIELD_DURATION", place, "no query has a value of this type")
    required = {"required": "true"} if given.get("required") else {}
    return {"kind": row.pop("kind"), "name": c_text(given["name"]), **required, **row}
