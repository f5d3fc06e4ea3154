"""Compares the keys of a CDXJ index (standard input) with those of the package `surt`."""

import json
import sys

from surt import surt

lines = sys.stdin.read().splitlines()
for line in lines:
    key, timestamp, fields = line.split(" ", 2)
    assert len(timestamp) == 14 and timestamp.isdigit(), line
    url = json.loads(fields)["url"]
    assert key == surt(url), f"{url}: {key}, surt says {surt(url)}"
print(len(lines))
