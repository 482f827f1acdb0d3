import dataclasses

import numpy as np
import pytest

from detector import RawPage, detect
from detector.why import MIN_STRENGTH, STRONGEST, reasons_of

BRAND = "泊璟丽国际app官方下载"
SENTENCES = f"<p>记者从{BRAND}委宣传部获悉，全年新建小学三所，警方提醒。<p>{BRAND}办公厅负责人说，资金已经到位。"


@pytest.fixture(scope="module")
def page(model, article):
    (page,) = detect([RawPage.from_html(article.replace("<p>", SENTENCES + "<p>", 1))], model)
    return page


@pytest.fixture(scope="module")
def why(page, model, lexicon):
    return reasons_of(page, model, lexicon)


def test_there_is_one_for_each_block(page, why):
    assert len(why) == len(page.blocks)
    assert [len(one.heat) for one in why] == [len(block.text) for block in page.blocks]


def test_the_strongest_features_come_first(why):
    told = [[abs(f.strength) for f in one.features] for one in why]
    assert all(len(strengths) <= STRONGEST and min(strengths, default=1) >= MIN_STRENGTH for strengths in told)
    assert all(strengths == sorted(strengths, reverse=True) for strengths in told)
    assert any(told)


def test_injected_characters_are_hot(page, why):
    assert page.spans
    for span in (span for span in page.spans if span.block >= 0):
        heat = why[span.block].heat
        inside = heat[span.start : span.end].mean()
        assert inside > np.delete(heat, np.s_[span.start : span.end]).mean() + 3


def test_cues_stand_where_they_say(page, why):
    found = [
        (block.text[cue.start : cue.end], cue) for block, one in zip(page.blocks, why, strict=True) for cue in one.cues
    ]
    assert any(cue.group == "tail" for _, cue in found)
    assert all(cue.end - cue.start == len(text) for text, cue in found)


def test_what_was_taken_was_not_nearly_taken(page, why):
    for number, one in enumerate(why):
        taken = [(s.start, s.end) for s in page.spans if s.block == number]
        assert not any(o.start < end and start < o.end for o in one.nearly for start, end in taken)


def test_a_model_without_spans_has_no_heat(page, model, lexicon):
    bare = reasons_of(page, dataclasses.replace(model, spans=None), lexicon)
    assert all(one.heat.size == 0 and one.nearly == [] for one in bare)


def test_a_page_that_failed_has_no_reasons(model, lexicon):
    (page,) = detect([RawPage.from_html("")], model)
    assert reasons_of(page, model, lexicon) == []
