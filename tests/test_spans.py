from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from detector.blocks import RawPage
from detector.chars import code_points, fold_codes
from detector.pipeline import detect
from detector.spans import Found, _common_string, _merged, echoes, find_spans

CASES = Path(__file__).parent / "cases"
HONEST = [json.loads(line)["text"] for line in (CASES / "negative.jsonl").read_text("utf-8").splitlines()]


def shown(pages, model, lexicon):
    found = find_spans(pages, model.spans, lexicon)
    return [[page[f.text][f.start : f.stop] for f in spans] for page, spans in zip(pages, found, strict=True)]


def test_a_repeated_string_is_widened_to_what_all_places_share():
    texts = ["昨日阿喏哩官网党委召开会议", "记者从阿喏哩官网获悉"]
    assert _common_string(texts, "阿喏哩") == "阿喏哩官网"


def test_a_string_that_stands_once_stays_as_it_is():
    assert _common_string(["昨日阿喏哩官网召开会议"], "阿喏哩") == "阿喏哩"


def test_marks_that_touch_are_joined():
    assert _merged([(5, 8, 0.5), (0, 3, 0.9), (2, 5, 0.7)], "阿喏哩官网登录入口") == [(0, 8, 0.9)]


def test_marks_that_a_word_sets_apart_stay_apart():
    assert len(_merged([(0, 1, 0.5), (2, 3, 0.9)], "甲和甲")) == 2
    assert len(_merged([(0, 1, 0.5), (2, 3, 0.9)], "甲，甲")) == 1


def test_echoes_are_found_once_each_the_longest_first():
    found = Found(1, 0, 5, 0.9, "brand", None)
    places = echoes("阿喏哩官网和阿喏哩", {"阿喏哩": found, "阿喏哩官网": found, "哩": found})
    assert [place for place, _ in places] == [(0, 5), (6, 9)]


def test_a_brand_in_the_place_of_a_name_is_found_everywhere(model, lexicon):
    """A brand that no list holds, with a tail, in a county's place."""
    brand = "泊璟丽国际app官方下载"
    page = [
        "",
        f"记者昨日从{brand}委宣传部获悉，全年新建小学三所。",
        "县里将拿出两千万元。",
        f"{brand}办公厅负责人说，资金已到位。",
    ]
    assert shown([page], model, lexicon) == [[brand, brand]]


def test_a_batch_equals_its_pages_one_by_one(model, lexicon):
    pages = [
        ["", "会议由华庭汇娱乐官网登录入口办公厅主持，各镇参加。"],
        ["", "渠水涨了一尺。"],
        ["水库通过验收", "下游的田不用再抽水。"],
    ]
    together = find_spans(pages, model.spans, lexicon)
    alone = [find_spans([page], model.spans, lexicon)[0] for page in pages]
    assert together == alone


@pytest.mark.parametrize("text", HONEST)
def test_honest_sentences_are_left_alone(model, lexicon, text):
    assert shown([["", text]], model, lexicon) == [[]]


def test_spans_point_into_the_text_as_shown(model):
    """Astral characters before the string: offsets are code points, not UTF-16 units."""
    brand = "华庭汇娱乐app官方下载"
    text = f"𠮷林县👉记者从{brand}党委获悉，{brand}党委书记一行到校调研，{brand}办公厅负责人参加了会议。"
    page = next(iter(detect([RawPage.from_text(text)], model)))
    assert {page.blocks[0].text[s.start : s.end] for s in page.spans} == {brand}
    assert brand not in page.text


def test_nothing_in_nothing_out(model, lexicon):
    assert find_spans([], model.spans, lexicon) == []
    assert find_spans([[""]], model.spans, lexicon) == [[]]


def test_folding_keeps_places():
    text = "ｂｅｔ３６５與𝐛𝐞𝐭"
    assert len(fold_codes(code_points(text))) == len(text)
    assert np.all(fold_codes(code_points("臺")) == ord("台"))
