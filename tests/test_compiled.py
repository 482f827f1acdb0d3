"""What is compiled says what Python says, to the last bit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rough import random_heat, random_network
from selectolax.lexbor import LexborHTMLParser

from detector import compiled
from detector.background import join
from detector.blocks import BLOCK_COLUMNS
from detector.chars import code_points, count_han, fold_and_tell
from detector.decode import _EURO_HANDLER, _from_gb18030, _sample, decode
from detector.features import OWN_NAMES, consensus, cues, mass, shape, with_context
from detector.forest import Forest
from detector.heat import measure, measure_and_score, score
from detector.judge import describe, tokenizer
from detector.limits import _nesting
from detector.network import Panel
from detector.repeats import block_hashes
from detector.reread import has_documents, has_lost_text, may_have_lost_text
from detector.runs import find_runs, likely_runs
from detector.screen import Screen
from detector.segment import _read_tree, _traits, segment, segment_text
from detector.weigh import weigh
from detector.windows import WIDTH, look_again

ROOT = Path(__file__).resolve().parents[1]
LABELED = sorted((ROOT / "labeled" / "pages").rglob("*.html"))
TEXTS = ["昨日阿喏哩官网召开会议，全县的春耕🎰已经开始。", "", "水", "１２ａｂ𝕴𝕵加薇❤信：x9", "渠水涨了一尺" * 40]


@pytest.fixture(autouse=True)
def _needed():
    parts = [getattr(compiled, name) for name in compiled.__all__]
    if None in parts and not (shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("without a C compiler (apt-get install gcc) there are no compiled parts to compare with")
    assert None not in parts, "there is a C compiler: install the package again (pip install -e .)"


@pytest.fixture
def both_ways(monkeypatch):
    """Call something with what is compiled and without."""

    def call(function):
        fast = function()
        with monkeypatch.context() as context:
            for name in compiled.__all__:
                context.setattr(compiled, name, None)
            return fast, function()

    return call


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_heat(size, seed):
    heat, random = random_heat(), np.random.default_rng(seed)
    codes, _ = join(TEXTS[:size])
    cues = np.where(random.random(len(codes)) < 0.1, random.integers(0, 9, len(codes)), 0).astype(np.uint8)
    traits, grams = measure(codes, cues, heat.background, heat.topic)
    fast, total = measure_and_score(codes, cues, heat)
    assert total.tolist() == score(traits, grams, heat).tolist()
    assert np.array_equal(fast.fit, traits.fit)
    assert np.array_equal(fast.steps, traits.steps)


@pytest.mark.parametrize("seed", range(20))
def test_runs(seed, both_ways):
    random = np.random.default_rng(seed)
    enter, stay, leave = (random.normal(-1, 4, 60).astype(np.float32) for _ in range(3))
    zones = np.array([[0, 1], [3, 20], [20, 20], [25, 60]])
    fast, slow = both_ways(lambda: likely_runs(enter, stay, leave, zones))
    assert fast == slow
    assert fast


def small_forest(random):
    feature, threshold = random.integers(0, 4, (6, 3)).astype(np.int32), random.normal(size=(6, 3))
    left, right = np.tile(np.int32([1, 1, 2]), (6, 1)), np.tile(np.int32([2, 1, 2]), (6, 1))
    return Forest(feature, threshold, left, right, random.normal(size=(6, 3)), np.zeros(1), np.int32([2]))


def test_trees(both_ways):
    random = np.random.default_rng(0)
    forest, rows = small_forest(random), random.normal(size=(50, 4)).astype(np.float32)
    fast, slow = both_ways(lambda: forest.predict_proba(rows).tolist())
    assert fast == slow


@pytest.mark.parametrize("damage", ["feature", "left"])
def test_damaged_trees_lead_nowhere(damage, both_ways):
    forest = small_forest(np.random.default_rng(0))
    forest = forest._replace(**{damage: np.full((6, 3), 9999, np.int32)})
    with pytest.raises(IndexError):
        forest.predict_proba(np.zeros((1, 4), np.float32))


def test_all_steps_up_to_the_candidates(lexicon, both_ways):
    networks = Panel.of([random_network(WIDTH, 4)])

    def candidates():
        weighed = weigh([TEXTS, ["题", *TEXTS[::-1]]], random_heat(0.0), lexicon)
        look = look_again(weighed, networks)
        runs = find_runs(weighed, look)
        return [weighed.hot, *look, *runs, describe(weighed, look, runs)]

    fast, slow = both_ways(candidates)
    assert all(np.array_equal(a, b) for a, b in zip(fast, slow, strict=True))
    assert len(fast[-1])


# ---------------------------------------------------------------- the walk

MARKUP = """渠水|，| |　|&nbsp;|&amp;lt;|&amp;|&quot;|<p>|</p>|<div class=甲>|<div class="A b" id=c>|<div id='' class="">|</div>|<br>|<hr>
|<a href=/x>|<a href="https://news.example.com/1">|<a href=//例え.example.com>|<a href="HTTP://other.example/?q=//">|<a href="http:/x">
|<a href="//badexample.com" href=x>|<a href="//example.com:80">|</a>|<b>|</b>|<table>|<td>|</table>|<ul><li>|<!--|-->|<!-- < > -->|<!>
|<script>if(a<b)"<p>"|</script>|<svg><style>|</style></svg>|<svg>|</svg>|<template>|</template>|<select><option>|</select>|<textarea><p>
|</textarea>|<iframe>|</iframe>|<noscript>|</noscript>|<img src=x>|<pre>\n|<bgsound>|<?php x ?>|<a<b>|<frameset>|<noframes><p class="x|<noframes>\n<td></i>|</noframes>
|<title>|</title>|</body>|<plaintext>|<|>|"|'|\0|🎰|<p style="display: none">|<p hidden>|<td height=1>|<i aria-hidden=true>|<xmp>|</xmp>
|<math><mi>|</math>|<o:p>|<blockquote>|<h1>|</h1>|<center>|<font size=2>|</font>|<canvas>|</canvas>|<head>|<meta name=description content=x>|<p
|<div a=b=c class= d>|<div title="<p>" class="q>r">|</>|< p>|<!DOCTYPE html>|<figcaption>|<article>|\x1c|\x85|\u2003
|渠水涨了一尺，县城水库除险加固工程通过竣工验收，将恢复下游灌溉|<template><textarea>|<select><button><selectedcontent></selectedcontent></button><option>
|<svg><title>|<svg><foreignObject><p>|<svg><link>|<math><annotation-xml encoding=text/html>|<script><!--<script>|<style>|</style>
|<meta name=Keywords content="甲  乙">|<meta name=description content>|<meta content=x>|<body class=b>|</html>|</head>|<!-- |<!-->|<!x-->
|<p class="a&amp;b<c>\xa0d&quot;">|<p id=é class>|<p is=x ID=c CLASS=d>|<a href="//a&b.example.com">|<a href=hTTps://x.y/>|<a name=x>
|<p style="display:&#110;one">|<td height=0>|<é>|<a\u00e9 class=q>|&nGt;|&#0;|&#xD800;|\r\n|\x0c|\u2028|𠮷|<nobr>|<image src=x>|<listing>\n
|<div\x0bclass=a>|<div\u3000class=x>|<p =y="foo class">|<p a\u3000b=1 class=c>|<?php a &gt; b ?>|<?a b>""".replace(
    "\n|", "|"
).split("|")


ANY_MARKUP = st.lists(st.sampled_from(MARKUP), max_size=40).map("".join)
STRANGE = {
    "a name that ends early": "<div\u3000class=x>渠水</div>",
    "an attribute that begins with its value": '<p =y="foo class">渠水</p>',
    "a space in the name of an attribute": "<p a\u3000b=1 class=c>渠水</p>",
    "markup that is text": "<p>字<noframes><p class=x>渠水</p></noframes>",
    "text that begins like markup": "<p>字<noframes><p class=x",
    "a comment that holds its end": "<p>渠--><!",
    "half of a character": "<p>渠\ud800水",
}


def walked(html):
    blocks = segment(html, host="www.example.com")
    columns = [getattr(blocks, name).tolist() for name in BLOCK_COLUMNS]
    told = blocks.titles, blocks.summaries, blocks.parse_loss.tolist()
    return [blocks.text, blocks.text_offsets.tolist(), blocks.names, *told, *columns]


@settings(derandomize=True, deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(ANY_MARKUP)
def test_the_walk_over_any_markup(both_ways, html):
    fast, slow = both_ways(lambda: walked(html))
    assert fast == slow


@settings(derandomize=True, deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(ANY_MARKUP)
def test_a_loss_is_seen_from_the_tree(html):
    page = compiled.walk.Page(html, _traits(), "", lambda style: False, lambda href, host: False)
    canonical = LexborHTMLParser(html).html
    if page.blocks() is not None:
        assert page.markup() == canonical
        assert page.han <= count_han(canonical)
        assert page.han_before == count_han(html)
        assert may_have_lost_text(html, page.han_before - page.han, page.ending()) or not has_lost_text(html, canonical)


@pytest.mark.parametrize("n", [1, 15, 16, 17, 31, 4095, 4097, 20_000])
@pytest.mark.parametrize("alphabet", ["渠", "渠a", "一鿿䷿ꀀ渠é𠮷<p>"])
def test_han_characters_are_counted_in_the_markup(alphabet, n):
    html = "".join(np.random.default_rng(n).choice(list(alphabet), n))
    page = compiled.walk.Page(html, _traits(), "", lambda style: False, lambda href, host: False)
    assert page.han_before == count_han(html)


@pytest.mark.parametrize("html", STRANGE.values(), ids=STRANGE)
def test_what_markup_would_say_otherwise_is_left_to_the_walk_over_markup(both_ways, html):
    assert _read_tree(compiled.walk, html, "") is None
    fast, slow = both_ways(lambda: walked(html))
    assert fast == slow


def test_most_pages_are_not_left_to_it():
    pages = [decode(path.read_bytes()).text for path in LABELED]
    assert sum(_read_tree(compiled.walk, page, "") is None for page in pages) <= len(pages) / 20


def test_an_error_on_the_way_is_raised():
    def broken(_):
        raise RuntimeError("style")

    with pytest.raises(RuntimeError, match="style"):
        compiled.walk.Page("<p style=x>渠水", {}, "", broken, broken).blocks()


def test_the_walk_keeps_no_memory():
    resource = pytest.importorskip("resource")
    html = "<div class=x><p>渠水涨了<a href=/>一尺</a></p>" * 3000
    sizes = []
    for _ in range(60):
        _read_tree(compiled.walk, html, "")
        sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert sizes[-1] - sizes[19] < 8 << 10  # kilobytes; a page's tree alone has some 3 MB


def test_a_library_without_the_names_of_the_parser_is_left_alone():
    assert not compiled.walk.connect(compiled.loops.__file__)
    assert not compiled.walk.connect("/no/such/library.so")
    assert segment("<p>渠<b>水</b>").texts() == ["渠水"]


@pytest.mark.parametrize("path", LABELED, ids=lambda path: path.stem)
def test_the_walk_over_pages(both_ways, path):
    fast, slow = both_ways(lambda: walked(decode(path.read_bytes()).text))
    assert fast == slow


@pytest.mark.parametrize("times", [3000, 40_000])
def test_the_walk_over_deep_and_wide_pages(both_ways, times):
    html = "<b class=x>" * 300 + "底<p>面<a href=/>" * times
    fast, slow = both_ways(lambda: walked(html))
    assert fast == slow


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("n", [0, 1, 2, 50])
def test_features_are_scaled(both_ways, order, bounded, n):
    random = np.random.default_rng(n)
    rows = np.asarray(random.normal(0, 3, (n, 7)), np.float32, order=order)
    rows[random.random((n, 7)) < 0.2] = np.nan
    rows[random.random((n, 7)) < 0.1] = np.inf
    network = random_network(7, 3)
    parts = [rows[:, :3], rows[:, 3:]]
    panel = Panel.of([network if bounded else network.unbounded()])
    chosen = random.integers(0, max(n, 1), n // 2 if n > 2 else n)
    fast, slow = both_ways(lambda: panel._scaled(parts, chosen))
    np.testing.assert_array_equal(fast, slow)
    mixed = panel._scaled([np.array(rows[:, :3], order="K"), np.asfortranarray(rows[:, 3:])], chosen)
    np.testing.assert_array_equal(mixed, slow)
    np.testing.assert_array_equal(slow, panel._scaled([rows[chosen]], np.arange(len(chosen))))


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_second_layers_are_added_up(classes, both_ways):
    panel = Panel.of([random_network(7, classes, seed) for seed in (0, 1)])
    layer = np.random.default_rng(0).normal(size=(9, 16)).astype(np.float32)
    layer[0, 0] = np.nan

    def logits():
        out = np.zeros((classes, 2, 12), np.float32)
        panel._add_up(layer, out[:, :, 3:])
        return out

    fast, slow = both_ways(logits)
    np.testing.assert_array_equal(fast, slow)


PAGES = np.array([0, 0, 1, 3, 3, 40, 400])  # also none, one and two blocks


@pytest.mark.parametrize("seed", range(3))
def test_columns_of_neighbours(both_ways, seed):
    random = np.random.default_rng(seed)
    own = random.normal(0, 30, (len(OWN_NAMES), 400)).astype(np.float32)
    own[random.random(own.shape) < 0.1 * seed] = np.nan
    fast, slow = both_ways(lambda: with_context(own.T, PAGES))
    np.testing.assert_array_equal(fast, slow)


@pytest.mark.parametrize("seed", range(3))
def test_columns_of_surroundings(both_ways, seed):
    random = np.random.default_rng(seed)
    proba = random.dirichlet([0.2, 0.2, 0.1], 400).astype(np.float32)
    n_chars, page = random.integers(1, 300, 400), np.repeat(np.arange(6), np.diff(PAGES))
    holders = np.sort(random.integers(0, 90, (4, 400)), axis=0).T + 100 * page[:, None]
    fast, slow = both_ways(lambda: consensus.columns(proba, n_chars, holders.astype(np.int32), PAGES))
    np.testing.assert_array_equal(fast, slow)
    nothing = np.zeros((0, 3), np.float32), np.zeros(0, int), np.zeros((0, 4), np.int32), np.array([0])
    assert [found.shape for found in both_ways(lambda: consensus.columns(*nothing))] == [(0, len(consensus.NAMES))] * 2


@settings(derandomize=True, deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(
            [
                *"渠水 官网app下载加薇·*❤|，。：:年-/.0９1２\u200b\ufeff\x85𝕒𝟘🎰𠮷－［【!\n",
                "2011-12",
                "09:30",
                "\U0010fffe",
            ]
        ),
        max_size=60,
    ).map("".join)
)
def test_what_stands_in_characters(both_ways, lexicon, text):
    fast, slow = both_ways(lambda: fold_and_tell(code_points(text)))
    assert [column.tolist() for column in fast] == [column.tolist() for column in slow]
    blocks = segment_text(text, title="渠水 官网，２0年")
    fast, slow = both_ways(lambda: [lexicon.find(code_points(text)), np.array(lexicon.hits(blocks)), block_hashes(blocks), shape.columns(blocks), mass.columns(blocks), cues.columns(blocks, lexicon, lexicon.hits(blocks))])  # fmt: skip
    for mine, its in zip(fast, slow, strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("title", ["渠水涨了", "渠水 涨了一 尺_新闻", "尺" * 300])
def test_titles(both_ways, title):
    lines = ["渠水涨了一尺", "渠水涨了", "水涨了一", "渠水 涨了一 尺 2014", "渠水退了", "涨", "尺" * 99, "尺" * 700]
    fast, slow = both_ways(lambda: mass.columns(segment_text("\n".join(lines), title=title)))
    np.testing.assert_array_equal(fast, slow)
    assert fast[:, mass.NAMES.index("title_match")].any()


def test_terms_are_found_the_longest_first():
    tree = compiled.text.Terms(["ab", "abc", "bcd", "𠮷", "", "d"])
    table, codes = np.arange(65536, dtype=np.uint32), code_points("abcdab𠮷x")
    found = tree.find(codes, np.array([0, 5, 8]), table, table[:1], 1 << 20, np.zeros(65536, np.uint8))
    assert found.tolist() == [[1, 0, 0, 3], [5, 0, 3, 4], [3, 1, 1, 2]]
    assert tree.find(codes[:0], np.array([0]), table, table[:1], 1 << 20, np.zeros(65536, np.uint8)).shape == (0, 4)


@pytest.mark.parametrize("offsets", [[], [0, 3], [0, 2, 1], [-1, 1]])
def test_offsets_that_do_not_fit_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets"):
        compiled.text.hash_segments(
            code_points("ab"), np.array(offsets, int), np.ones(8, np.uint64), np.ones(9, np.uint64)
        )


BYTES = [*(bytes([b]) for b in (0, 10, 0x20, 0x30, 0x39, 0x40, 0x7E, 0x7F, 0x80, 0x81, 0xA3, 0xFE, 0xFF)), *("渠水\n".encode(c) for c in ("gbk", "utf-8", "big5")), "🎰\uffff".encode("gb18030"), b"\xfe\x59\xa6\xd9\x81\x30\x81\x30"]  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(BYTES), max_size=40).map(b"".join))
def test_bytes(both_ways, body):
    fast, slow = both_ways(lambda: (_sample(body), _from_gb18030(body, "replace"), _from_gb18030(body, _EURO_HANDLER)))
    assert fast == slow
    assert [compiled.decode.other_lines(body, 30, most) for most in (0, 1, 9)] == [
        b"\n".join(line for line in body[:30].split(b"\n") if not line.isascii())[:most] for most in (0, 1, 9)
    ]


def test_all_pairs_of_bytes():
    pairs = [bytes([a, b]) for a in range(128, 256) for b in range(256)]
    assert [_from_gb18030(pair, "replace") for pair in pairs] == [pair.decode("gb18030", "replace") for pair in pairs]


NESTING = ["<div>", "</div>", "<b>", "</B >", "<td/>", "</TD", "<font\n", "<p>", "<option>", "<x:y a=b>", "</x:y>", "< a", "<", "</", "渠", "<渠>", "<i渠>", "\x85", "𠮷"]  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(NESTING), max_size=60).map("".join))
def test_what_is_counted_of_markup(both_ways, html):
    fast, slow = both_ways(lambda: (_nesting(html), count_han(html)))
    assert fast == slow
    assert compiled.scan.count_tags(html) == (html.count("<"), html.count("</"))


def test_nesting_of_too_many_names(both_ways):
    html = "".join(f"<渠a{i}><a{i}>" for i in range(5000))
    fast, slow = both_ways(lambda: _nesting(html))
    assert fast == slow
    assert fast.depth == 5000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "src",
        "srcdo",
        "a srcdoc",
        "渠srcdoc",
        "𠮷cdoc",
        "srdcoc渠",
        "ssrcdoc" * 99,
        "shadowroot",
        "𠮷shadowroot",
        "wro",
    ],
)
def test_documents_that_may_be_there(text):
    page = compiled.walk.Page(text, _traits(), "", lambda style: False, lambda href, host: False)
    assert page.may_hold_documents == ("cdoc" in text or "wroo" in text)
    assert page.may_hold_documents >= has_documents(text)


@pytest.mark.parametrize("n", [0, 1, 2, 300])
def test_screen(both_ways, n):
    random = np.random.default_rng(n)
    own = np.asfortranarray(
        np.where(random.random((n, 9)) < 0.02, np.nan, random.normal(size=(n, 9)) * 3).astype(np.float32)
    )
    weights = np.float32([1, -2, 0, 0.5, 0, 3, 1, -1, 0])
    screen = Screen(np.full(9, -2, np.float32), np.full(9, 2, np.float32), weights, np.float32([0.25]))
    fast, slow = both_ways(lambda: screen.unclear(own).tolist())
    assert fast == slow


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text("报网站官下载中国人民银行江苏省委bB3.%-+ \r\n\u3000。の𠮷", max_size=40))
def test_words(text):
    words = tokenizer()
    assert compiled.text.cut_words(text, words.FREQ, log(words.total)) == list(words.cut(text, HMM=False))


@pytest.mark.parametrize(
    ("pure", "said"),
    [
        ("", "(inner loops compiled; pages are walked in C over the parser's tree)"),
        ("1", "(inner loops in pure Python; pages are walked in Python over its markup)"),
    ],
)
def test_the_version_says_which_is_in_use(pure, said):
    command = [sys.executable, "-m", "detector", "--version"]
    found = subprocess.run(command, env={**os.environ, "DETECTOR_PURE_PYTHON": pure}, capture_output=True, text=True)
    assert said in found.stdout
