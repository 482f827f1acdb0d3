from __future__ import annotations

import dataclasses

import pytest

from detector.explain import Explanation, RunnerUp, explain, heat_line, record_of, table_of
from detector.lexicon import normalised
from detector.spans import Found

SENTENCE = "记者从盛博汇娱乐官网登录入口委宣传部获悉，全年新建小学三所。"


@pytest.fixture(scope="module")
def found(model, lexicon):
    return explain(SENTENCE, model, lexicon)


def test_an_injected_string_is_found_with_its_place(found):
    (span,) = found.injected
    assert SENTENCE[span.start : span.stop] == "盛博汇娱乐官网登录入口"
    assert span.score >= found.threshold


def test_cues_are_named_by_group_weight_and_place(found, lexicon):
    assert (10, 14, "登录入口", "tail", 1.0) in found.cues
    assert all(normalised(SENTENCE[cue.start : cue.end]) == cue.term for cue in found.cues)


def test_a_term_in_two_groups_is_two_cues(model, lexicon):
    both = [i for i, row in enumerate(lexicon.weight) if (row > 0).sum() == 2]
    term = lexicon.terms[both[0]]
    assert len({cue.group for cue in explain(term, model, lexicon).cues if cue.term == term}) == 2


def test_runners_up_lie_outside_what_was_taken_and_fell_short(model, lexicon):
    found = explain("警方捣毁一个冒充澳门金沙的网络赌博平台，必威等三个网站被关闭。", model, lexicon)
    scores = [other.score for other in found.runners_up]
    assert found.injected == []
    assert scores
    assert scores == sorted(scores, reverse=True)
    assert max(scores) < found.threshold


@pytest.mark.parametrize("text", ["", " ", "渡口停航。"])
def test_a_text_that_sets_nothing_off(model, lexicon, text):
    found = explain(text, model, lexicon)
    assert (found.injected, found.runners_up) == ([], [])
    assert "".join(piece for piece, _ in heat_line(found)) == text
    assert table_of(found)[0].startswith("  nothing injected (taken from 0.")


def test_a_model_without_spans_says_so(model, lexicon):
    found = explain(SENTENCE, dataclasses.replace(model, spans=None), lexicon)
    assert (found.injected, found.threshold) == ([], None)
    assert found.cues
    assert table_of(found)[-1] == "  this model looks for no injected strings"


HAND = Explanation(
    "甲乙丙丁戊己", [], [Found(1, 1, 3, 0.97, "brand", "丙")], [RunnerUp(4, 5, 0.4), RunnerUp(4, 6, 0.2)], 0.9
)


def test_the_heat_line_marks_what_was_taken_and_tells_the_tones():
    assert heat_line(HAND) == [
        ("甲", "plain"),
        ("⟦brand:乙丙⟧", "injected"),
        ("丁", "plain"),
        ("戊", "near"),
        ("己", "plain"),
    ]


def test_the_table():
    assert table_of(HAND) == [
        "  injected        1-3  0.970  brand       乙丙  (cue 丙)",
        "  not taken       4-5  0.400              戊",
        "  not taken       4-6  0.200              戊己",
    ]


def test_the_record():
    record = record_of(HAND)
    assert record["spans"] == [{"start": 1, "end": 3, "text": "乙丙", "kind": "brand", "score": 0.97, "cue": "丙"}]
    assert record["runners_up"][1] == {"start": 4, "end": 6, "text": "戊己", "score": 0.2}
    assert (record["text"], record["cues"], record["threshold"]) == ("甲乙丙丁戊己", [], 0.9)
