from random import Random

import pytest

from detector.augment import (
    OWN_PART,
    SITE_PARTS,
    TOPICS,
    _templates,
    brand,
    expand,
    inject_blocks,
    injected_string,
    obfuscate,
    part_of,
    spam_line,
    spam_markup,
    written_lines,
)
from detector.segment import segment

PARTS = [*range(SITE_PARTS), OWN_PART]


@pytest.mark.parametrize(
    "make",
    [
        brand,
        injected_string,
        lambda random: spam_line(random, 2),
        lambda random: spam_markup(random, 2),
        lambda random: inject_blocks(random, "<p>河湾村通车</p>", 2),
    ],
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
    before, after = segment(html).texts(), segment(inject_blocks(Random(seed), html, seed % SITE_PARTS)).texts()
    assert len(after) > len(before)
    assert set(before) <= set(after)


@pytest.mark.parametrize("html", ["河湾村通车", "", "<body>河湾村", "河湾村<br>通车"])
def test_pages_without_places_get_spam_too(html):
    out = inject_blocks(Random(1), html, 0)
    assert len(out) > len(html)
    assert [c for c in html if c not in out] == []


# ---------------------------------------------------------------- written lines


def test_parts_are_disjoint_and_cover_all_written_lines():
    dealt = [line for part in PARTS for line in written_lines(part)]
    assert sorted(dealt) == sorted(_templates()["written"])
    assert len(set(dealt)) == len(dealt)


def test_no_part_is_empty():
    assert min(len(written_lines(part)) for part in PARTS) > 0


@pytest.mark.parametrize("part", [0, 3, OWN_PART])
def test_lines_of_other_parts_are_never_used(part):
    random = Random(part)
    lines = {line for _ in range(300) for line in (spam_line(random, part), *spam_markup(random, part))}
    mine, others = set(written_lines(part)), {line for other in PARTS if other != part for line in written_lines(other)}
    assert len(lines & mine) > 50
    assert not lines & others


def test_the_part_of_a_site_is_stable():
    """Rows are made on one day and words fitted on another: the part must not hang on the process."""
    sites = ["linhe.example", "qingshan.example", "海滨.example", ""]
    assert [part_of(site) for site in sites] == [2, 2, 1, 0]


def test_sites_are_dealt_to_all_parts_but_our_own():
    assert {part_of(f"{number}.example") for number in range(200)} == set(range(SITE_PARTS))
