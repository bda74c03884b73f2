"""The README's calls are true: each is run as printed, against a real server."""
import json
import re
import subprocess

from processes import ROOT, clean_environment


def calls():
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## The first five calls"):text.index("## The house")]
    blocks = re.findall(r"(?:^ {8}\S.*\n(?: {8,}.*\n)*)", section, re.M)
    return [block for block in blocks if "curl" in block]


def test_the_first_five_calls_work_as_printed(server, org):
    commands, made = calls(), None
    assert len(commands) == 5
    for command in commands:
        env = clean_environment(URL=server.url, KEY=org.key, CONN=made["id"] if made else "")
        done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=60, check=True)
        answer = json.loads(done.stdout)
        assert not (isinstance(answer.get("status"), int) and answer["status"] >= 400), f"{command}: {answer}"
        made = made or answer
    assert made["external_id"] == org.org_id
