import math

import numpy as np
import pytest

from detector.agreement import agreements, disagreements, kappa
from detector.answers import Answer, Place


def said(by, *blocks):
    """Answers on (page, hash, label)."""
    return [
        Answer(f"{by}{i}", str(i), by, "x.example", (Place(page, digest, 0),), "文", label, ())
        for i, (page, digest, label) in enumerate(blocks)
    ]


def test_kappa_is_what_scikit_learn_says():
    from sklearn.metrics import cohen_kappa_score

    random = np.random.default_rng(3)
    first = random.integers(0, 3, 200)
    second = np.where(random.random(200) < 0.7, first, random.integers(0, 3, 200))
    counts = np.zeros((3, 3), np.int64)
    np.add.at(counts, (first, second), 1)
    assert kappa(counts) == pytest.approx(cohen_kappa_score(first, second), abs=1e-4)


@pytest.mark.parametrize("counts", [np.zeros((3, 3), np.int64), np.diag([9, 0, 0])])
def test_kappa_is_unknown_where_there_is_nothing_to_compare(counts):
    assert math.isnan(kappa(counts))


def test_two_annotators_by_class():
    anna = said("anna", *[("p", i, label) for i, label in enumerate(["content"] * 4 + ["chrome"] * 4 + ["spam"] * 2)])
    bo = said("bo", *[("p", i, label) for i, label in enumerate(["content"] * 4 + ["chrome"] * 3 + ["spam"] * 3)])
    (found,) = agreements({"anna": anna, "bo": bo})
    assert (found.first, found.second, found.blocks, found.share) == ("anna", "bo", 10, 0.9)
    assert found.by_class["content"] == 1
    assert found.by_class["chrome"] == pytest.approx(0.783, abs=1e-3)
    assert 0.8 < found.kappa < 0.9


def test_a_repeated_block_counts_once():
    menu = tuple(Place(f"p{i}", 7, 0) for i in range(500))
    anna = [said("anna", ("p0", 7, "chrome"))[0]._replace(places=menu), *said("anna", ("p1", 8, "content"))]
    bo = said("bo", ("p3", 7, "chrome"), ("p1", 8, "spam"))
    (found,) = agreements({"anna": anna, "bo": bo})
    assert (found.blocks, found.share) == (2, 0.5)


def test_disagreements_name_both_answers_once_a_block():
    anna = said("anna", ("p0", 7, "chrome"), ("p1", 7, "chrome"), ("p1", 8, "spam"))
    bo = said("bo", ("p0", 7, "spam"), ("p1", 7, "spam"), ("p1", 8, "spam"))
    found = disagreements({"anna": anna, "bo": bo})
    assert {place: [a.label for a in answers] for place, answers in found.items()} == {
        Place("p0", 7, 0): ["chrome", "spam"]
    }


def test_alone_nobody_disagrees():
    assert agreements({"anna": said("anna", ("p", 1, "spam"))}) == []
    assert disagreements({"anna": said("anna", ("p", 1, "spam"), ("p", 1, "chrome"))}) == {}
