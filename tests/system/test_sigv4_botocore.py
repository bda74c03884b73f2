"""The signer against another author's: every stage of 10,000 random signatures must equal botocore's."""
import json
import os
import random
import subprocess
import time
from types import SimpleNamespace
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SIGNED_HEADERS_BLACKLIST, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from probes import probe

REQUESTS = 10_000
SERVICES = ["iam", "sts", "ec2", "eks", "lambda", "bedrock", "dynamodb", "s3", "s3", "s3"]
REGIONS = ["us-east-1", "eu-south-1", "cn-north-1", "us-gov-west-1", "ap-northeast-3"]
ODD = "aZ09-_.~ +/%&=?#:;,@!$'()*[]{}<>|\\^`\"\x00\x01\x7féß雪𝄞"


def text(rng, longest, alphabet=ODD):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, longest)))


def random_path(rng, s3):
    segments = []
    for _ in range(rng.randint(0, 5)):
        segments.append(rng.choice([".", "..", "", "%2F", quote(text(rng, 12), safe="-_.~"),
                                    quote("arn:aws:iam::111122223333:role/x y", safe=""),
                                    quote(text(rng, 6), safe="-_.~:@!$'()*+,;=")]))
    path = "/" + "/".join(segments)
    return path + rng.choice(["", "/", "//"] if s3 else ["", "/"])


def random_query(rng):
    names = ["policy", "acl", "prefix", "list-type", "X-a", "x-A", "a", "a", "A", "%", "é", ""]
    pairs = [(rng.choice(names + [text(rng, 8)]), rng.choice(["", "2", text(rng, 16)])) for _ in range(rng.randint(0, 6))]
    return pairs


def random_headers(rng):
    headers = [("Content-Type", rng.choice(["application/x-amz-json-1.1", "text/plain;  charset=utf-8", " a\t b  c "]))]
    for _ in range(rng.randint(0, 4)):
        name = rng.choice(["X-Amz-Target", "x-amz-account-id", "X-Amz-Meta-A", "X-Amz-Meta-a", "X-Zeta", "Range", "User-Agent",
                           "Expect", "x-a-b", "x-a"])
        headers.append((name, text(rng, 20, "abcXYZ019 \t,;:=\"'()é雪")))
    return headers


def random_request(rng):
    service = rng.choice(SERVICES)
    secret = rng.randrange(20)
    return SimpleNamespace(
        service=service, s3=service == "s3", method=rng.choice(["GET", "POST", "PUT", "HEAD", "DELETE"]),
        region=rng.choice(REGIONS), path=random_path(rng, service == "s3"), query=random_query(rng),
        headers=random_headers(rng), body=rng.choice(["", text(rng, 200), "Action=ListUsers&Version=2010-05-08"]),
        key=secret, token=rng.choice([None, "FwoGZXIvYXdzE" + text(rng, 80, "abcdefXYZ0189+/=")]),
        wall=rng.randint(1_400_000_000, 2_200_000_000))


def sign_with_botocore(r):
    secret = f"{r.key:02}wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    credentials = Credentials(f"AKIA{r.key:016}", secret, r.token)
    request = AWSRequest(method=r.method, url=f"https://{r.service}.{r.region}.amazonaws.com{r.path}", params=r.query,
                         data=r.body.encode())
    for name, value in r.headers:
        request.headers.add_header(name, value)
    signer = (S3SigV4Auth if r.s3 else SigV4Auth)(credentials, r.service, r.region)
    request.context["timestamp"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(r.wall))
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    string_to_sign = signer.string_to_sign(request, canonical)
    signed = [(name.lower(), value) for name, value in request.headers.items() if name.lower() not in SIGNED_HEADERS_BLACKLIST]
    signed.append(("host", f"{r.service}.{r.region}.amazonaws.com"))
    signer._inject_signature_to_request(request, signer.signature(string_to_sign, request))
    return signed, {"canonical": canonical, "string_to_sign": string_to_sign, "authorization": request.headers["Authorization"]}


def test_ten_thousand_random_requests_sign_as_botocore_does():
    seed = int(os.environ.get("CONNECTORD_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed} (CONNECTORD_SEED repeats it)")
    rng = random.Random(seed)
    requests, lines, expected = [], [], []
    while len(requests) < REQUESTS:
        r = random_request(rng)
        if "\x00" in r.body + r.path + "".join(a + b for a, b in r.query + r.headers):
            continue  # no NUL can come out of the client's parameters: JSON with one is refused
        headers, stages = sign_with_botocore(r)
        requests.append(r)
        expected.append(stages)
        lines.append(json.dumps({"method": r.method, "path": r.path, "path_as_is": r.s3, "query": r.query, "headers": headers,
                                 "body": r.body, "service": r.service, "region": r.region,
                                 "access_key_id": f"AKIA{r.key:016}", "key_number": r.key + 1, "wall": r.wall,
                                 "secret": f"{r.key:02}wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}))
    done = subprocess.run([probe("sigv4_probe")], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == REQUESTS
    for r, ours, theirs in zip(requests, answers, expected):
        for stage in ("canonical", "string_to_sign", "authorization"):
            assert ours.get(stage) == theirs[stage], f"seed {seed}: {stage} differs for {vars(r)}: {ours}"
    # The dose: each rule of its own was really met.
    assert sum(r.s3 for r in requests) > 1000 and sum(r.token is not None for r in requests) > 1000
    assert sum(len({name for name, _ in r.query}) < len(r.query) for r in requests) > 500
    assert sum("//" in r.path or "/." in r.path for r in requests) > 500
