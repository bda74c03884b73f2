"""junit_counts.py FILE: "N passed, N failed" of a JUnit report. Skipped tests are said and not counted."""
import sys
import xml.etree.ElementTree as tree

total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
for suite in tree.parse(sys.argv[1]).getroot().iter("testsuite"):
    for name in total:
        total[name] += int(suite.get(name, 0))
bad = total["failures"] + total["errors"]
if total["skipped"]:
    print(f"skipped: {total['skipped']}")
# A test whose fixture fails while it is torn down has passed and is an error: it must not become negative.
print(f"{max(total['tests'] - bad - total['skipped'], 0)} passed, {bad} failed")
