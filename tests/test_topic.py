from __future__ import annotations

import numpy as np
import pytest
from rough import random_topic

from detector.background import gram_buckets, join
from detector.chars import EDGE_CODE, fold_codes
from detector.topic import AROUND, NEAR, STEPS, Topic, Topical, clauses, gram_matrix, topic_steps
from detector.train_spans import fit_topic

SPAM = ["无抵押贷款当天放款", "办理各类学历证书", "真人荷官在线发牌"] * 5
HONEST = ["县水利局公布汛情", "学校举行开学典礼", "全县春耕已经开始"] * 5


def steps(texts, topic):
    codes, _ = join(texts)
    return topic_steps(codes, gram_buckets(fold_codes(codes)), topic)


def test_steps_are_the_linear_model_on_the_matrix():
    """The tables are the coefficients cut up: a text's steps add up to what the model says of its n-grams."""
    counts, known = gram_matrix(SPAM + HONEST)
    coefficients = np.random.default_rng(0).integers(-100, 100, len(known))
    topic = Topic.of(coefficients / STEPS, known)
    expected = counts @ coefficients
    assert [int(steps([text], topic).sum()) for text in SPAM + HONEST] == expected.tolist()


@pytest.mark.parametrize("texts", [[""], ["贷"], ["贷款", "", "当天放款"]])
def test_nothing_is_said_over_an_edge(texts):
    topic = random_topic()
    codes, starts = join(texts)
    found = steps(texts, topic)
    assert not found[codes == EDGE_CODE].any()
    alone = [steps([text], topic)[1:-1].tolist() for text in texts]
    assert [found[s : s + len(t)].tolist() for s, t in zip(starts.tolist(), texts, strict=True)] == alone


def test_sums_are_those_of_the_characters_around():
    values = np.random.default_rng(0).integers(-300, 300, 40).astype(np.int32)
    topical = Topical.of(values)
    for reach, found in ((NEAR, topical.near), (AROUND, topical.around)):
        expected = [values[max(0, i - reach) : i + reach + 1].sum() / STEPS for i in range(40)]
        assert found.tolist() == pytest.approx(expected)
    assert topical.between(np.array([3]), np.array([9])).tolist() == [values[3:9].sum() / STEPS]


def test_what_is_learned_tells_adverts_from_news():
    topic = fit_topic(SPAM, HONEST)
    assert steps(["当天放款"], topic).sum() > 0 > steps(["春耕已经"], topic).sum()


def test_clauses_are_cut_at_stops_and_where_they_are_long():
    assert clauses("贷款，当天放款。" + "长" * 30) == ["当天放款", "长" * 24, "长" * 6]
