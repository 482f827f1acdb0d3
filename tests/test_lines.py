from __future__ import annotations

import pytest

from detector.lines import block_lines
from detector.segment import segment, segment_text


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("<p>雨停了。</p><p>渠水涨了。</p>", [1, 1]),
        ("<p>雨停了。</p>\n\n<p>\n渠水涨了。</p>", [1, 4]),
        ("<p>雨停了。</p>\r\n<p>渠水涨了。</p>", [1, 2]),
        ("<p>雨停了。\n<p>雨停了。\n<p>雨停了。", [1, 2, 3]),
        ("<title>雨停了。</title>\n<script>'渠水'</script>\n<body>\n<p>雨停了。<br>\n渠水", [4, 5]),
        ("<p>\n&nbsp;&nbsp;雨&amp;雪都停了", [2]),
        ("<p>\n<b>雨停了。</b> 渠水", [2]),
        ("<p>&#38632;&#20572;</p>\n<p>渠水", [None, 2]),
        ("", []),
    ],
)
def test_lines_of_markup(source: str, lines: list[int | None]) -> None:
    assert block_lines(source, segment(source)) == lines


def test_lines_of_text() -> None:
    text = "雨停了。\n\n  渠水涨了。\n渠水涨了。\n"
    assert block_lines(text, segment_text(text)) == [1, 3, 4]


def test_block_without_a_plain_character_has_no_line() -> None:
    assert block_lines("<p>&lt;&gt;</p>\n<p>渠水", segment("<p>&lt;&gt;</p>\n<p>渠水")) == [None, 2]


def test_block_that_begins_in_an_inline_tag() -> None:
    source = "<p>\n<b>本报讯</b>昨夜雨停了，渠水涨了。"
    assert block_lines(source, segment(source)) == [2]


def test_long_head_does_not_lose_the_lines() -> None:
    source = "<head><style>" + " " * 250_000 + "</style></head>\n<body>\n<p>雨停了。\n<p>渠水涨了。"
    assert block_lines(source, segment(source)) == [3, 4]


def test_lines_come_back_after_a_long_gap() -> None:
    source = "<body><p>雨停了。\n<script>" + " " * 250_000 + "</script>\n" + "<p>渠水涨了。\n" + "<p>闸门开了。\n"
    assert block_lines(source, segment(source))[2] == 4


def test_text_about_markup_is_searched_from_its_beginning() -> None:
    text = "雨停了。\n网页的正文写在<body>里。\n渠水涨了。"
    assert block_lines(text, segment_text(text)) == [1, 2, 3]
