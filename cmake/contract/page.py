"""The contract -> one HTML page that needs nothing else: no script, no font, no image, its style inside.

page() answers (the page, the hash by which a Content-Security-Policy knows the style)."""
import base64
import hashlib
import json
from pathlib import Path

from document import component, operations, parameters, resolve
from markup import attribute, block, code, inline, link, prose, table, tag, text
from rules import described, type_words
from sample import sample

STYLE = Path(__file__).with_name("page.css")
PLACES = {"path": "path", "query": "query", "header": "header"}


def pretty(value):
    return json.dumps(value, indent=2, ensure_ascii=False)


def examples(contract, content):
    """(label, value) of a body; what the contract does not show is made from its schema."""
    if "example" in content:
        return [("Example", content["example"])]
    if "examples" in content:
        found = {key: resolve(contract, one) for key, one in content["examples"].items()}
        return [(one.get("summary", key), one["value"]) for key, one in found.items()]
    return [("Shape", sample(contract, content["schema"]))]


def url(contract, path, given):
    for one in given:
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", str(one.get("example", sample(contract, one["schema"], one["name"]))))
    wanted = [one for one in given if one["in"] == "query" and one.get("required")]
    query = "&".join(f"{one['name']}={one.get('example', sample(contract, one['schema'], one['name']))}" for one in wanted)
    return path + (f"?{query}" if query else "")


def curl(contract, path, method, operation, given):
    lines = ["curl -sS"]
    lines[0] += f" -X {method.upper()}" if method != "get" else ""
    if operation.get("security") == [{"operator_key": []}]:
        lines[0] += f" --unix-socket \"$ADMIN_SOCKET\" \"http://localhost{url(contract, path, given)}\""
        lines.append('-H "Authorization: Bearer $OPERATOR_KEY"')
    else:
        lines[0] += f" \"$CONNECTORD{url(contract, path, given)}\""
        if operation.get("security") != []:
            lines.append('-H "Authorization: Bearer $API_KEY"')
    for one in given:
        if one["in"] == "header" and one.get("required"):
            lines.append(f"-H '{one['name']}: {one.get('example', '*' if one['name'] == 'If-Match' else '…')}'")
    body = resolve(contract, operation.get("requestBody", {}))
    if body.get("required"):
        media, content = next(iter(body["content"].items()))
        value = json.dumps(examples(contract, content)[0][1], ensure_ascii=False).replace("'", "'\\''")
        lines += [f"-H 'Content-Type: {media}'", f"-d '{value}'"]
    return " \\\n  ".join(lines)


def members(contract, node, caption):
    """A table of an object's members; alternatives and parts one below the other."""
    schema = resolve(contract, node)
    required = set(schema.get("required", []))
    rows = [[code(name) + (" <small>required</small>" if name in required else ""), type_words(contract, inner), described(contract, inner)]
            for name, inner in schema.get("properties", {}).items()]
    made = table(["Member", "Type", "Meaning"], rows, caption)
    for name, inner in schema.get("properties", {}).items():
        deep = resolve(contract, inner)
        if not component(inner) and (deep.get("properties") or deep.get("items", {}).get("properties")):
            made += members(contract, deep if deep.get("properties") else deep["items"], f"{caption} → {name}")
    for word, lead in (("allOf", "and"), ("oneOf", "or")):
        for number, part in enumerate(schema.get(word, []), 1):
            if component(part):
                made += tag("p", f"{lead} everything of {type_words(contract, part)}")
            elif part.get("properties"):
                made += members(contract, part, f"{caption}, {'part' if word == 'allOf' else 'way'} {number}")
            elif part.get("required"):
                made += tag("p", f"{lead} with " + ", ".join(code(name) for name in part["required"]))
    return made


def rights(operation):
    if operation.get("security") == []:
        return "No credential is asked for."
    if operation.get("security") == [{"operator_key": []}]:
        return "On the operator's listener, with the operator's key."
    return f"Needs the scope {code(operation['x-scope'])}."


def parameter_table(contract, given, name):
    rows = [[code(p["name"]) + (" <small>required</small>" if p.get("required") else ""), PLACES[p["in"]], type_words(contract, p["schema"]),
             inline(p.get("description", "")) + (" " if p.get("description") else "") + described(contract, {
                 k: v for k, v in resolve(contract, p["schema"]).items() if k != "description"})] for p in given]
    return table(["Parameter", "In", "Type", "Meaning"], rows, f"Parameters of {name}")


def body_part(contract, operation):
    body = resolve(contract, operation.get("requestBody", {}))
    if not body:
        return ""
    content = next(iter(body["content"].values()))
    made = tag("h4", "Body") + tag("p", ("" if body.get("required") else "May be absent. ") + "Media type " +
                                   " or ".join(code(media) for media in body["content"]) + ": " + type_words(contract, content["schema"]) + ".")
    made += members(contract, content["schema"], "Members of the body")
    for label, value in examples(contract, content):
        made += tag("p", text(label), class_="dim") + block(pretty(value), f"{label}: body of {operation['operationId']}")
    return made


def response_part(contract, operation):
    rows, shown = [], {}
    for status, node in operation["responses"].items():
        response = resolve(contract, node)
        content = response.get("content", {})
        kinds = "<br>".join(f"{code(media)} {type_words(contract, one['schema'])}" for media, one in content.items())
        heads = ", ".join(code(name) for name in response.get("headers", {}))
        rows.append([code(status), inline(response["description"]) + (f"<br><small>headers: {heads}</small>" if heads else ""), kinds])
        for media, one in content.items() if status.startswith("2") else []:
            label, value = examples(contract, one)[0]
            shown.setdefault((label, pretty(value) if media.endswith("/json") else str(value)), []).append(status)
    made = tag("h4", "Answers") + table(["Status", "Meaning", "Content"], rows, f"Answers of {operation['operationId']}")
    for (label, value), statuses in shown.items():
        made += tag("p", f"{', '.join(code(status) for status in statuses)}: {text(label)}", class_="dim")
        made += block(value, f"Answer {' and '.join(statuses)} of {operation['operationId']}")
    return made


def operation_part(contract, path, method, item, operation):
    name, given = operation["operationId"], parameters(contract, item, operation)
    head = tag("h3", tag("span", method.upper(), class_="method") + " " + code(path))
    return tag("section", head + tag("p", tag("strong", inline(operation["summary"]))) + prose(operation.get("description")) +
               tag("p", rights(operation)) + parameter_table(contract, given, name) + body_part(contract, operation) + tag("h4", "Try it") +
               block(curl(contract, path, method, operation, given), f"curl of {name}") + response_part(contract, operation), id=name)


def toc(contract, by_tag):
    made = ""
    for one in contract["tags"]:
        items = "".join(tag("li", link(o["operationId"], tag("span", m.upper(), class_="method") + " " + text(p)))
                        for p, m, _, o in by_tag.get(one["name"], []))
        made += tag("p", link(f"tag-{one['name']}", text(one["name"]))) + tag("ul", items)
    return tag("nav", made + tag("p", link("schemas", "schemas")), class_="toc", aria_label="Contents")


def style_hash(style):
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def page(contract):
    """(html, hash of the style)"""
    style, info, by_tag = STYLE.read_text(encoding="utf-8"), contract["info"], {}
    for one in operations(contract):
        by_tag.setdefault(one[3]["tags"][0], []).append(one)
    body = tag("h1", f"{text(info['title'])} {text(info['version'])}") + prose(info["description"])
    body += tag("p", "The same as data: " + tag("a", "openapi.json", href="/openapi.json") + ".")
    keys = [[code(name), inline(one["description"])] for name, one in contract["components"]["securitySchemes"].items()]
    body += tag("h2", "Credentials", id="credentials") + table(["Credential", "Meaning"], keys, "Credentials")
    for one in contract["tags"]:
        body += tag("h2", text(one["name"]), id=f"tag-{one['name']}") + prose(one["description"])
        body += "".join(operation_part(contract, *found) for found in by_tag.get(one["name"], []))
    body += tag("h2", "Schemas", id="schemas")
    for name, schema in contract["components"]["schemas"].items():
        body += tag("section", tag("h3", code(name)) + prose(schema.get("description")) + tag("p", type_words(contract, schema)) +
                    tag("p", described(contract, {k: v for k, v in schema.items() if k != "description"})) +
                    members(contract, schema, f"Members of {name}"), id=f"schema-{name}")
    title = attribute(f"{info['title']} {info['version']}: API reference")
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
            f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n" +
            tag("a", "Skip to the reference", class_="skip", href="#reference") +
            tag("div", toc(contract, by_tag) + tag("main", body, id="reference"), class_="page") + "\n</body>\n</html>\n", style_hash(style))
