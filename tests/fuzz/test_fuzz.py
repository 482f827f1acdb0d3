"""A little of what `fuzz.py` does for a minute: enough to see that its targets stand."""

from __future__ import annotations

from itertools import islice

import pytest
from fuzz import TARGETS, inputs, seeds


@pytest.mark.parametrize(("target", "more"), [("predict", 60), ("jsonl", 300), ("warc", 200)])
def test_nothing_breaks(target: str, more: int) -> None:
    for data in islice(inputs(target), len(seeds(target)) + more):
        TARGETS[target](data)
