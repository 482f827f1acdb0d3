import numpy as np
import pytest

from detector.features import evidence
from detector.ngrams import N_BUCKETS, Words, gram_counts
from detector.segment import segment_text

THREE = segment_text("堤坝加固\n堤\n２０１９年Ａ级 abc")


def test_equals_the_sparse_product_it_is_trained_as(words):
    expected = gram_counts(THREE) @ words.weights + words.intercept
    assert evidence.columns(THREE, words) == pytest.approx(expected, abs=1e-4)


def test_without_weights_only_the_intercept_is_left():
    nothing = Words(np.zeros((N_BUCKETS, 3), np.float32), np.float32([1, 2, 3]))
    assert evidence.columns(THREE, nothing).tolist() == [[1, 2, 3]] * 3


def test_width_case_and_digits_are_folded(words):
    blocks = segment_text("第12期VIP\n第７８期ｖｉｐ")
    first, second = evidence.columns(blocks, words)
    assert first == pytest.approx(second, abs=1e-6)


def test_grams_do_not_cross_a_block(words):
    together = evidence.columns(segment_text("山高\n水长"), words)
    apart = np.concatenate([evidence.columns(segment_text(text), words) for text in ("山高", "水长")])
    assert together == pytest.approx(apart, abs=1e-6)
