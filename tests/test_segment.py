from __future__ import annotations

import html as markup
from typing import Any

import numpy as np
import pytest
from caselist import cases
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.blocks import HOLDER_LEVELS, LANDMARK_BIT, NAMED_LEVELS, TAGS
from detector.segment import MAX_META, fold, segment, segment_text

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
TOKENS = ["渠水", "，", " ", "\u3000", "&nbsp;", "&amp;lt;", "<p>", "</p>", "<div class=甲>", "</div>", "<br>", "<a href=/x>", "</a>",
          "<b>", "</b>", "<table>", "<td>", "</table>", "<!--", "-->", "<script>", "</script>", "<select>", "<pre>\n", "<bgsound>",
          "<?php x ?>", "<a<b>", "<svg>", "<frameset>", "<noframes>", "<title>", "</body>", "<", ">", "&", '"', "'", "\0", "\ud800"]  # fmt: skip


@pytest.mark.parametrize("case", cases("segment"))
def test_markup_becomes_blocks(case: dict[str, Any]) -> None:
    assert segment(case["html"]).texts() == case["expect"]


def test_one_page_with_its_id() -> None:
    blocks = segment("<p>甲<p>乙", page_id="南岭")
    assert (blocks.page_ids, blocks.page_offsets.tolist(), blocks.from_dom.tolist()) == (["南岭"], [0, 2], [True])


def test_page_without_text_keeps_the_shape_of_its_columns() -> None:
    blocks = segment("")
    assert (blocks.texts(), blocks.page_offsets.tolist()) == ([], [0, 0])
    assert (blocks.holders.shape, blocks.named.shape) == ((0, HOLDER_LEVELS), (0, NAMED_LEVELS))


def test_deep_nesting() -> None:
    blocks = segment("<div>" * 3000 + "底" + "</div>" * 3000 + "<p>面</p>")
    assert blocks.texts() == ["底", "面"]
    assert blocks.depth.tolist() == [3002, 3]


# ------------------------------------------------------------------------------------------------------------- title


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title> 水库&amp;渠\n 加固 </title><p>字", "水库&渠 加固"),
        ("<title>前</title><title>后</title><p>字", "前"),
        ("<p>字</p><title>身内</title>", "身内"),
        ("<title></title><p>字", ""),
        ("<p>字", ""),
        pytest.param(
            "<svg><title>图标</title></svg><title>水库</title>",
            "水库",
        ),
    ],
)
def test_title(html: str, title: str) -> None:
    assert segment(html).titles == [title]


def test_summary() -> None:
    html = (
        '<meta name=viewport content="width=1"><meta NAME=" Keywords" content=" 水库  除险 "><meta name=description>'
        '<meta name="description" content="工程&amp;验收"><p>字'
    )
    assert segment(html).summaries == ["水库 除险 工程&验收"]
    assert segment("<p>字" + '<meta name="keywords" content="字">' * 9999).summaries[0].count("字") <= MAX_META
    assert segment_text("字").summaries == [""]


# ------------------------------------------------------------------------------------------- tags, depth, landmarks


def test_tag_is_that_of_the_holder() -> None:
    blocks = segment("<h2><b>甲</b></h2><td>乙<foo>丙</foo><ul><li><a>丁</a></ul>")
    assert [TAGS[i] for i in blocks.tag] == ["h2", "body", "other", "li"]


def test_depth_counts_all_elements_above() -> None:
    assert segment("<p>甲</p><div><p><b>乙</b></p></div>").depth.tolist() == [3, 5]


def test_landmarks_are_all_ancestors() -> None:
    blocks = segment("<nav><ol><li><a href=/>甲</a></ol></nav><table><td>乙</table><p>丙")
    nav, table, plain = blocks.landmarks.tolist()
    assert nav == LANDMARK_BIT["nav"] | LANDMARK_BIT["ol"] | LANDMARK_BIT["a"]
    assert (table, plain) == (LANDMARK_BIT["table"], 0)


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param("<bgsound src=x.mid>"),
        pytest.param("<?php echo 1 ?>"),
        *(
            "<br>",
            "<hr>",
            "<img>",
            "<input>",
            "<link>",
            "<meta>",
            "<param>",
            "<embed>",
            "<wbr>",
            "<keygen>",
            "<source>",
        ),
        *(
            "<area>",
            "<base>",
            "<basefont>",
            "<col>",
            "<track>",
            "<frame>",
            "<image>",
            "<p/>",
            "</p>",
            "<!x>",
            "<?xml:x />",
        ),
    ],
)
def test_what_has_no_end_tag_leaves_the_rest_alone(opening: str) -> None:
    """An end tag too many or too few would move all that follows under the wrong element: here, a hidden one."""
    blocks = segment(f'<div style="display:none">{opening}</div><p>渠水</p>')
    assert (blocks.hidden.tolist(), blocks.depth.tolist()) == ([False], [3])


# ------------------------------------------------------------------------------------------------- links, bold, images


def test_links_and_bold_are_counted_by_block() -> None:
    blocks = segment("<p><a href=/1>上游</a>和<a href=/2>下游区</a>的<strong>水位</strong></p><p>渠水</p>")
    assert blocks.n_links.tolist() == [2, 0]
    assert blocks.link_chars.tolist() == [5, 0]
    assert blocks.bold_chars.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("href", "leaves"),
    [
        ("/news/1.html", 0),
        ("1.html", 0),
        ("http://www.linhe.example/1.html", 0),
        ("//bbs.linhe.example/", 0),
        ("HTTP://WWW.LINHE.EXAMPLE:8080/", 0),
        ("https://haibin.example/", 1),
        ("//haibin.example", 1),
        ("http://linhe.example.haibin.example/", 1),
        pytest.param(
            "http://fakelinhe.example/",
            1,
        ),
        ("javascript:void(0)", 0),
        ("", 0),
    ],
)
def test_links_that_leave_the_host(href: str, leaves: int) -> None:
    assert segment(f"<p><a href='{href}'>渠水</a></p>", host="www.linhe.example").n_offsite.tolist() == [leaves]


def test_no_link_leaves_an_unknown_host() -> None:
    assert segment("<p><a href='http://haibin.example/'>渠水</a></p>").n_offsite.tolist() == [0]


def test_images_count_for_the_next_block() -> None:
    assert segment("<div><img src=a><img src=b></div><p>甲<img src=c></p><p>乙</p>").n_images.tolist() == [3, 0]


def test_links_around_images_count_for_no_block() -> None:
    assert segment("<div><a href=/x><img src=a></a></div><p>渠水</p>").n_links.tolist() == [0]


def test_link_around_a_block_counts_for_it() -> None:
    assert segment("<a href=/x><h3>水库加固</h3></a>").n_links.tolist() == [1]


def test_link_around_a_no_break_space_counts_for_no_block() -> None:
    blocks = segment("<div><a href=/x>&nbsp;</a></div><p>渠水涨了</p>")
    assert (blocks.link_chars.tolist(), blocks.n_links.tolist()) == ([0], [0])


def test_white_space_within_a_link_is_not_counted() -> None:
    assert segment("<p><a href=/x>\n      渠水\n      </a>昨夜又涨了一尺多</p>").link_chars.tolist() == [2]


# ------------------------------------------------------------------------------------------------------------- hidden


@pytest.mark.parametrize(
    "style",
    ["display:none", "DISPLAY : NONE;color:red", "color:red;visibility: hidden", "text-indent:-9999px", "font-size:0", "font-size: 0px;",
     "opacity:0", "position:absolute;left:-2000px", "margin-top:-500em", "clip:rect(0 0 0 0)", "height:0;overflow:hidden",
     "max-height: 1px", "width:1px", "display:none !important"],
)  # fmt: skip
def test_hidden_by_style(style: str) -> None:
    assert segment(f'<div style="{style}">渠水</div>').hidden.tolist() == [True]


@pytest.mark.parametrize("style", ["font-size:0!important", "height:1px !important", "opacity:0.0", "display:\n none"])
def test_hidden_by_style_written_otherwise(style: str) -> None:
    assert segment(f'<div style="{style}">渠水</div>').hidden.tolist() == [True]


@pytest.mark.parametrize(
    "style",
    ["display:block", "font-size:0.9em", "opacity:0.5", "line-height:0", "line-height:1", "border-width:1px", "min-height:1px",
     "height:100px", "width:10px", "text-indent:-2em", "margin-left:-10px", ""],
)  # fmt: skip
def test_shown_whatever_the_style(style: str) -> None:
    assert segment(f'<div style="{style}">渠水</div>').hidden.tolist() == [False]


@pytest.mark.parametrize(
    ("attributes", "hidden"),
    [
        ("hidden", True),
        ('hidden="until-found"', True),
        ("aria-hidden=true", True),
        ("aria-hidden=false", False),
        ("height=1", True),
        ("height=100", False),
        ("data-hidden=1", False),
        ("class=hidden", False),
        ('class="box hidden"', False),
        pytest.param(
            'title="a hidden lake"',
            False,
        ),
    ],
)
def test_hidden_by_attribute(attributes: str, hidden: bool) -> None:
    assert segment(f"<marquee {attributes}>渠水</marquee>").hidden.tolist() == [hidden]


def test_hidden_is_inherited_and_ends() -> None:
    blocks = segment("<div style='display:none'><ul><li><b>甲</b></li></ul></div><p>乙</p>")
    assert blocks.hidden.tolist() == [True, False]


def test_hidden_no_break_space_does_not_hide_the_block() -> None:
    assert segment("<p><span style='font-size:0'>&nbsp;</span>渠水</p>").hidden.tolist() == [False]


# ------------------------------------------------------------------------------------------------------ holders, named


def test_named_are_the_nearest_class_and_id_strings() -> None:
    blocks = segment("<div class='Main  Box' id=C1><p><b class=red>甲</b></p><div><p>乙</p></div></div><p>丙</p>")
    names = [[blocks.names[i] for i in row if i >= 0] for row in blocks.named]
    assert names == [["red", "main box c1"], ["main box c1"], []]


def test_equal_names_are_kept_once() -> None:
    blocks = segment("<p class=t>甲</p><p class=T>乙</p><p class=t id=u>丙</p>")
    assert (blocks.names, blocks.named[:, 0].tolist()) == (["t", "t u"], [0, 0, 1])


def test_named_keeps_the_nearest_when_there_are_too_many() -> None:
    blocks = segment("".join(f"<div class=c{i}>" for i in range(NAMED_LEVELS + 2)) + "甲")
    assert [blocks.names[i] for i in blocks.named[0]] == [f"c{i}" for i in range(NAMED_LEVELS + 1, 1, -1)]


def test_text_beside_a_link_speaks_for_the_block() -> None:
    blocks = segment("<p><a href=/x class=l>甲</a>乙<span class=s>丙</span></p>")
    assert blocks.named[0].tolist() == [-1] * NAMED_LEVELS


def test_holders_are_shared_by_the_blocks_of_one_element() -> None:
    blocks = segment("<div>甲<br>乙<p>丙</p></div><div>丁</div>")
    own, above = blocks.holders[:, 0].tolist(), blocks.holders[:, 1].tolist()
    assert own[0] == own[1] == above[2]
    assert len(set(own)) == 3
    assert above[0] == above[3]


def test_inline_elements_are_no_holders() -> None:
    blocks = segment("<div>甲<br><span><b>乙</b></span></div>")
    np.testing.assert_array_equal(blocks.holders[0], blocks.holders[1])


# --------------------------------------------------------------------------------------------------------- plain text


def test_text_is_split_by_line() -> None:
    blocks = segment_text(
        "雨停了。\r\n\r\n　　渠水涨了\t一尺。\n \n<p>&nbsp;&amp;</p>\n", page_id="t", title=" 水\u3000库\n"
    )
    assert blocks.texts() == ["雨停了。", "渠水涨了 一尺。", "<p>&nbsp;&amp;</p>"]
    assert (blocks.titles, blocks.from_dom.tolist()) == (["水 库"], [False])
    assert {TAGS[i] for i in blocks.tag} == {"line"}


@pytest.mark.parametrize("text", ["", " \n\u3000\n"])
def test_blank_text_has_no_blocks(text: str) -> None:
    assert len(segment_text(text)) == 0


# --------------------------------------------------------------------------------------------------------- properties


@FIXED
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join))
def test_any_markup_makes_sound_blocks(html: str) -> None:
    blocks = segment(html)
    texts = blocks.texts()
    assert texts == [fold(text) for text in texts if text]
    assert (blocks.link_chars <= blocks.n_chars).all()
    assert (blocks.bold_chars <= blocks.n_chars).all()
    assert (blocks.named < max(len(blocks.names), 1)).all()


@FIXED
@given(st.text())
def test_any_text_makes_sound_blocks(text: str) -> None:
    assert all(segment(text).texts())
    assert segment_text(text).texts() == [fold(line) for line in text.splitlines() if fold(line)]


@FIXED
@given(st.lists(st.text("渠水涨了 　<>&\"';#x1", min_size=1).filter(str.strip), max_size=5))
def test_escaped_text_comes_back(texts: list[str]) -> None:
    html = "".join(f"<p>{markup.escape(text)}</p>" for text in texts)
    assert segment(html).texts() == [fold(text) for text in texts]
