"""An audit trail as its API shows it, an organization's or the operator's, and `connectord audit verify`."""
import json

from api import expect
from processes import binary, clean_environment, run

ZEROS = "0" * 64


class Trail:
    """asker: an Organization or an Operator; root: where its trail is."""

    def __init__(self, asker, root="/v1/audit"):
        self.asker, self.root = asker, root

    def export(self):
        """Its lines, all of them."""
        lines, after = [], 0
        while True:
            answer = self.asker.get(self.root + "/export", after=after)
            assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/x-ndjson"
            page = answer.content.decode().splitlines()  # .text of requests guesses at the encoding, for seconds
            if not page:
                return lines
            lines += page
            after = json.loads(page[-1])["entry"]["seq"]

    def entries(self):
        return [json.loads(line)["entry"] for line in self.export()]

    def head(self):
        return expect(self.asker.get(self.root + "/head"), 200)


class Verify:
    def __init__(self, directory):
        self.path = directory / "audit.ndjson"

    def __call__(self, lines, noted=None):
        self.path.write_text("".join(line + "\n" for line in lines))
        noted = [f"{noted['seq']}:{noted['hash']}"] if noted else []
        return run([binary(), "audit", "verify", str(self.path), *noted], env=clean_environment())


TAMPERINGS = ["edit", "delete", "insert", "reorder", "cut"]


def tampered(lines, how, chance):
    lines = list(lines)
    at = chance.randrange(1, len(lines) - 1)
    if how == "edit":
        line = lines[at]
        place = chance.randrange(len('{"entry":'), len(line) - 2)
        lines[at] = line[:place] + chr((ord(line[place]) ^ 1) & 0x7f) + line[place + 1:]
    elif how == "delete":
        del lines[at]
    elif how == "insert":
        lines.insert(at, lines[chance.randrange(len(lines))])
    elif how == "reorder":
        lines[at - 1], lines[at] = lines[at], lines[at - 1]
    else:
        del lines[at:]
    return lines
