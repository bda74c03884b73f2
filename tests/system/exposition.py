"""A strict reader of OpenMetrics text 1.0: what it takes is valid, and what is not valid it refuses by AssertionError."""
import re

import requests

TYPES = {"counter": ("_total",), "gauge": ("",), "info": ("_info",), "histogram": ("_bucket", "_count", "_sum")}
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')
HEAD = re.compile(r"# (TYPE|UNIT|HELP) ([a-z_]+) (.+)")
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Exposition:
    """families: name -> {"type", "unit", "help"}; samples: (name, labels as sorted pairs) -> number."""

    def __init__(self, text):
        assert text.endswith("# EOF\n"), text[-80:]
        lines = text.splitlines()
        assert lines.count("# EOF") == 1
        self.families, self.samples, self._now = {}, {}, None
        for line in lines[:-1]:
            head = HEAD.fullmatch(line)
            if head:
                self._head(*head.groups())
            else:
                self._sample(line)
        for name, family in self.families.items():
            assert family["samples"], f"{name} has no sample"
            if family["type"] == "histogram":
                self._check_histogram(name)

    def _head(self, word, name, text):
        if word == "TYPE":
            assert name not in self.families, f"{name} is there twice or in two pieces"
            assert text in TYPES, text
            self.families[name] = {"type": text, "unit": "", "help": "", "samples": 0}
            self._now = name
        assert name == self._now, f"{word} of {name} is within {self._now}"
        family = self.families[name]
        assert family["samples"] == 0, f"{word} of {name} stands after its samples"
        if word == "UNIT":
            assert name.endswith("_" + text), f"{name} does not end in its unit {text}"
            assert not family["unit"]
            family["unit"] = text
        if word == "HELP":
            assert not family["help"]
            family["help"] = text

    def _sample(self, line):
        match = SAMPLE.fullmatch(line)
        assert match, f"not a sample: {line!r}"
        name, labels, number = match.groups()
        pairs = LABEL.findall(labels or "")
        assert ",".join(f'{k}="{v}"' for k, v in pairs) == (labels or ""), line
        assert len(dict(pairs)) == len(pairs), f"a label twice: {line}"
        suffixes = [name[len(self._now):]] if self._now and name.startswith(self._now) else []
        assert suffixes and suffixes[0] in TYPES[self.families[self._now]["type"]], f"{name} within {self._now}"
        key = (name, tuple(sorted(pairs)))
        assert key not in self.samples, f"a series twice: {line}"
        assert float(number) >= 0 or self.families[self._now]["type"] == "gauge", line
        self.samples[key] = float(number)
        self.families[self._now]["samples"] += 1

    def _check_histogram(self, name):
        groups = {}
        for (sample, labels), number in self.samples.items():
            if sample == name + "_bucket":
                rest = tuple(pair for pair in labels if pair[0] != "le")
                groups.setdefault(rest, []).append((float(dict(labels)["le"].replace("+Inf", "inf")), number))
        for rest, buckets in groups.items():
            assert buckets == sorted(buckets), f"{name}{rest}: bounds are not in order, or counts fall"
            assert buckets[-1][0] == float("inf")
            assert [n for _, n in buckets] == sorted(n for _, n in buckets)
            assert self.samples[(name + "_count", rest)] == buckets[-1][1]
            assert (name + "_sum", rest) in self.samples

    def value(self, name, **labels):
        """The sum of all samples of that name that have these labels; 0 when there are none."""
        wanted = set(labels.items())
        return sum(number for (sample, has), number in self.samples.items() if sample == name and wanted <= set(has))

    def labels(self, name, label):
        return {dict(has)[label] for sample, has in self.samples if sample == name}


def scrape(port):
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    return Exposition(answer.text)
