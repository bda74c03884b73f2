"""What the lints share: which files there are, C without comments and strings, and how a lint is run.

A lint is a file with `check(root) -> ["path:line: what is wrong", ...]` and `PLANTED = {path: content}`, a tree in which
it must find something. `NAME` checks the project; `NAME --self-test` proves that the lint bites."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".git", "build", "node_modules", "__pycache__"}


def files(root, *suffixes):
    """Tracked and new files, without what .gitignore names; paths relative to root, sorted."""
    if (root / ".git").exists():
        done = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"], check=True,
                              capture_output=True, text=True)
        found = [Path(line) for line in done.stdout.splitlines()]
    else:
        found = [Path(folder, name).relative_to(root) for folder, folders, names in os.walk(root)
                 for name in names if not SKIPPED & set(Path(folder).relative_to(root).parts)]
    return sorted(f for f in found if (root / f).is_file() and (not suffixes or f.suffix in suffixes))


def generated(root):
    """Where a finished build keeps what it made: CONNECTORD_BUILD, else build/dev."""
    return Path(os.environ.get("CONNECTORD_BUILD") or root / "build/dev") / "generated"


def text(root, path):
    return (root / path).read_text(errors="replace")


TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(source):
    """C with comments and literals blanked; line numbers stay."""
    def blank(match):
        return "".join(c if c == "\n" else " " for c in match.group())
    return TOKENS.sub(blank, source)


def hits(source, pattern):
    """(line number, match) of a compiled pattern in a text."""
    for match in pattern.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, match


def is_script(root, path):
    if path.suffix:
        return False
    with open(root / path, "rb") as file:
        return file.read(2) == b"#!"


def planted(tree):
    folder = tempfile.TemporaryDirectory()
    for name, content in tree.items():
        place = Path(folder.name, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return folder


def main(check, tree, needle):
    if sys.argv[1:] == ["--self-test"]:
        with planted(tree) as folder:
            found = check(Path(folder))
        if any(needle in one for one in found):
            return 0
        print(f"the planted violation ({needle}) was not found; got {found}")
        return 1
    found = check(ROOT)
    for one in found:
        print(one)
    return 1 if found else 0
