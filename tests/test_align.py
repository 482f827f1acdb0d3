from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.align import align, normalize
from detector.labels import Label
from detector.segment import segment, segment_text

FIXED = settings(derandomize=True, deadline=None, max_examples=50)
LEAD = "昨日上午，南岭水库除险加固工程通过竣工验收，下游三万亩农田将恢复灌溉，村民不用再抽水了。"
LAST = "村民说，往年这个时候渠里已经见底。"


def content(html: str, gold: str) -> list[str]:
    blocks = segment(html)
    label = align(blocks, gold)
    assert label.dtype == np.int8
    return [text for text, mark in zip(blocks.texts(), label.tolist(), strict=True) if mark == Label.CONTENT]


@pytest.mark.parametrize(("text", "normal"), [("１２ ＡＢ\u3000ｃ", "12ABc"), ("渠\n 水", "渠水"), ("", "")])
def test_normalize(text: str, normal: str) -> None:
    assert normalize(text) == normal


def test_blocks_of_the_gold_are_content() -> None:
    assert content(f"<div>首页</div><p>{LEAD}<p>{LAST}<div>版权所有</div>", LEAD + "\n" + LAST) == [LEAD, LAST]


def test_width_and_white_space_do_not_matter() -> None:
    assert content("<p>水位　１２．４米（三日）", "水位12.4米(三日)") == ["水位 １２．４米（三日）"]


@pytest.mark.parametrize("html", ["<p>渠水涨了。", ""])
def test_without_gold_nothing_is_content(html: str) -> None:
    assert content(html, "") == []


def test_paragraph_that_the_gold_has_with_small_changes() -> None:
    assert content(f"<p>{LEAD}", LEAD.replace("竣工验收", "竣工验收（图）").replace("不用再", "不必再")) == [LEAD]


def test_paragraph_that_shares_a_few_words_is_chrome() -> None:
    other = "相关：昨日上午，夜间图书馆首次开门，两百个座位在半小时里坐满了读者。"
    assert content(f"<p>{LEAD}<p>{other}", LEAD) == [LEAD]


def test_word_of_the_article_in_a_sidebar_is_chrome() -> None:
    assert content(f"<div>南岭水库</div><p>{LEAD}<div>水库</div>", LEAD) == [LEAD]


def test_order_of_page_and_gold_must_agree() -> None:
    """A teaser under the article says its first sentence again; one of the two may stand in the chain."""
    assert content(f"<p>{LEAD}<p>{LAST}<li>{LEAD}", LEAD + LAST) == [LEAD, LAST]


def test_line_that_the_article_says_three_times() -> None:
    verse = "渠水渠水，慢慢地流。"
    assert (
        content(f"<p>{verse}<p>{LAST}<p>{verse}<p>{LEAD}<p>{verse}", verse + LAST + verse + LEAD + verse).count(verse)
        == 3
    )


def test_short_word_before_the_paragraph_that_begins_with_it_is_chrome() -> None:
    assert content(f"<li>昨日</li><p>{LEAD}", LEAD) == [LEAD]


@pytest.mark.parametrize("line", ["……", "｜", "* * *"])
def test_block_without_a_letter_is_chrome(line: str) -> None:
    assert content(f"<p>{LEAD}<p>{line}", LEAD + line) == [LEAD]


@pytest.mark.parametrize(
    "line",
    ["2014年5月6日 来源：临河日报", "责任编辑：周立", "（编辑 周立）", "来源：临河日报", "作者：陈述", "2014-05-06 08:30", "發佈於2014年5月6日",
     "【责任编辑：周立】", "稿源：临河新闻网"],
)  # fmt: skip
def test_byline_is_chrome_even_if_the_gold_has_it(line: str) -> None:
    assert content(f"<p>{line}<p>{LEAD}", line + LEAD) == [LEAD]


@pytest.mark.parametrize(
    "line",
    [
        "2003年的那场大雨",
        "2014年5月6日，水库通过验收。",
        "编辑部的故事从一口水井说起。",
        "作者在书中写道",
        pytest.param(
            "2014年5月6日，他又一次站上了南岭水库的大坝",
        ),
        pytest.param(
            "记者：您为什么留在山里教书？",
        ),
    ],
)
def test_what_only_looks_like_a_byline_is_content(line: str) -> None:
    assert content(f"<p>{line}<p>{LEAD}", line + LEAD) == [line, LEAD]


# ----------------------------------------------------------------------------------------------------------- headline

TITLE = "<title>南岭水库加固工程通过验收-临河新闻网</title>"
HEAD = "南岭水库加固工程通过验收"


@pytest.mark.parametrize("gold", [LEAD, HEAD + LEAD], ids=["not in the gold", "in the gold"])
def test_headline_is_content(gold: str) -> None:
    assert content(f"{TITLE}<h1>{HEAD}</h1><p>{LEAD}", gold) == [HEAD, LEAD]


def test_heading_is_the_headline_before_other_copies() -> None:
    blocks = segment(f"{TITLE}<li>{HEAD}</li><h2>{HEAD}</h2><div>{HEAD}</div><p>{LEAD}")
    assert align(blocks, LEAD).tolist() == [1, 0, 1, 0]


def test_last_copy_before_the_body_is_the_headline_without_a_heading() -> None:
    blocks = segment(f"{TITLE}<li>{HEAD}</li><div>{HEAD}</div><p>{LEAD}<li>{HEAD}")
    assert align(blocks, LEAD).tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    "html",
    [f"<title>短题</title><h1>短题</h1><p>{LEAD}", f"{TITLE}<h1>南岭水库</h1><p>{LEAD}", f"{TITLE}<h1>夜间图书馆开门了</h1><p>{LEAD}", f"<h1>{HEAD}</h1><p>{LEAD}"],
    ids=["title too short", "too small a part of the title", "not in the title", "no title"],
)  # fmt: skip
def test_no_headline(html: str) -> None:
    assert content(html, LEAD) == [LEAD]


# --------------------------------------------------------------------------------------------------------- properties


@FIXED
@given(
    st.lists(st.sampled_from([LEAD, LAST, "首页", "工程验收", "……", "来源：临河日报"]), max_size=8),
    st.permutations([LEAD, LAST, "完"]),
)
def test_content_runs_forward_in_the_gold(lines: list[str], parts: list[str]) -> None:
    blocks = segment_text("\n".join(lines))
    label = align(blocks, "".join(parts))
    chosen = (re.escape(text) for text, mark in zip(blocks.texts(), label, strict=True) if mark == Label.CONTENT)
    assert re.search(".*".join(chosen), "".join(parts))
