from __future__ import annotations

import numpy as np
import pytest

from detector.runs import MAX_RUN, MAX_RUNS, MIN_HEAT, find_runs, heavy_runs, weigh

COLD, HOT = MIN_HEAT - 6, MIN_HEAT + 6


@pytest.mark.parametrize(
    ("hot", "runs"),
    [
        ([-1, 4, 5, -1], [(1, 3, 9)]),
        ([4, -1, 4], [(0, 3, 7)]),  # one cool character inside is not worth a second run
        ([5, -9, 5], [(0, 1, 5), (2, 3, 5)]),
        ([0.5, 1], []),  # less than a run costs
        ([], []),
    ],
)
def test_runs_are_the_heaviest(hot, runs):
    assert heavy_runs([float(h) for h in hot]) == runs


def painted(weighed, string):
    """Heat that is high where a string stands and low elsewhere."""
    hot, at = np.full(len(weighed.hot), COLD, np.float32), weighed.plain.find(string)
    while at >= 0:
        hot[at : at + len(string)] = HOT
        at = weighed.plain.find(string, at + 1)
    return hot


def shown(weighed, runs):
    return [weighed.plain[a:b] for a, b in zip(runs.start, runs.stop, strict=True)]


def test_places_are_those_of_all_texts(model, lexicon):
    pages = [["标题", "昨日阿喏哩召开会议"], ["", "无", "阿喏哩党委"]]
    weighed = weigh(pages, model.spans.heat, lexicon)
    runs = find_runs(weighed, painted(weighed, "阿喏哩"))
    assert shown(weighed, runs) == ["阿喏哩", "阿喏哩"]
    assert runs.text.tolist() == [1, 4]
    assert weighed.page[runs.start].tolist() == [0, 1]


def test_nothing_runs_past_the_end_of_a_clause(model, lexicon):
    weighed = weigh([["", "昨日阿喏哩，阿喏哩召开会议"]], model.spans.heat, lexicon)
    assert shown(weighed, find_runs(weighed, painted(weighed, "阿喏哩，阿喏哩"))) == ["阿喏哩", "阿喏哩"]


def test_a_run_ends_with_its_text(model, lexicon):
    weighed = weigh([["", "召开阿喏", "哩会议"]], model.spans.heat, lexicon)
    hot = painted(weighed, "阿喏")
    hot[weighed.starts[2]] = HOT
    assert shown(weighed, find_runs(weighed, hot))[0] == "阿喏"


def test_what_is_too_long_is_no_string(model, lexicon):
    weighed = weigh([["", "哩" * (MAX_RUN + 1)]], model.spans.heat, lexicon)
    assert shown(weighed, find_runs(weighed, painted(weighed, "哩"))) == []


def test_of_a_page_of_adverts_only_the_hottest_are_judged(model, lexicon):
    weighed = weigh([["", *["昨日阿喏哩召开"] * (MAX_RUNS + 9)], ["", "昨日阿喏哩召开"]], model.spans.heat, lexicon)
    runs = find_runs(weighed, painted(weighed, "阿喏哩"))
    assert np.bincount(weighed.page[runs.start]).tolist() == [MAX_RUNS, 1]


def test_text_set_apart_by_spaces_tells_nothing(model, lexicon):
    weighed = weigh([["", "全 国 各 地 的 春 耕", "全国各地的春耕"]], model.spans.heat, lexicon)
    inside = [weighed.hot[weighed.starts[i] : weighed.starts[i + 1] - 1] for i in (1, 2)]
    assert [bool(np.isfinite(hot).all()) for hot in inside] == [False, True]


@pytest.mark.parametrize("pages", [[[""]], [["", ""], [""]]])
def test_nothing_to_weigh(model, lexicon, pages):
    weighed = weigh(pages, model.spans.heat, lexicon)
    assert len(find_runs(weighed, np.full(len(weighed.hot), HOT, np.float32)).start) == 0
