import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.frame import FURTHER, MARK, POLICY, Mark, render, render_text
from detector.segment import segment, segment_text

PIECE = re.compile(
    rf'<block-mark (?:id="{MARK}(\d+)" class="\w+"|class="\w+ {FURTHER}(\d+)") style="--p:[\d.]+">(.*?)</block-mark>',
    re.S,
)


def marked(document):
    """What stands in the marks of each block, without white space."""
    found = {}
    for first, further, text in PIECE.findall(document):
        found[int(first or further)] = found.get(int(first or further), "") + "".join(unescape(text).split())
    return [found[number] for number in sorted(found)]


def drawn(html):
    texts = segment(html).texts()
    return render(html, [Mark("chrome", 0.5)] * len(texts)), ["".join(text.split()) for text in texts]


def test_marks_stand_where_the_blocks_do(article):
    document, texts = drawn(article)
    assert marked(document) == texts


fragments = st.sampled_from(
    ["<p>", "</p>", "<div>", "</div>", "<br>", "<b>", "</b>", "<a href=x>", "</a>", "<table><tr><td>", "</table>", "&nbsp;",
     "&lt;b&gt;", "河湾村", " 通车 ", "<script>x()</script>", "<li>", "<select><option>甲</select>", "<!-- 乙 -->", "<hr>", "\u3000"]
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(fragments, max_size=25))
def test_marks_stand_where_the_blocks_do_in_any_markup(pieces):
    document, texts = drawn("".join(pieces))
    assert marked(document) == texts


def test_plain_text_is_marked_by_line():
    text = "一\n\n <二>\n"
    document = render_text(text, [Mark("content", 0.9)] * len(segment_text(text)))
    assert marked(document) == ["一", "<二>"]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", '<img src="http://evil.example/x.png">', "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">甲</a>', '<meta http-equiv=refresh content="0;url=http://evil.example">',
        "<iframe src=http://evil.example></iframe>", '<form action="http://evil.example"><input name=a><button>乙</button></form>',
        '<base href="http://evil.example/">', '<link rel=stylesheet href="http://evil.example/a.css">',
        '<object data="http://evil.example/a.swf"></object>', "<svg onload=alert(1)><script>alert(1)</script></svg>",
        '<p onclick="alert(1)" style="color:red">丙</p>', '<video src="http://evil.example/v" autoplay></video>',
        '<a href="x" ping="http://evil.example/">丁</a>', "<plaintext>戊", "<body onload=alert(1) background=http://evil.example/b>",
        '<p title=">&lt;script&gt;alert(1)&lt;/script&gt;">己</p>', '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
    ],
)  # fmt: skip
def test_nothing_is_left_that_could_run_or_fetch(hostile):
    document, _ = drawn(f"<div>河湾村</div>{hostile}<div>通车</div>")
    body = document.partition("<body>")[2]
    tags = re.findall(r"<(\w[\w-]*)((?:\s[^\s=>]+=\"[^\"]*\")*)>", body)
    assert {tag for tag, _ in tags} <= {"div", "p", "a", "img", "form", "block-mark", "style"}
    names = {name for _, attributes in tags for name in re.findall(r'\s([^\s=]+)="', attributes)}
    assert names <= {"id", "class", "style", "title"}
    assert "evil.example" not in body


def test_pictures_that_a_page_holds_itself_are_shown():
    assert 'src="data:image/png;base64,iVBOR"' in drawn('<img src="data:image/png;base64,iVBOR">河湾村')[0]


def test_a_page_cannot_pass_its_own_elements_for_marks():
    assert drawn(f'<p id="{MARK}0">甲</p>')[0].count(f'id="{MARK}0"') == 1


def test_styles_of_the_page_stay_and_cannot_break_out():
    document, _ = drawn("<style>p{color:red}</style><style>p{}</p><script>alert(1)</script></style><p>甲")
    assert "<style>p{color:red}</style>" in document
    assert "alert" not in document


@pytest.mark.parametrize(
    ("css", "left"),
    [
        ("@import url(a.css);p{color:red}", "p{color:red}"),
        ("p{background:url( 'a.png' ) red}", "p{background:none red}"),
        ("p{background:url(data:image/png;base64,AA)}", "p{background:url(data:image/png;base64,AA)}"),
    ],
)
def test_styles_do_not_ask_for_what_they_would_not_get(css, left):
    assert f"<style>{left}</style>" in drawn(f"<style>{css}</style><p>甲")[0]


def test_a_block_of_several_pieces_is_shown_whole():
    document, _ = drawn("<p>河湾<b>村</b>通车</p><p>甲</p>")
    assert f"html:has(#{MARK}0:target) .{FURTHER}0{{" in document
    assert f".{FURTHER}1{{" not in document


def test_the_policy_lets_nothing_run():
    assert POLICY.startswith("default-src 'none'")
    assert "script-src" not in POLICY
    assert POLICY.endswith("sandbox")
