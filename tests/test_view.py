import re

import numpy as np
import pytest

from detector import RawPage, detect
from detector.view import IN_WORDS, write_view
from detector.why import reasons_of

BRAND = "泊璟丽国际app官方下载"
HOSTILE = (
    "<p>&lt;script&gt;document.title = 'ran'&lt;/script&gt;河湾村的渠道今年春天修好了，下游三万亩农田恢复了灌溉。"
    '<p>"&gt;&lt;img src=http://evil.example/x onerror=alert(1)&gt;他说水来了，今年夏灌不用再抽水了。\u202e倒'
)


def view_of(html, model, lexicon, **more):
    (page,) = detect([RawPage.from_html(html, page_id="a<b>", url="http://x.example/")], model)
    return "".join(write_view(page, reasons_of(page, model, lexicon), judged_by="news_v1", **more))


@pytest.fixture(scope="module")
def tampered(article):
    return (
        article.replace("昨日，", f"{BRAND}县委说，昨日，")
        .replace("“今年", f"{BRAND}镇政府说，“今年")
        .replace("<p>", HOSTILE + "<p>", 1)
    )


@pytest.fixture(scope="module")
def shown(tampered, model, lexicon):
    return view_of(tampered, model, lexicon)


def test_every_block_stands_in_the_colour_of_its_label(shown, tampered, model):
    (page,) = detect([RawPage.from_html(tampered)], model)
    assert re.findall(r'class="block (\w+)[ \w]*" id="b(\d+)"', shown) == [
        (block.label, str(number)) for number, block in enumerate(page.blocks)
    ]


def test_injected_strings_are_marked_and_listed(shown):
    assert re.search(rf"<mark title=\"brand [\d.]+\">{BRAND}</mark>", shown)
    assert re.search(rf"<td><mark><bdi>{BRAND}</bdi></mark><td>brand<td>", shown)
    assert IN_WORDS["injected_span"] in shown


def test_nothing_of_the_page_is_markup(shown):
    tags = set(re.findall(r"<([a-z0-9]+)", shown))
    assert not tags & {"script", "img", "iframe", "link", "object", "svg"}
    assert "a&lt;b&gt;" in shown
    assert "default-src 'none'" in shown
    assert not re.search(r"(href|src)=.http", shown)


def test_why_is_told(shown):
    assert "in log odds" in shown
    assert '<p class="heat">' in shown
    assert re.search(r"<li><bdi>版权所有</bdi> <i>legal", shown)


def test_what_people_said_is_marked(article, model, lexicon):
    (page,) = detect([RawPage.from_html(article)], model)
    truth = page.label.copy()
    truth[0] = (truth[0] + 1) % 3
    truth[1] = -1
    text = "".join(write_view(page, truth=truth))
    assert text.count("people: ") == 1
    assert "people disagree</b> on 1" in text
    assert '<details class="block' not in text  # nothing to unfold without reasons


def test_a_page_that_failed_says_so(model, lexicon):
    text = view_of("", model, lexicon)
    assert 'class="error"' in text
    assert "<main" in text


def test_a_second_copy_is_told(article, model, lexicon):
    body = re.search(r"<p>本报讯.*?</div>", article, re.S).group()
    assert " copy" in view_of(article.replace('<div class="footer">', body + '<div class="footer">'), model, lexicon)


def test_numbers_fit_their_blocks(article, model):
    (page,) = detect([RawPage.from_html(article)], model)
    with pytest.raises(ValueError, match="zip"):
        "".join(write_view(page, truth=np.zeros(1, np.int8)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(shown, browser, tmp_path, scheme):
    (tmp_path / "page.html").write_text(shown, "utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 900, "height": 700})
    page, asked, errors = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.goto((tmp_path / "page.html").as_uri())
    assert len(asked) == 1  # the file itself
    assert errors == []
    assert page.title().startswith("clean")  # no script of the page has run
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.uncheck("#show-chrome")
    assert not page.is_visible(".block.chrome")
    page.click(".block.content summary")
    assert page.is_visible(".block.content[open] .why")
    red, green, blue = map(
        int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    )
    assert (red + green + blue < 150) == (scheme == "dark")
    assert page.pdf().startswith(b"%PDF")
    context.close()
