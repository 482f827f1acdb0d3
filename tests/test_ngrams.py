from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.blocks import Blocks, concat
from detector.ngrams import SIZES, Words, block_scores, gram_buckets, gram_counts
from detector.segment import segment_text

FIXED = settings(derandomize=True, deadline=None, max_examples=50)
SMALL = 1 << 10
random = np.random.default_rng(20200306)
WORDS = Words(random.normal(size=(SMALL, 3)).astype(np.float32), np.array([0.5, 0, -0.5], np.float32))


def page(*lines: str) -> Blocks:
    return segment_text("\n".join(lines))


@pytest.mark.parametrize(
    ("shown", "other"), [("AZ", "az"), ("2019", "0000"), ("Ａｚ！", "az!"), ("２０", "13"), ("渠，水", "渠,水")]
)
def test_forms_of_one_character_share_a_bucket(shown: str, other: str) -> None:
    assert gram_buckets(page(shown), SMALL)[1].tolist() == gram_buckets(page(other), SMALL)[1].tolist()


def test_grams_lie_within_one_block() -> None:
    start, bucket = gram_buckets(page("雨停了", "渠水", "涨"), SMALL)
    assert start.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 3, 0]
    assert (bucket >= 0).all()
    assert (bucket < SMALL).all()


def test_equal_grams_share_a_bucket_and_others_hardly_ever() -> None:
    _, bucket = gram_buckets(page("水水水水", "渠水"), 1 << 16)
    water, watery, canal = set(bucket[:4].tolist()), set(bucket[6:9].tolist()), int(bucket[4])
    assert len(water) == len(watery) == 1
    assert water != watery
    assert canal not in water


def test_counts_weigh_by_their_log_over_the_root_of_their_number() -> None:
    counts = gram_counts(page("水水水", "渠"), SMALL).toarray()
    assert sorted(counts[0][counts[0] > 0]) == pytest.approx([log(n) / 6**0.5 for n in (2, 3, 4)])
    assert counts[1].sum() == pytest.approx(log(2))


@FIXED
@given(st.lists(st.text("雨停渠水涨AＡ0９ ，𠮷", min_size=1, max_size=9).filter(str.strip), min_size=1, max_size=5))
def test_scores_are_the_linear_model_of_the_counts(lines: list[str]) -> None:
    blocks = page(*lines)
    expected = gram_counts(blocks, SMALL).toarray() @ WORDS.weights + WORDS.intercept
    np.testing.assert_allclose(block_scores(blocks, WORDS), expected, rtol=1e-4, atol=1e-5)


@FIXED
@given(st.lists(st.lists(st.text("雨停渠水", min_size=1, max_size=5), max_size=3), min_size=1, max_size=4))
def test_batch_scores_as_its_pages_do(pages: list[list[str]]) -> None:
    single = [page(*lines) for lines in pages]
    np.testing.assert_array_equal(
        block_scores(concat(single), WORDS), np.concatenate([block_scores(one, WORDS) for one in single])
    )


@pytest.mark.parametrize("lines", [(), ("水",), ("水渠",)])
def test_texts_shorter_than_the_longest_gram(lines: tuple[str, ...]) -> None:
    start, _ = gram_buckets(page(*lines), SMALL)
    assert len(start) == sum(max(0, len(line) - size + 1) for line in lines for size in SIZES)
    assert block_scores(page(*lines), WORDS).shape == (len(lines), 3)
    assert block_scores(page(*lines), WORDS).dtype == np.float32
