from random import Random

import pytest

from detector.augment import TOPICS, brand, expand, inject_blocks, injected_string, obfuscate, spam_line, spam_markup
from detector.segment import segment


@pytest.mark.parametrize(
    "make", [brand, injected_string, spam_line, spam_markup, lambda random: inject_blocks(random, "<p>河湾村通车</p>")]
)
def test_the_same_seed_makes_the_same_spam(make):
    assert make(Random(3)) == make(Random(3))
    assert len({str(make(Random(seed))) for seed in range(20)}) > 15


def test_brands_differ():
    random = Random(0)
    assert len({brand(random) for _ in range(200)}) > 180


@pytest.mark.parametrize("topic", [*sorted(set(TOPICS)), "string"])
@pytest.mark.parametrize("seed", range(4))
def test_no_slot_is_left_open(topic, seed):
    line = expand(Random(seed), topic, "某某")
    assert line
    assert "{" not in line
    assert "}" not in line


def test_the_brand_is_the_one_given():
    assert any("某某牌" in expand(Random(seed), "gambling", "某某牌") for seed in range(5))


@pytest.mark.parametrize("seed", range(8))
def test_obfuscated_text_is_still_there(seed):
    text = "加微信领取体验金"
    broken = obfuscate(Random(seed), text)
    assert [c for c in broken if c in text] == list(text)


@pytest.mark.parametrize("seed", range(12))
def test_injection_adds_blocks_and_takes_none_away(stories, seed):
    html = stories[seed % len(stories)].html
    before, after = segment(html).texts(), segment(inject_blocks(Random(seed), html)).texts()
    assert len(after) > len(before)
    assert set(before) <= set(after)


@pytest.mark.parametrize("html", ["河湾村通车", "", "<body>河湾村", "河湾村<br>通车"])
def test_pages_without_places_get_spam_too(html):
    out = inject_blocks(Random(1), html)
    assert len(out) > len(html)
    assert [c for c in html if c not in out] == []
