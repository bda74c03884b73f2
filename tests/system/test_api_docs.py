"""The reference page: made of the contract, whole, readable without a mouse, and asking nobody for anything."""
import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
import requests
from api import expect
from contract import contract

DOCUMENT = contract()
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Collects what the tests look at, and insists that every element is closed where it was opened."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.tags, self.levels, self.attributes, self.style, self.words = [], [], [], set(), [], [], "", ""
        self.feed(text)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"{tag} closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.words += data


@pytest.fixture(scope="module")
def answer(server):
    answer = requests.get(server.url + "/docs", timeout=30)
    assert answer.status_code == 200
    return answer


@pytest.fixture(scope="module")
def page(answer):
    return Page(answer.content.decode("utf-8"))


def test_it_is_a_page_that_may_load_nothing_but_its_own_style(answer, page):
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {"default-src": "'none'", "style-src": f"'sha256-{digest}'", "base-uri": "'none'", "form-action": "'none'",
                      "frame-ancestors": "'none'"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_other_answers_keep_the_policy_that_allows_nothing(server):
    for path in ("/livez", "/openapi.json", "/nothing"):
        assert requests.get(server.url + path, timeout=30).headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_it_has_no_script_and_nothing_from_elsewhere(page):
    assert not page.tags & {"script", "link", "iframe", "img", "object", "embed", "form", "base", "svg"}
    assert all(link.startswith("#") or link == "/openapi.json" for link in page.links)
    for tag, name, value in page.attributes:
        assert not name.startswith("on") and name not in ("src", "style", "srcset"), (tag, name, value)
    assert "url(" not in page.style and "@import" not in page.style


def test_every_operation_and_every_schema_is_there_once(page):
    operations = [o["operationId"] for item in DOCUMENT["paths"].values() for m, o in item.items() if m != "parameters"]
    assert set(operations) <= set(page.ids)
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    contents = {link[1:] for link in page.links}
    assert set(operations) <= contents


def test_headings_descend_by_one_and_tables_have_names(page):
    assert page.levels[0] == 1 and page.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.levels, page.levels[1:]))
    assert ("html", "lang", "en") in page.attributes
    assert "caption" in page.tags and "prefers-color-scheme: dark" in page.style


def test_what_the_contract_says_is_text_and_not_markup(page):
    """Descriptions hold < and & here and there; the words of the page are the words of the contract."""
    assert "Connect an AWS account or an AWS Organization." in page.words
    assert "<!doctype html> …" in page.words
    assert "^conn_[0-9a-f]{32}$" in page.words


def test_examples_are_shown_with_a_command(page):
    assert 'curl -sS -X POST "$CONNECTORD/v1/connections"' in page.words
    assert '--unix-socket "$ADMIN_SOCKET"' in page.words
    assert '"aws_account_id": "123456789012"' in page.words


def test_it_takes_no_parameter_and_no_other_method(server):
    assert requests.get(server.url + "/docs?x=1", timeout=30).status_code == 400
    answer = requests.post(server.url + "/docs", timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_the_contract_is_served_whole(server):
    assert expect(requests.get(server.url + "/openapi.json", timeout=30), 200)["paths"].keys() == DOCUMENT["paths"].keys()
