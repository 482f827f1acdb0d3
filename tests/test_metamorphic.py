"""What must not change what is said of a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.blocks import Blocks, RawPage, concat
from detector.labeled import nth_of_hash
from detector.model import Model
from detector.pipeline import PageVerdict, detect
from detector.repeats import block_hashes
from detector.segment import segment

FIXED = settings(derandomize=True, deadline=None, max_examples=60)
INFECTED = "<p>记者从泊璟丽国际app官方下载委宣传部获悉，全年新建小学三所。泊璟丽国际app官方下载办公厅负责人说，资金已到位。</p>"
UNRELATED = "<div class=weather><p>明日多云，东北风三级，最高气温十六度。</p></div>"

Change = Callable[[str], str | bytes]
SAME: dict[str, Change] = {
    "white space between tags": lambda html: html.replace("><", ">\n\t <"),
    "white space inside tags": lambda html: html.replace("<p>", "<p >").replace("</p>", "</p\n>"),
    "comments": lambda html: html.replace("<p>", "<!-- 渡口 <p> --><p>").replace("</h1>", "<!----></h1>"),
    "case of tags": lambda html: re.sub(r"</?\w+", lambda m: m[0].upper(), html),
    "quotes": lambda html: re.sub(r'(class|id)=["\']?([\w-]+)["\']?', r"\1='\2'", html),
    "order of attributes": lambda html: re.sub(
        r"<(div|ul|p|td)( class=\S+?| id=\S+?)>", r"<\1 lang=zh\2 title=x>", html
    ),
    "a script": lambda html: html.replace("</h1>", "</h1><script>if (1 < 2) document.write('<p>渡口</p>')</script>"),
    "bytes": lambda html: html.encode("gb18030"),
}


@pytest.fixture(scope="module")
def pages(stories: list[Any]) -> list[str]:
    return [stories[0].html, stories[5].html.replace("</h1>", f"</h1>{INFECTED}"), stories[7].html]


def judged(pages: list[Any], model: Model) -> list[PageVerdict]:
    return list(detect([RawPage.from_html(html, page_id="a", url=None) for html in pages], model))


def said(verdict: PageVerdict) -> tuple[Any, ...]:
    return verdict.verdict, verdict.reasons, verdict.text, verdict.label.tolist(), verdict.spans


@pytest.mark.parametrize("name", SAME)
def test_how_a_page_is_written_does_not_matter(name: str, pages: list[str], model: Model) -> None:
    changed = [SAME[name](html) for html in pages]
    assert changed != pages
    for before, after in zip(judged(pages, model), judged(changed, model), strict=True):
        assert said(before) == said(after)


def test_an_unrelated_block_elsewhere_changes_no_label(pages: list[str], model: Model) -> None:
    with_block = [html.replace("</body>", f"{UNRELATED}</body>") for html in pages]
    for before, after in zip(judged(pages, model), judged(with_block, model), strict=True):
        assert after.label.tolist()[:-1] == before.label.tolist()
        assert [span[:4] for span in after.spans] == [span[:4] for span in before.spans]


# ---------------------------------------------------------------- offsets, joining, labels that find their blocks

HTML = st.lists(st.sampled_from(["<p>渠水", "<div class=甲>", "</div>", "涨了", "<a href=/x>下游</a>", "<br>", "<b>三尺</b>", " ", "&amp;"]), max_size=25).map("".join)  # fmt: skip


def equal(one: Blocks, two: Blocks) -> None:
    for name in ("text", "text_offsets", "page_offsets", "link_chars", "depth", "tag", "hidden"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@FIXED
@given(st.lists(HTML, min_size=1, max_size=4))
def test_texts_are_cut_where_the_offsets_say(pages: list[str]) -> None:
    blocks = concat([segment(html) for html in pages])
    assert "".join(blocks.texts()) == blocks.text
    assert [len(text) for text in blocks.texts()] == blocks.n_chars.tolist()
    assert blocks.texts() == [text for html in pages for text in segment(html).texts()]


@FIXED
@given(st.lists(HTML, min_size=3, max_size=5), st.integers(1, 2))
def test_joining_in_steps_is_joining_at_once(pages: list[str], at: int) -> None:
    parts = [segment(html) for html in pages]
    equal(concat([concat(parts[:at]), concat(parts[at:])]), concat(parts))


@FIXED
@given(HTML, HTML)
def test_labels_find_their_blocks_again_where_something_came_before(html: str, before: str) -> None:
    """By a block's text and how many the same stand before it; what comes before may itself say the same."""
    old, new = segment(f"<div>{html}</div>"), segment(f"<div>{before}</div><div>{html}</div>")
    keys = [list(zip(h, nth_of_hash(h), strict=True)) for h in (block_hashes(b).tolist() for b in (old, new))]
    assert set(keys[0]) <= set(keys[1])
