from __future__ import annotations

import numpy as np
import pytest
from rough import random_topic

from detector.background import count_background, join
from detector.heat import Heat, from_coefficients, measure, score, vote_matrix, votes

TEXTS = ["水库除险加固工程通过验收。", "渠水涨了一尺，下游的田不用再抽水。"]


@pytest.fixture(scope="module")
def background():
    return count_background(TEXTS, [("水库", 300.0), ("工程", 3000.0)])


@pytest.fixture(scope="module")
def heat(background):
    """Random weights: what is tested does not hang on what they are."""
    random = np.random.default_rng(0)
    cells = sum(vote.size * vote.width for vote in votes(*traits([], background)))
    return from_coefficients(random.normal(size=cells), -1.0, background, random_topic())


def traits(texts, background):
    codes, _ = join(texts)
    return measure(codes, np.zeros(len(codes), np.uint8), background)


def test_scoring_equals_the_linear_model_on_the_matrix(heat, background):
    """The tables are the coefficients cut up: away from the edges of the text both ways give the same weight."""
    known, grams = traits(TEXTS, background)
    chosen = np.arange(9, len(known.codes) - 9)
    coefficients = np.concatenate([table.ravel() for table in heat.tables])
    expected = vote_matrix(known, grams, chosen) @ coefficients + heat.bias
    assert score(known, grams, heat)[chosen] == pytest.approx(expected, abs=1e-4)


def test_a_batch_is_scored_as_its_texts_one_by_one(heat: Heat):
    """Votes reach over an edge, but only ever see the edge itself, never the text behind it."""
    far = ["。" * 10 + text + "。" * 10 for text in TEXTS]
    together = score(*traits(far, heat.background), heat)
    for text, start in zip(far, join(far)[1], strict=True):
        alone = score(*traits([text], heat.background), heat)[1:]
        middle = slice(10, len(text) - 10)
        assert together[start : start + len(text)][middle] == pytest.approx(alone[: len(text)][middle], abs=1e-4)


@pytest.mark.parametrize("text", ["", "水", "水库"])
def test_short_texts_are_scored(heat, text):
    assert len(score(*traits([text], heat.background), heat)) == len(text) + 2
