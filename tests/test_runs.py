from __future__ import annotations

import numpy as np
import pytest
from rough import random_heat

from detector.runs import MAX_RUN, MAX_RUNS, RUN_BONUS, find_runs, likely_runs
from detector.weigh import weigh
from detector.windows import COLD, cold_look

NO, HOT = COLD, 6.0


@pytest.mark.parametrize(
    ("enter", "stay", "leave", "runs"),
    [
        ([NO, 2, NO, NO], [NO, NO, 3, NO], [0, 0, 0, 1], [(1, 3, 6)]),
        ([2, NO], [NO, 3], [0, 0], [(0, 2, 5)]),  # to the end of the zone
        ([2, NO, NO, 2, NO], [NO, 2, NO, NO, 2], [0] * 5, [(0, 2, 4), (3, 5, 4)]),
        ([2, NO, 1], [NO, -1, 2], [0, -7, 0], [(0, 3, 3)]),  # one cool character inside is not worth a second run
        ([2, NO, 2], [NO, -9, 2], [0, 1, 0], [(0, 1, 3), (2, 3, 2)]),
        ([2, 2, 2], [2, 2, 2], [0, -9, -9], [(0, 3, 6)]),
        ([1 - RUN_BONUS], [NO], [0], [(0, 1, 1 - RUN_BONUS)]),  # not likely, but worth judging
        ([-1 - RUN_BONUS], [NO], [0], []),
        ([NO, NO], [5, 5], [0, 0], []),  # nothing goes on that did not begin
        ([], [], [], []),
    ],
)
def test_runs_are_the_likeliest(enter, stay, leave, runs):
    columns = (np.array(column, np.float32) for column in (enter, stay, leave))
    assert likely_runs(*columns, np.array([[0, len(enter)]])) == runs


@pytest.fixture
def weighed_of(lexicon):
    return lambda pages: weigh(pages, random_heat(), lexicon)


def painted(weighed, *strings):
    """A look that is sure of strings wherever they stand, and cold elsewhere."""
    look = cold_look(len(weighed.hot))
    look.leave[:] = -HOT
    for string in strings:
        at = weighed.plain.find(string)
        while at >= 0:
            look.inside[at : at + len(string)] = look.stay[at + 1 : at + len(string)] = HOT
            look.enter[at], look.leave[at + len(string)] = HOT, HOT
            at = weighed.plain.find(string, at + len(string))
    return look


def shown(weighed, runs):
    return [weighed.plain[a:b] for a, b in zip(runs.start, runs.stop, strict=True)]


def test_places_are_those_of_all_texts(weighed_of):
    weighed = weighed_of([["标题", "昨日阿喏哩召开会议"], ["", "无", "阿喏哩党委"]])
    runs = find_runs(weighed, painted(weighed, "阿喏哩"))
    assert shown(weighed, runs) == ["阿喏哩", "阿喏哩"]
    assert runs.text.tolist() == [1, weighed.first[1] + 2]
    assert weighed.page[runs.start].tolist() == [0, 1]
    assert (runs.heat > HOT).all()


def test_runs_beside_one_another_are_told_apart(weighed_of):
    weighed = weighed_of([["", "昨日阿喏哩和泊璟丽召开会议"]])
    assert shown(weighed, find_runs(weighed, painted(weighed, "阿喏哩", "泊璟丽"))) == ["阿喏哩", "泊璟丽"]


def test_nothing_runs_past_the_end_of_a_clause(weighed_of):
    weighed = weighed_of([["", "昨日阿喏哩，阿喏哩召开会议"]])
    look = painted(weighed, "阿喏哩,阿喏哩")  # as it is folded
    look.enter[:] = np.where(look.inside > COLD, HOT, COLD)
    assert shown(weighed, find_runs(weighed, look)) == ["阿喏哩", "阿喏哩"]


def test_a_run_ends_with_its_text(weighed_of):
    weighed = weighed_of([["", "召开阿喏", "哩会议"]])
    assert shown(weighed, find_runs(weighed, painted(weighed, "阿喏", "哩"))) == ["阿喏", "哩"]


@pytest.mark.parametrize(("size", "n"), [(MAX_RUN, 1), (MAX_RUN + 1, 0)])
def test_what_is_too_long_is_no_string(weighed_of, size, n):
    weighed = weighed_of([["", "哩" * size]])
    assert len(find_runs(weighed, painted(weighed, "哩" * size)).start) == n


def test_of_a_page_of_adverts_only_the_hottest_are_judged(weighed_of):
    weighed = weighed_of([["", *["昨日阿喏哩召开"] * (MAX_RUNS + 9)], ["", "昨日阿喏哩召开"]])
    look = painted(weighed, "阿喏哩")
    look.enter[weighed.starts[3] + 2] += 0.5
    runs = find_runs(weighed, look)
    assert np.bincount(weighed.page[runs.start]).tolist() == [MAX_RUNS, 1]
    assert 3 in runs.text
    assert runs.start.tolist() == sorted(runs.start.tolist())


def test_a_look_that_is_cold_finds_nothing(weighed_of):
    weighed = weighed_of([["标题", "昨日阿喏哩召开会议"]])
    assert shown(weighed, find_runs(weighed, cold_look(len(weighed.hot)))) == []


@pytest.mark.parametrize("pages", [[[""]], [["", ""], [""]]])
def test_nothing_to_weigh(weighed_of, pages):
    weighed = weighed_of(pages)
    assert len(find_runs(weighed, painted(weighed, "哩")).start) == 0
