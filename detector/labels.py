"""The three classes of a block."""

from __future__ import annotations

from enum import IntEnum


class Label(IntEnum):
    """What a block is; the order is that of probability columns everywhere."""

    CONTENT = 0
    CHROME = 1
    SPAM = 2


LABEL_NAMES = tuple(label.name.lower() for label in Label)
UNLABELED = -1
POLICIES = (
    "strict",
    "balanced",
    "lenient",
)  # how much is taken for spam: more than is sure, as a rule, only what is beyond doubt
DEFAULT_POLICY = "balanced"


def label_of(name: str) -> Label:
    """Return the label called `name`, whatever its case; KeyError where there is none."""
    return Label[name.upper()]
