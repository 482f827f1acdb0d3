import numpy as np
import pytest

from detector.labels import Label
from detector.verdicts import decide, judge, second_copies

CONTENT, CHROME, SPAM = (int(label) for label in Label)


@pytest.mark.parametrize(
    ("proba", "label"),
    [
        ([0.6, 0.4, 0.0], CONTENT),
        ([0.5, 0.5, 0.0], CONTENT),
        ([0.4, 0.6, 0.0], CHROME),
        ([0.15, 0.1, 0.75], CONTENT),  # content outweighs chrome, and spam is below its threshold
        ([0.1, 0.1, 0.8], SPAM),
        ([0.0, 0.0, 1.0], SPAM),
    ],
)
def test_thresholds(proba, label):
    found = decide(np.float32([proba]), content_threshold=0.5, spam_threshold=0.8)
    assert found.dtype == np.int8
    assert found.tolist() == [label]


def test_nothing_to_decide():
    assert decide(np.zeros((0, 3), np.float32), content_threshold=0.5, spam_threshold=0.8).tolist() == []


def copies(names, sizes, label=None):
    hashes = np.array([ord(name) for name in names], np.uint64)
    label = np.zeros(len(names), np.int8) if label is None else np.array(label, np.int8)
    return "".join("x" if copy else "." for copy in second_copies(label, hashes, np.array(sizes)))


@pytest.mark.parametrize(
    ("names", "sizes", "expected"),
    [
        ("abcabc", [8, 60, 60, 8, 60, 60], "....xx"),  # the short headline before the copy stays
        ("abcbac", [8, 60, 60, 60, 8, 60], "...xxx"),  # inside a copy short blocks go too
        ("abcd", [60, 60, 60, 60], "...."),
        ("arbrcr", [30, 14, 30, 14, 30, 14], "......"),  # a poem's refrain
        ("aaaaaaaaaaaaaaa", [10] * 15, "..............."),  # many short lines alike, as in a table
        ("", [], ""),
    ],
)
def test_second_copies(names, sizes, expected):
    assert copies(names, sizes) == expected


def test_only_content_is_copied():
    assert copies("abab", [90, 90, 90, 90], [CONTENT, CHROME, CONTENT, CHROME]) == "...."
    assert copies("abab", [90, 150, 90, 150], [CONTENT, CONTENT, CHROME, CONTENT]) == "...x"


def test_a_songs_chorus_is_left_alone():
    """Four lines of chorus after each of three verses are 120 characters of repetition, and no copy of the body."""
    assert copies("abcCHORefgCHORijkCHOR", [15] * 21) == "." * 21


@pytest.mark.parametrize(
    ("label", "n_chars", "spans", "replaced", "verdict", "reasons"),
    [
        ([CONTENT, CHROME], [200, 30], 0, 0.0, "keep", []),
        ([CONTENT, SPAM], [200, 30], 0, 0.0, "clean", ["spam_block"]),
        ([CONTENT], [200], 2, 0.0, "clean", ["injected_span"]),
        ([CONTENT, SPAM], [200, 30], 1, 0.0, "clean", ["spam_block", "injected_span"]),
        ([CONTENT, SPAM], [39, 10], 0, 0.0, "drop", ["spam_block", "spam_page"]),  # too little is left
        ([CONTENT, SPAM], [200, 201], 0, 0.0, "drop", ["spam_block", "spam_page"]),
        ([CONTENT, SPAM], [200, 200], 0, 0.0, "clean", ["spam_block"]),
        ([CONTENT], [5], 0, 0.0, "keep", []),  # short, but nothing speaks against it
        ([CHROME], [30], 0, 0.0, "drop", ["no_article"]),
        ([CHROME, SPAM], [30, 90], 0, 0.0, "drop", ["spam_block", "spam_page"]),
        ([CONTENT], [200], 0, 0.06, "drop", ["mojibake"]),
        ([CONTENT], [200], 0, 0.05, "keep", []),
        ([], [], 0, 0.0, "drop", ["no_article"]),
    ],
)
def test_judge(label, n_chars, spans, replaced, verdict, reasons):
    found = judge(
        np.array(label, np.int8), np.array(n_chars), injected=["injected_span"] * bool(spans), replaced_share=replaced
    )
    assert found == (verdict, reasons)
