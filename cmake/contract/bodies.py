"""Every schema of a request body -> bodies.h (structs) and body.c (field tables)."""
import re

from document import component, operations, require, resolve
from rows import ITEMS_MAX, PROSE, c_number, c_text, check_words, line, scalar_row, type_of

MADE = "/* Made by cmake/contract from api/openapi.yaml. */\n"
MEMBERS = {"FIELD_TEXT": "text", "FIELD_CHECKED": "text", "FIELD_CHOICE": "text", "FIELD_ID": "text", "FIELD_INT": "number",
           "FIELD_BOOL": "number", "FIELD_DURATION": "number", "FIELD_TIME": "number", "FIELD_LIST": "tree", "FIELD_OBJECTS": "tree",
           "FIELD_TREE": "tree"}
KEYWORDS = {"auto", "bool", "case", "char", "const", "default", "double", "enum", "extern", "float", "if", "int", "long", "register",
            "return", "short", "signed", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "state"}


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def member(name):
    return name + "_" if name in KEYWORDS else name


class Bodies:
    """Collects structs and tables, what is nested before what nests it."""

    def __init__(self, contract):
        self.contract = contract
        self.structs, self.tables = {}, {}
        self.making = []

    # A table of its own for each object: (name of the struct, what the schema refers to).
    def add(self, name, schema, nested):
        require(name not in self.making, name, "a body nests itself")
        if name in self.structs:
            return
        self.making.append(name)
        properties, required = self.members(resolve(self.contract, schema), name)
        declared, rows, lists = ["\tenum fields_state state;\n"] if nested else [], "", ""
        for key, inner in properties.items():
            require(re.fullmatch("[a-z][a-z0-9_]*", key), name, f"{key} is not a name in snake case")
            row, type_name, before = self.row(name, key, inner)
            lists += before
            place = {"at": f"offsetof(struct {name}, {member(key)})"} if type_name else {}
            must = {"required": "true"} if key in required else {}
            rows += line({"kind": row.pop("kind"), "name": c_text(key), **place, **must, **row})
            if type_name:
                declared.append(f"\tstruct {type_name} {member(key)};\n")
        self.structs[name] = f"struct {name} {{\n" + "".join(declared or ["\tchar none; /* it has no members */\n"]) + "};\n"
        self.tables[name] = lists + f"const struct field {name.upper()}[] = {{\n{rows}\t{{ .kind = FIELD_END }},\n}};\n"
        self.making.remove(name)

    def members(self, schema, place):
        """(properties, required); alternatives are joined: what differs between them is the handler's to judge."""
        if "oneOf" not in schema or all(set(one) == {"required"} for one in schema["oneOf"]):
            kind, _ = type_of(schema, place)
            check_words(schema, kind, place)
            require(kind == "object" and schema.get("additionalProperties") is False, place,
                    "a body is an object with additionalProperties: false")
            require(set(schema.get("required", [])) <= set(schema.get("properties", {})), place, "required names what it does not have")
            return dict(schema.get("properties", {})), set(schema.get("required", []))
        unknown = set(schema) - PROSE - {"oneOf", "type"}
        require(not unknown, place, f"the generator does not know {sorted(unknown)} beside oneOf")
        ways = [self.members(resolve(self.contract, one), place) for one in schema["oneOf"]]
        joined = {}
        for properties, _ in ways:
            for key, inner in properties.items():
                joined[key] = self.join(joined.get(key), inner, f"{place}/{key}")
        return joined, set.intersection(*(required for _, required in ways))

    def join(self, one, other, place):
        if one is None or one == other:
            return other
        words = [list(s.get("enum", [s.get("const")])) for s in (one, other)]
        require(all(None not in w for w in words), place, "the alternatives describe it differently")
        return {"type": "string", "enum": words[0] + [w for w in words[1] if w not in words[0]]}

    def row(self, name, key, given):
        """(row, type of its member or None, tables that it needs in front)"""
        place = f"{name}/{key}"
        schema = resolve(self.contract, given)
        if schema.get("readOnly") or schema.get("x-immutable"):
            unknown = set(schema) - PROSE - {"readOnly", "x-immutable", "type"}
            require(not unknown, place, f"what may never be sent has no rule {sorted(unknown)}")
            return {"kind": "FIELD_FIXED"}, None, ""
        kind = "object" if "oneOf" in schema else type_of(schema, place)[0]
        nullable = {"nullable": "true"} if "oneOf" not in schema and type_of(schema, place)[1] else {}
        if kind == "array":
            row, before = self.array(name, key, schema)
            return {**row, **nullable}, "fields_" + MEMBERS[row["kind"]], before
        if kind != "object":
            row = scalar_row(schema, place)
            return row, "fields_" + MEMBERS[row["kind"]], ""
        if schema.get("additionalProperties") is True:
            return {**self.tree(schema, place), **nullable}, "fields_tree", ""
        inner = self.nested(name, key, given)
        return {"kind": "FIELD_OBJECT", "inner": inner.upper(), **nullable}, inner, ""

    def nested(self, name, key, given):
        inner = f"body_{snake(component(given))}" if component(given) else f"{name}_{key}"
        self.add(inner, given, nested=True)
        return inner

    def tree(self, schema, place):
        check_words(schema, "object", place)
        require(not set(schema) & {"properties", "required", "oneOf"}, place, "a free object has no members of its own")
        require("x-max-bytes" in schema, place, "a free object has x-max-bytes")
        return {"kind": "FIELD_TREE", "max": c_number(schema["x-max-bytes"])}

    def array(self, name, key, schema):
        place = f"{name}/{key}"
        check_words(schema, "array", place)
        require(0 < schema.get("maxItems", 0) <= ITEMS_MAX, place, f"a list has maxItems up to {ITEMS_MAX}")
        row = {"min": c_number(schema.get("minItems", 0)), "max": c_number(schema["maxItems"])}
        if schema.get("uniqueItems"):
            row["unique"] = "true"
        item = resolve(self.contract, schema["items"])
        if "oneOf" in item or type_of(item, place)[0] == "object":
            inner = self.nested(name, f"{key}_item", schema["items"])
            return {"kind": "FIELD_OBJECTS", "inner": inner.upper(), "size": f"sizeof(struct {inner})", **row}, ""
        one = scalar_row(item, place)
        good = MEMBERS[one["kind"]] == "text" or one["kind"] == "FIELD_INT"
        require(good and "nullable" not in one, place, "a list has texts, whole numbers or objects")
        table = f"{name}_{key}_item".upper()
        before = f"static const struct field {table}[] = {{\n{line(one)}}};\n"
        return {"kind": "FIELD_LIST", "inner": table, **row}, before


def body_schemas(contract):
    """The component names of all bodies, in the order of the contract."""
    for path, method, _, operation in operations(contract):
        body = operation.get("requestBody")
        for media, content in resolve(contract, body)["content"].items() if body else ():
            require(component(content["schema"]), f"{method} {path} {media}", "a body is a $ref to a component")
            yield component(content["schema"])


def bodies(contract):
    """(bodies.h, body.c)"""
    made = Bodies(contract)
    for name in dict.fromkeys(body_schemas(contract)):
        made.add(f"body_{snake(name)}", {"$ref": f"#/components/schemas/{name}"}, nested=False)
    header = (MADE + "#ifndef API_BODIES_H\n#define API_BODIES_H\n\n#include \"api/fields.h\"\n\n" +
              "\n".join(text + f"extern const struct field {name.upper()}[];\n" for name, text in made.structs.items()) + "\n#endif\n")
    source = MADE + '#include "api/bodies.h"\n#include "api/format.h"\n\n#include <stddef.h>\n\n' + "\n".join(made.tables.values())
    return header, source
