from __future__ import annotations

from random import Random

import pytest

from detector.inject import inject_strings, inject_title

TEXTS = [
    "昨日上午，临河县教育局召开会议，部署全县小学新建工程。",
    "临河县教育局局长说，今年全县将新增学位两千四百个。",
    "会议还讨论了校车。",
]
LINES = ["无抵押贷款，当天放款，黑户可办", "高仿名表一比一，支持货到付款"]


@pytest.mark.parametrize("seed", range(40))
def test_spans_cover_what_was_written_in(seed):
    """Cutting the spans out leaves no character that was not there before, but for what dresses an advert."""
    for found in inject_strings(Random(seed), TEXTS, LINES):
        for start, stop, _ in found.spans:
            assert 0 <= start < stop <= len(found.text)
            assert found.text[start:stop].strip() == found.text[start:stop]


def test_one_string_serves_the_whole_page():
    copies = [inject_strings(Random(seed), TEXTS) for seed in range(60)]
    several = [c for c in copies if len(c) > 1 and all(k == "brand" for f in c for *_, k in f.spans)]
    assert several
    for copy in several:
        assert len({found.text[a:b] for found in copy for a, b, _ in found.spans}) == 1


def test_adverts_are_clauses_of_lines_that_people_wrote():
    found = [one for seed in range(600) for one in inject_strings(Random(seed), TEXTS, LINES)]
    strings = {
        one.text[a:b].strip("《》()【】「」★👉👈🎰") for one in found for a, b, kind in one.spans if kind == "advert"
    }
    assert {LINES[0], "当天放款", "支持货到付款"} <= strings


def test_the_same_seed_writes_the_same():
    assert inject_strings(Random(3), TEXTS) == inject_strings(Random(3), TEXTS)


@pytest.mark.parametrize("seed", range(10))
def test_a_stuffed_title_keeps_its_title(seed):
    found = inject_title(Random(seed), "南岭水库通过验收")
    ((start, stop, kind),) = found.spans
    assert kind == "brand"
    assert "南岭水库通过验收" in found.text[:start] + found.text[stop:]


def test_texts_without_a_target_are_left_alone():
    assert [inject_strings(Random(seed), ["。"]) for seed in range(20)].count([]) >= 10
