import json
from pathlib import Path

import numpy as np
import pytest

from detector.blocks import RawPage
from detector.errors import PageError
from detector.labels import Label
from detector.pipeline import SUMMARY, Span, _acquit, _convict, detect, segment_page, segment_pages
from detector.repeats import count_repeats
from detector.segment import segment_html, segment_lines
from detector.writers import record_of

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def pages(stories):
    """Good pages of both kinds with bad ones first, last and between."""
    good = [story.page for story in stories]
    text = RawPage.from_text("渡口停航公告\n因水位上涨，渡口自今日起停航，恢复时间另行通知。", page_id="text")
    bad = [
        RawPage("empty", b""),
        RawPage("binary", b"\x89PNG\r\n\x1a\n"),
        RawPage.from_html("<html><body><script>1</script></body></html>", page_id="no text"),
        RawPage("lost", b"", problem=("missing", "lost: No such file")),
    ]
    return [bad[0], *good[:3], bad[1], bad[2], text, *good[3:], bad[3]]


def plain(verdicts):
    return [(v.page_id, v.verdict, v.reasons, v.text, v.label.tolist(), v.error) for v in verdicts]


def test_one_verdict_a_page_in_input_order(pages, tiny_model):
    verdicts = list(detect(pages, tiny_model))
    assert [v.page_id for v in verdicts] == [page.page_id for page in pages]
    failed = {v.page_id: v.error[0] for v in verdicts if v.error}
    assert failed == {"empty": "empty", "binary": "not_text", "no text": "no_text", "lost": "missing"}


@pytest.mark.parametrize("batch_pages", [1, 2, 5, 100])
def test_a_batch_equals_its_pages_one_by_one(pages, tiny_model, batch_pages):
    apart = [verdict for page in pages for verdict in detect([page], tiny_model)]
    assert plain(detect(pages, tiny_model, batch_pages=batch_pages)) == plain(apart)


def test_a_batch_says_what_its_pages_alone_say_to_the_last_bit(model):
    """All pages that were written for the project, with the released model; so workers and clusters need not agree on batches."""
    paths = sorted((ROOT / "labeled" / "pages").glob("*/*.html"))
    pages = [RawPage(path.stem, path.read_bytes()) for path in paths]
    apart = [verdict for page in pages for verdict in detect([page], model)]
    for one, two in zip(detect(pages, model, batch_pages=23), apart, strict=True):
        assert record_of(one) == record_of(two)
        np.testing.assert_array_equal(one.proba, two.proba)


def test_a_batch_equals_its_pages_one_by_one_with_a_table(stories, tiny_model):
    pages = [story.page._replace(url=f"http://site{i % 2}.cn/{i}") for i, story in enumerate(stories)]
    table = count_repeats((page.blocks, [page.site]) for page in segment_pages(pages, on_loss=pytest.fail))
    apart = [verdict for page in pages for verdict in detect([page], tiny_model, repeats=table)]
    assert plain(detect(pages, tiny_model, repeats=table)) == plain(apart)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_permuting_pages_permutes_verdicts(pages, tiny_model, seed):
    order = np.random.default_rng(seed).permutation(len(pages))
    straight = plain(detect(pages, tiny_model))
    assert plain(detect([pages[i] for i in order], tiny_model)) == [straight[i] for i in order]


def test_only_failures_are_fine_too(tiny_model):
    (verdict,) = detect([RawPage("empty", b" ")], tiny_model)
    assert (verdict.verdict, verdict.reasons, verdict.text, verdict.blocks) == ("drop", ["empty"], "", [])


def test_no_pages_no_verdicts(tiny_model):
    assert list(detect([], tiny_model)) == []


def test_pages_are_taken_as_they_are_needed(stories, tiny_model):
    source = iter([story.page for story in stories])
    next(detect(source, tiny_model, batch_pages=2))
    assert len(list(source)) == len(stories) - 2


@pytest.mark.parametrize("number", range(8))
def test_what_it_was_trained_on_it_tells(stories, tiny_model, number):
    (verdict,) = detect([stories[number].page], tiny_model)
    assert verdict.verdict == "keep"
    assert set(stories[number].content[1:]) <= set(verdict.text.splitlines())
    assert "首页" not in verdict.text


def test_text_is_the_content_blocks(stories, tiny_model):
    (verdict,) = detect([stories[0].page], tiny_model)
    assert verdict.text == "\n".join(block.text for block in verdict.blocks if block.label == "content")


def test_blocks_say_where_they_stand(tiny_model):
    html = "<html>\n<body>\n<p>渡口的船工回忆说，那年的大水\n漫过了石阶。</p>\n\n<td>打印</td><p>打印</p>"
    (verdict,) = detect([RawPage.from_html(html)], tiny_model)
    assert [(block.tag, block.line, block.repeats) for block in verdict.blocks] == [
        ("p", 3, 1),
        ("body", 6, 2),
        ("p", 6, 2),
    ]
    assert all(sum(block.scores.values()) == pytest.approx(1, abs=1e-5) for block in verdict.blocks)


def test_the_second_copy_of_the_body_is_cut(stories, tiny_model):
    story = stories[0]
    twice = story.html.replace(
        "</div></body>", "</div>" + "".join(f"<p>{text}</p>" for text in story.content[1:]) + "</body>"
    )
    (verdict,) = detect([story.page._replace(body=twice)], tiny_model)
    paragraphs = story.content[1:]
    assert [twice.count(text) for text in paragraphs] == [2, 2, 2]
    assert [verdict.text.count(text) for text in paragraphs] == [1, 1, 1]
    assert "body_twice" in verdict.reasons


@pytest.mark.parametrize(("share", "dropped"), [(0, False), (5, True)])
def test_text_beyond_repair_is_dropped(share, dropped, tiny_model):
    sentence = "渡口停航，水位仍在上涨，沿岸各村已经接到通知。"
    html = f"<p>{sentence}{chr(0xFFFD) * share}</p>" * 4
    (verdict,) = detect([RawPage.from_html(html)], tiny_model)
    assert ("mojibake" in verdict.reasons) == dropped


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://news.hewan.com.cn/a.html", "hewan.com.cn"),
        pytest.param(
            "http://10.0.0.7/a",
            "10.0.0.7",
        ),
        (None, None),
        ("无", None),
    ],
)
def test_site_is_the_registered_domain(url, site, tiny_model):
    (verdict,) = detect([RawPage.from_text("一行", url=url)], tiny_model)
    assert verdict.site == site


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (RawPage("a", b""), "empty"),
        (RawPage("a", b"%PDF-1.4"), "not_text"),
        (RawPage.from_text("\n \u3000\n"), "empty"),
        (RawPage.from_html("<title>只有题目</title>"), "no_text"),
        (RawPage("a", b"", problem=("too_large", "a: more than 16 MB")), "too_large"),
    ],
)
def test_a_page_that_fails_says_why(page, code):
    with pytest.raises(PageError) as caught:
        segment_page(page)
    assert caught.value.code == code


def test_a_record_with_a_blank_title_does_not_end_the_run(tiny_model):
    (verdict,) = detect([RawPage.from_text("河湾村通车\n今日起通车。", title=" ")], tiny_model)
    assert verdict.error is None


# ---------------------------------------------------------------- what a page says of itself

PARAGRAPHS = (
    "县水务局昨日通报，杨家渡水库除险加固工程通过验收，下游三个乡镇的灌溉用水有了保障。",
    "工程去年九月开工，加固坝体四百二十米，更换闸门六扇，总投资三千一百万元。",
)


def stating(description, paragraphs=PARAGRAPHS):
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return RawPage.from_html(
        f'<title>杨家渡水库除险加固工程通过验收</title><meta name="Description" content="{description}">'
        f"<body><h1>杨家渡水库除险加固工程通过验收</h1><article>{body}</article></body>"
    )


@pytest.mark.parametrize(
    ("description", "stuffed"),
    [
        ("水库,水务局,除险加固,灌溉", False),
        ("杨家渡水库除险加固工程通过验收，总投资三千一百万元。", False),
        ("澳门新葡京官网_新葡京娱乐场app下载_葡京棋牌登录入口", True),
    ],
)
def test_a_stuffed_description_is_a_reason(description, stuffed, model):
    (verdict,) = detect([stating(description)], model)
    assert ("stuffed_description" in verdict.reasons) == stuffed
    assert verdict.verdict == ("clean" if stuffed else "keep")


def test_what_was_injected_into_the_page_is_found_in_its_description(model):
    brand = "泊璟丽国际app官方下载"
    texts = [text.replace("县水务局", f"{brand}水务局").replace("工程去年", f"{brand}去年") for text in PARAGRAPHS]
    (verdict,) = detect([stating(f"{brand}水务局昨日通报。", texts)], model)
    assert {(s.start, s.end) for s in verdict.spans if s.block == SUMMARY} == {(0, len(brand))}


# ---------------------------------------------------------------- honest lines

CASES = Path(__file__).parent / "cases"
HONEST = [json.loads(line)["text"] for line in (CASES / "negative.jsonl").read_text("utf-8").splitlines()]
KNOWN_FALSE_ALARMS = {
    "欧赔走势：埃因霍温主胜水位持续下调，盘口由平半升至一球",  # odds that a sports page prints
    "本报数字版免费阅读，手机版、电脑版、App同步更新，订阅热线见今日四版。",  # a newspaper's own advert
}


def test_honest_sentences_come_out_untouched(model):
    verdicts = detect((RawPage.from_text(text) for text in HONEST), model)
    touched = {t for t, v in zip(HONEST, verdicts, strict=True) if (v.verdict, v.text) != ("keep", t)}
    assert touched == KNOWN_FALSE_ALARMS


HONEST_REST = "泊璟丽官网委宣传部今日公布，全县新建小学三所，校舍将在明年开学前交付使用。"


@pytest.mark.parametrize(
    ("make", "spam", "label"),
    [(segment_html, 0.6, Label.CONTENT), (segment_html, 0.95, Label.SPAM), (segment_lines, 0.99, Label.CONTENT)],
)
def test_a_block_with_honest_words_is_acquitted_unless_the_page_makes_it_sure(make, spam, label, model):
    blocks = make(HONEST_REST)
    found, proba = np.array([Label.SPAM], np.int8), np.float32([[0.8 * (1 - spam), 0.2 * (1 - spam), spam]])
    _acquit(blocks, found, proba, [Span(0, 0, 5, "brand", 0.99, None)], model.words)
    assert found.tolist() == [label]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("泊璟丽官网，百家乐真人荷官在线发牌，老虎机爆大奖提现秒到账", Label.SPAM),
        (HONEST_REST, Label.CHROME),
        ("泊璟丽官网：报", Label.SPAM),
    ],
)
def test_a_block_is_convicted_by_its_injected_strings_or_the_words_beside_them(text, label, model):
    found = np.array([Label.CHROME], np.int8)
    _convict(segment_html(text), found, [Span(0, 0, 5, "brand", 0.99, None)], model.words)
    assert found.tolist() == [label]


@pytest.mark.parametrize(
    ("line", "kept"), [("泊璟丽国际app官方下载：报名", False), ("泊璟丽国际app官方下载委宣传部今日公布了名单", True)]
)
def test_a_block_that_is_injected_but_for_a_word_is_spam(line, kept, model):
    story = (
        "记者从泊璟丽国际app官方下载委宣传部获悉，全年新建小学三所。泊璟丽国际app官方下载办公厅负责人说，资金已到位。"
    )
    (verdict,) = detect([RawPage.from_text(f"{story}\n{line}\n{story[:30]}。")], model)
    assert [block.label for block in verdict.blocks] == ["content", "content" if kept else "spam", "content"]
    assert "泊璟丽" not in verdict.text
    assert ("报名" in verdict.text, "公布" in verdict.text) == (False, kept)
