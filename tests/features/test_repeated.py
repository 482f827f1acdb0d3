import numpy as np
import pytest

from detector.blocks import concat
from detector.features import repeated
from detector.repeats import SiteCounts, block_hashes, count_repeats
from detector.segment import segment_text


@pytest.mark.parametrize(
    ("pages", "times"),
    [
        (["江水向东\n渔歌唱晚\n江水向东"], [2, 1, 2]),
        (["江水向东", "江水向东"], [1, 1]),
        (["打印\n打印\n打印", "打印"], [3, 3, 3, 1]),
    ],
)
def test_repetition_is_counted_within_a_page(pages, times):
    blocks = concat([segment_text(page) for page in pages])
    assert columns(blocks)[:, 0] == pytest.approx(np.log(times))


def columns(blocks, seen=None):
    return repeated.columns(block_hashes(blocks), blocks.page_index, seen)


def test_the_other_pages_of_the_site_are_unknown_without_a_table():
    found = columns(segment_text("江水向东"))
    assert found[0, 1] == 0
    assert np.isnan(found[0, 2:]).all()


def test_a_sites_only_page_says_nothing_of_repetition():
    blocks = segment_text("江水向东")
    found = columns(
        blocks, count_repeats([(blocks, ["a.cn"])]).counts(block_hashes(blocks), blocks.page_offsets, ["a.cn"])
    )
    assert found[0, 1] == 0
    assert np.isnan(found[0, 2:]).all()


def test_share_of_the_sites_other_pages():
    seen = SiteCounts(np.array([0, 3, 9]), np.array([9, 9, 9]))
    found = columns(segment_text("江水\n渔歌\n打印"), seen)
    assert found[:, 1] == pytest.approx(np.log(10))
    assert found[:, 2] == pytest.approx(np.log([1, 4, 10]))
    assert found[:, 3] == pytest.approx([0, 1 / 3, 1])
