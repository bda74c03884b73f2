"""Pieces of HTML for the reference page. Whatever comes from the contract passes through text() or prose()."""
import html
import re


def text(value):
    return html.escape(str(value), quote=True)


def attribute(value):
    return text(value)


def tag(name, inner, **attributes):
    """inner is HTML already."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{attribute(value)}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{given}>{inner}</{name}>"


def inline(value):
    """`code` of the contract's prose; everything else is text."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(value))


def prose(value):
    """Paragraphs are separated by an empty line."""
    return "".join(tag("p", inline(" ".join(part.split()))) for part in re.split(r"\n\s*\n", value or "") if part.strip())


def link(target, inner):
    return tag("a", inner, href=f"#{target}")


def code(value):
    return tag("code", text(value))


def block(value, label):
    """A block that a keyboard can scroll."""
    return tag("pre", tag("code", text(value)), tabindex="0", role="region", aria_label=label)


def table(heads, rows, caption):
    if not rows:
        return ""
    head = tag("thead", tag("tr", "".join(tag("th", text(h), scope="col") for h in heads)))
    body = "".join(tag("tr", tag("th", row[0], scope="row") + "".join(tag("td", cell) for cell in row[1:])) for row in rows)
    return tag("div", tag("table", tag("caption", text(caption)) + head + tag("tbody", body)), class_="wide", tabindex="0", role="region",
               aria_label=caption)
