from __future__ import annotations

import pytest

from detector import limits
from detector.blocks import RawPage
from detector.errors import PageError
from detector.limits import refuse_blocks, refuse_monsters
from detector.pipeline import segment_page


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ("x" * 201, "too_large"),
        ("<p>" * 41, "too_many_tags"),
        ("<select>" + "<option>" * 11, "too_many_tags"),
        ("<div>" * 7, "too_deep"),
        ("<div>" * 7 + "</div>" * 7, "too_deep"),
        ("<div></q>" * 7, "too_deep"),
        ("<FONT><p>" * 5, "too_deep"),
        ("<i><p>" + "<p>" * 9, "too_deep"),
    ],
)
def test_what_is_beyond_a_limit_is_named(html: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in {"CHARS": 200, "TAGS": 40, "DEPTH": 6, "UNCLOSED": 4, "REOPENED": 9, "OPTIONS": 10}.items():
        monkeypatch.setattr(limits, f"MAX_{name}", most)
    monkeypatch.setattr(limits, "FEW_TAGS", 6)
    with pytest.raises(PageError) as caught:
        refuse_monsters(html)
    assert caught.value.code == code


@pytest.mark.parametrize("sort", ["a{} ", 'a{}="1"/', "a{}=' \n ' ", "a{} = 1\n"])
def test_too_many_attributes_of_one_tag(sort: str) -> None:
    few, many = ("".join(sort.format(i) for i in range(n)) for n in (9_990, 10_010))
    refuse_monsters(f"<p>渠</p><p {few}>水</p>")
    with pytest.raises(PageError) as caught:
        refuse_monsters(f"<p>渠</p><p {many}>水</p>")
    assert caught.value.code == "too_many_attributes"


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<div>" * 5000 + "</div>" * 5000,
        "<p>渠<br><img>" * 9000,
        "<ul>" + "<li><a href=/>渠" * 9000,
        "<table>" + "<tr><td><font color=red><b>渠</td></tr>" * 9000,
        "<b><i>渠</b></i>" * 9000,
        f"<p title='{'x y=z ' * 90_000}' class=a>",
        f"<script>{'a < b / c ' * 90_000}</script>",
        "<p>" + "rain and snow " * 90_000,
    ],
    ids=lambda html: html[:20],
)
def test_what_only_looks_large_passes(html: str) -> None:
    refuse_monsters(html)


def test_a_page_of_too_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BLOCKS", 2)
    refuse_blocks(2)
    with pytest.raises(PageError) as caught:
        segment_page(RawPage.from_text("雨\n停\n了", page_id="a"))
    assert (caught.value.code, str(caught.value)) == ("too_many_blocks", "more than 2 blocks of text")
