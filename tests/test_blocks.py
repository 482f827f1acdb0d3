from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.blocks import (
    BLOCK_COLUMNS,
    HOLDER_LEVELS,
    LANDMARK_BIT,
    LANDMARKS,
    NAMED_LEVELS,
    TAG_INDEX,
    TAGS,
    Blocks,
    RawPage,
    Texts,
    concat,
    gather,
)
from detector.segment import segment, segment_html, segment_lines, segment_text

FIXED = settings(derandomize=True, deadline=None, max_examples=50)
PAGES = (
    "<div class=nav><a href=/>首页</a></div><div class=body id=b><p>雨停了。<p>渠水<b>涨了</b>。</div>",
    "",
    "<p>只有一行。",
    "<ul class=nav><li>一号闸<li class=on>二号闸</ul><table><td style='width:0'>赌<td>渠</table><img>尾",
)


@pytest.fixture
def two() -> Blocks:
    """One page of two blocks, 雨停了。 and 渠水涨了一尺。"""
    return segment_text("雨停了。\n渠水涨了一尺。", page_id="t")


# ---------------------------------------------------------------------------------------------------------- RawPage


def test_page_from_html() -> None:
    page = RawPage.from_html(b"<p>", page_id="a", url="http://linhe.example/", charset="gbk")
    assert page == ("a", b"<p>", "http://linhe.example/", "gbk", "text/html", "", None, {})


def test_page_from_text() -> None:
    page = RawPage.from_text("雨停了。", page_id="b", title="天气")
    assert (page.body, page.media_type, page.charset, page.title) == ("雨停了。", "text/plain", None, "天气")


# ----------------------------------------------------------------------------------------------------------- Blocks


def test_texts_back_to_back() -> None:
    texts = Texts.of(["渠水涨了", "𠮷", "雨停"])
    assert (texts.texts(), texts.n_chars.tolist()) == (["渠水涨了", "𠮷", "雨停"], [4, 1, 2])
    assert len(Texts.of([])) == 0


def test_pages_gathered_are_pages_put_together() -> None:
    pages = [*(segment_html(page, page_id=str(i), host="linhe.example") for i, page in enumerate(PAGES)),
             segment_lines("雨停了。\n渠水涨了一尺。", title="天气")]  # fmt: skip
    at_once, one_by_one = gather(pages), concat([gather([page]) for page in pages])
    for name, column in vars(at_once).items():
        other = getattr(one_by_one, name)
        if name == "holders":  # which are the same counts, not their numbers
            column, other = (np.unique(numbers, return_inverse=True)[1] for numbers in (column, other))
        assert np.array_equal(column, other), name
        assert not isinstance(column, np.ndarray) or column.dtype == other.dtype
    assert at_once.page_offsets.tolist() == [0, 3, 3, 4, 9, 11]


def test_lengths_and_pages(two: Blocks) -> None:
    assert len(two) == 2
    assert two.n_chars.tolist() == [4, 7]
    assert two.page_index.tolist() == [0, 0]


def test_page_index_skips_empty_pages() -> None:
    batch = concat([segment(page) for page in PAGES])
    assert np.bincount(batch.page_index, minlength=4).tolist() == np.diff(batch.page_offsets).tolist() == [3, 0, 1, 5]


@pytest.mark.parametrize(
    ("bounds", "texts"),
    [
        ((), ["雨停了。", "渠水涨了一尺。"]),
        ((1,), ["渠水涨了一尺。"]),
        ((0, 1), ["雨停了。"]),
        ((1, 1), []),
        ((2,), []),
        ((0, 2), ["雨停了。", "渠水涨了一尺。"]),
    ],
)
def test_texts_are_sliced(two: Blocks, bounds: tuple[int, ...], texts: list[str]) -> None:
    assert two.texts(*bounds) == texts


@pytest.mark.parametrize(
    ("numbers", "texts"), [([1, 0], ["渠水涨了一尺。", "雨停了。"]), ([1, 1], ["渠水涨了一尺。"] * 2), ([], [])]
)
def test_texts_of_some_blocks(two: Blocks, numbers: list[int], texts: list[str]) -> None:
    assert two.texts_of(np.array(numbers, np.int64)) == texts


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("page_offsets", [0, 1]),
        ("page_offsets", [1, 2]),
        ("page_offsets", [0, 1, 2]),
        ("text_offsets", [0, 4, 4]),
        ("text_offsets", [0, 12, 11]),
        ("text_offsets", [0, 4]),
        ("text_offsets", [0, 4, 7, 11]),
        ("depth", [1]),
        ("holders", np.zeros((3, HOLDER_LEVELS))),
        ("named", np.zeros((1, NAMED_LEVELS))),
    ],
)
def test_columns_that_do_not_fit_are_refused(two: Blocks, column: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"offsets|unequal length"):
        replace(two, **{column: np.array(value)})


def test_page_offsets_that_go_backwards_are_refused() -> None:
    batch = concat([segment_text("甲\n乙"), segment_text("丙")])
    with pytest.raises(ValueError, match="backwards"):
        replace(batch, page_ids=["a", "b", "c"], page_offsets=np.array([0, 3, 2, 3]))


@pytest.mark.parametrize("bounds", [[1, 4, 11], [0, 4, 10], [0, 4, 12]])
def test_text_offsets_that_do_not_span_the_text_are_refused(two: Blocks, bounds: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets"):
        replace(two, text_offsets=np.array(bounds))


def test_blocks_are_frozen(two: Blocks) -> None:
    with pytest.raises(FrozenInstanceError):
        two.text = ""  # type: ignore[misc]


def test_every_tag_and_landmark_has_its_own_number() -> None:
    assert [TAGS[i] for i in TAG_INDEX.values()] == list(TAGS)
    assert len({LANDMARK_BIT[tag] for tag in LANDMARKS}) == len(LANDMARKS)
    assert max(LANDMARK_BIT.values()) < 2**31


# ----------------------------------------------------------------------------------------------------------- concat


def names_of(blocks: Blocks) -> list[list[str | None]]:
    return [[blocks.names[i] if i >= 0 else None for i in row] for row in blocks.named]


def assert_page_of_batch(batch: Blocks, number: int, page: Blocks) -> None:
    start, stop = batch.page_offsets[number : number + 2].tolist()
    assert batch.texts(start, stop) == page.texts()
    assert names_of(batch)[start:stop] == names_of(page)
    assert (batch.page_ids[number], batch.titles[number]) == (page.page_ids[0], page.titles[0])
    plain = set(BLOCK_COLUMNS) - {"holders", "named"}
    assert {c: getattr(batch, c)[start:stop].tolist() for c in plain} == {c: getattr(page, c).tolist() for c in plain}
    assert len(np.unique(batch.holders[start:stop] - page.holders)) <= 1


def test_one_batch_is_itself(two: Blocks) -> None:
    assert concat([two]) is two


@FIXED
@given(st.lists(st.sampled_from(PAGES), min_size=1, max_size=5), st.data())
def test_batch_equals_its_pages_one_by_one(pages: list[str], data: st.DataObject) -> None:
    single = [segment(page, page_id=str(i)) for i, page in enumerate(pages)]
    number = data.draw(st.integers(0, len(pages) - 1))
    assert_page_of_batch(concat(single), number, single[number])


@FIXED
@given(st.lists(st.sampled_from(PAGES), min_size=2, max_size=5), st.integers(1, 4))
def test_concat_of_concats_is_concat(pages: list[str], cut: int) -> None:
    single = [segment(page) for page in pages]
    parts = [part for part in (single[:cut], single[cut:]) if part]
    nested, flat = concat([concat(part) for part in parts]), concat(single)
    assert (nested.text, names_of(nested)) == (flat.text, names_of(flat))
    assert nested.page_offsets.tolist() == flat.page_offsets.tolist()
    assert nested.holders.tolist() == flat.holders.tolist()


def test_holders_stay_apart_by_page() -> None:
    batch = concat([segment(PAGES[0]), segment_text("雨停了。"), segment_text("雨停了。"), segment(PAGES[0])])
    pages = [
        set(batch.holders[a:b].ravel().tolist())
        for a, b in zip(batch.page_offsets[:-1], batch.page_offsets[1:], strict=True)
    ]
    assert len(set.union(*pages)) == sum(map(len, pages))


def test_no_name_stays_no_name() -> None:
    batch = concat([segment("<p class=a>甲"), segment("<p>乙"), segment("<p class=b>丙")])
    assert batch.named[:, 0].tolist() == [0, -1, 1]
    assert batch.names == ["a", "b"]


def test_kinds_of_columns_survive() -> None:
    one = segment(PAGES[0])
    batch = concat([one, one])
    columns = (*BLOCK_COLUMNS, "text_offsets", "page_offsets", "from_dom")
    assert {c: getattr(batch, c).dtype for c in columns} == {c: getattr(one, c).dtype for c in columns}


def test_text_and_markup_mix() -> None:
    assert concat([segment("<p>甲"), segment_text("乙")]).from_dom.tolist() == [True, False]
