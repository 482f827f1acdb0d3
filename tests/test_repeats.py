from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.blocks import concat
from detector.repeats import _MAX_POSITION, block_hashes, repeats_in_page, segment_hashes
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
