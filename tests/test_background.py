from __future__ import annotations

from detector.background import buckets, count_background, gram_buckets, join, measure_fit
from detector.chars import EDGE_CODE, fold_codes

TEXTS = ["水库除险加固工程通过验收。", "渠水涨了一尺，下游的田不用再抽水。"]


def test_texts_are_set_apart():
    codes, starts = join(["ab", "", "c"])
    assert codes.tolist() == [EDGE_CODE, 97, 98, EDGE_CODE, EDGE_CODE, 99, EDGE_CODE]
    assert starts.tolist() == [1, 4, 5]


def test_what_was_read_fits_better_than_what_was_not():
    background = count_background(TEXTS, [("水库", 300.0), ("工程", 3000.0)])
    codes, _ = join(["水库", "库险"])
    fit = measure_fit(gram_buckets(fold_codes(codes)), background)
    assert fit.forward[1] > fit.forward[4]


def test_buckets_stay_below_their_bound():
    found = buckets(fold_codes(join(TEXTS)[0]), 3, 10)
    assert 0 <= found.min() <= found.max() < 1024
