from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from detector import compiled, reread
from detector.blocks import RawPage, concat
from detector.chars import count_han
from detector.model import Model
from detector.pipeline import detect
from detector.reread import has_lost_text, without_traps
from detector.segment import segment

NEWS = "南岭水库除险加固工程通过竣工验收，将恢复下游三万亩农田的灌溉。"
LOST = {
    "a comment": f"<p>渠</p><!-- <p>{NEWS}</p>",
    "a text area": f"<p>渠</p><textarea rows=3><p>{NEWS}</p>",
    "a list": f"<p>渠</p><SELECT><option>甲</option><p>{NEWS}</p>",
    "a title": f"<title>水库<p>{NEWS}</p>",
    "a drawing": f"<p>渠</p><svg><title><p>{NEWS}</p>",
    "frames": f"<frameset><p>{NEWS}</p></frameset>",
    "a shadow root": f"<div><template shadowrootmode=open><p>{NEWS}</p></template></div>",
    "a document in an attribute": f"<iframe srcdoc='&lt;p>{NEWS}&lt;/p>'></iframe><p>渠</p>",
}
KEPT = {
    "a comment that is closed": f"<p>{NEWS}</p><!-- {NEWS} -->",
    "a script at the end": f"<p>{NEWS}</p><script>document.write('{NEWS}')</script></div></body></html>",
    "a list of links": f"<p>{NEWS}</p><select><option>{NEWS}</select>",
    "a template": f"<p>{NEWS}</p><template><p>{NEWS}</p></template>",
    "a page that was cut": f"<p>{NEWS}</p><select><option>县城",
    "an advert in an attribute": f"<p>{NEWS}</p><iframe srcdoc='<script>shadowroot</script>'></iframe>",
    "attributes": f"<p>{NEWS}</p><script src=x></script><div title='{NEWS}'><script></script></div>",
}


@pytest.mark.parametrize("name", LOST)
def test_what_was_lost_is_read(name: str) -> None:
    blocks = segment(LOST[name])
    assert NEWS in blocks.texts()
    assert blocks.parse_loss.tolist() == [True]


@pytest.mark.parametrize("name", KEPT)
def test_what_nobody_reads_is_no_loss(name: str) -> None:
    blocks = segment(KEPT[name])
    assert blocks.texts()[0] == NEWS
    assert blocks.parse_loss.tolist() == [False]


def test_a_program_without_an_end_is_told_but_not_read() -> None:
    blocks = segment(f"<p>渠</p><script>var a = '<p>{NEWS}</p>'")
    assert blocks.texts() == ["渠"]
    assert blocks.parse_loss.tolist() == [True]


def test_the_verdict_names_the_loss(model: Model) -> None:
    pages = [f"<h1>{NEWS}</h1>{LOST['a comment']}", f"<h1>{NEWS}</h1><p>{NEWS * 2}</p>"]
    lossy, whole = detect([RawPage.from_html(html) for html in pages], model)
    assert "parse_loss" in lossy.reasons
    assert "parse_loss" not in whole.reasons


def test_each_page_of_a_batch_keeps_its_own() -> None:
    pages = [segment(html) for html in (LOST["a list"], KEPT["a template"], LOST["frames"])]
    np.testing.assert_array_equal(concat(pages).parse_loss, [True, False, True])


@settings(derandomize=True, deadline=None)
@given(st.text(st.sampled_from("水a鿿龥一丿㐀𠮷\ud800é"), max_size=40))
def test_han_are_counted_alike_with_and_without_a_compiler(text: str) -> None:
    expected = sum("一" <= c <= "鿿" for c in text)
    assert count_han(text) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "scan", None)
        assert count_han(text) == expected


def test_the_end_of_a_large_page_is_found() -> None:
    html = f"<p>{NEWS}</p>" * 999 + "<textarea>" + f"<p>{NEWS}</p>" * 999
    canonical = LexborHTMLParser(html).html or ""
    assert len(html) > 2 * reread.TAIL
    assert has_lost_text(html, canonical)
    assert without_traps(html).count("textarea") == 0
