from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.blocks import Blocks, concat
from detector.repeats import (
    _MAX_POSITION,
    RepeatTable,
    block_hashes,
    count_repeats,
    repeats_in_page,
    segment_hashes,
)
from detector.segment import segment_text

FIXED = settings(derandomize=True, deadline=None, max_examples=100)


def hashes(*lines: str) -> list[int]:
    found: list[int] = block_hashes(segment_text("\n".join(lines))).tolist()
    return found


def test_equal_texts_hash_alike_wherever_they_stand() -> None:
    first, second, third = hashes("渠水涨了", "雨", "渠水涨了")
    assert first == third != second


def test_hashes_are_the_same_on_every_machine_and_day() -> None:
    """They are stored; a change here makes every stored table of repeats worthless."""
    assert hashes("渠水涨了", "a") == [5068590632509233146, 13158131222859105007]


def test_no_blocks_no_hashes() -> None:
    found = block_hashes(segment_text(""))
    assert (found.shape, found.dtype) == ((0,), np.uint64)


@FIXED
@given(st.lists(st.text("渠水涨了", min_size=1, max_size=4), min_size=1, max_size=8))
def test_hashes_differ_where_texts_differ(lines: list[str]) -> None:
    found = hashes(*lines)
    assert [found.index(h) for h in found] == [lines.index(line) for line in lines]


@FIXED
@given(st.lists(st.lists(st.text("渠水涨了", min_size=1, max_size=4), max_size=4), min_size=1, max_size=4))
def test_batch_hashes_as_its_pages_do(pages: list[list[str]]) -> None:
    single = [segment_text("\n".join(lines)) for lines in pages]
    assert block_hashes(concat(single)).tolist() == [h for page in single for h in block_hashes(page).tolist()]


def test_text_longer_than_the_multipliers() -> None:
    size = _MAX_POSITION + 5
    codes = np.concatenate([np.full(size, ord("水"), np.uint32), np.full(size - 1, ord("水"), np.uint32)])
    first, second = segment_hashes(codes, np.array([0, size, 2 * size - 1]))
    assert first != second


def test_repeats_are_counted_by_page() -> None:
    batch = concat([segment_text("渠水\n雨\n渠水"), segment_text("渠水"), segment_text("雨\n雨\n雨")])
    assert repeats_in_page(block_hashes(batch), batch.page_index).tolist() == [2, 1, 2, 1, 3, 3, 3]


def test_nothing_repeats_on_no_page() -> None:
    assert repeats_in_page(np.zeros(0, np.uint64), np.zeros(0, np.int64)).tolist() == []


# ---------------------------------------------------------------- over a site


def crawl() -> tuple[Blocks, list[str | None]]:
    """Four pages of one site with a menu and a slogan, two of another, one of nobody knows where."""
    pages = [
        "首页\n雨停了\n版权所有",
        "首页\n首页\n水涨了",
        "首页\n渔歌\n版权所有",
        "首页",
        "首页\n渔歌",
        "渔歌",
        "首页",
    ]
    return concat([segment_text(page) for page in pages]), ["a.cn"] * 4 + ["b.cn"] * 2 + [None]


def counts(table: RepeatTable, *pages: tuple[str, str | None]) -> tuple[list[int], list[int]]:
    blocks = concat([segment_text(text) for text, _ in pages])
    found = table.counts(block_hashes(blocks), blocks.page_offsets, [site for _, site in pages])
    return found.holding.tolist(), found.pages.tolist()


def test_a_page_is_left_out_of_its_own_count() -> None:
    table = count_repeats([crawl()])
    assert counts(table, ("首页\n版权所有\n雨停了", "a.cn")) == ([3, 1, 0], [3, 3, 3])


def test_a_text_twice_on_a_page_counts_for_one_page() -> None:
    table = count_repeats([(segment_text("首页\n首页\n首页"), ["a.cn"]), (segment_text("首页"), ["a.cn"])])
    assert counts(table, ("首页", "a.cn")) == ([1], [1])


def test_sites_are_counted_apart() -> None:
    table = count_repeats([crawl()])
    assert counts(table, ("渔歌", "a.cn"), ("渔歌", "b.cn")) == ([0, 1], [3, 1])


@pytest.mark.parametrize("site", [None, "", "c.cn"])
def test_an_unknown_site_has_no_other_pages(site: str | None) -> None:
    assert counts(count_repeats([crawl()]), ("首页", site)) == ([0], [0])


def test_pages_one_by_one_or_in_a_batch_count_the_same() -> None:
    blocks, sites = crawl()
    one_by_one = count_repeats((segment_text("\n".join(blocks.texts(a, b))), [site]) for a, b, site in
                               zip(blocks.page_offsets[:-1], blocks.page_offsets[1:], sites, strict=True))  # fmt: skip
    assert_equal(one_by_one, count_repeats([(blocks, sites)]))


def assert_equal(one: RepeatTable, other: RepeatTable) -> None:
    assert one.sites == other.sites
    for name in ("n_pages", "offsets", "hashes", "holding"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
