from __future__ import annotations

import numpy as np
import pytest
from rough import random_heat

from detector.chars import EDGE_CODE
from detector.judge import MAX_PLACES, _repeated, describe
from detector.runs import Runs
from detector.weigh import weigh
from detector.windows import COLD, cold_look

PAGES = [
    ["阿喏哩通水", "昨日阿喏哩官网召开会议，记者从阿喏哩官网获悉", "全县各地的春耕"],
    ["", "泊璟丽bet365（阿喏哩官网）下载，警方打击网络赌博。"],
    ["", "", "渡口阿喏哩官网停航"],
]
PAD = "。" * 3
STRINGS = ("阿喏哩官网", "阿喏哩", "泊璟丽bet000", "渡口")


def candidates(pages, lexicon, strings=STRINGS):
    """Weigh pages, with heat and looks that each character has of itself, and take strings for candidates."""
    weighed = weigh(pages, random_heat(), lexicon)
    codes = weighed.traits.codes
    own = np.where(codes == EDGE_CODE, -np.inf, codes % 13 - 6.0).astype(np.float32)
    weighed, look = weighed._replace(hot=own), cold_look(len(codes))
    warm = np.isfinite(own) & (own > -4)
    for column in look:
        column[warm] = own[warm]
    found = []
    for string in strings:
        at = weighed.plain.find(string)
        while at >= 0:
            found.append((at, at + len(string)))
            at = weighed.plain.find(string, at + 1)
    start, stop = np.array(sorted(found), np.int64).reshape(-1, 2).T
    heat = np.array([np.maximum(own[a:b], COLD).sum() for a, b in sorted(found)], np.float32)
    return weighed, look, Runs(np.searchsorted(weighed.starts, start, "right") - 1, start, stop, heat)


def rows_of(pages, lexicon, strings=STRINGS):
    return describe(*candidates(pages, lexicon, strings))


def test_a_batch_is_described_as_its_pages_one_by_one(lexicon):
    pages = [[PAD + text + PAD for text in page] for page in PAGES]
    apart = [rows_of([page], lexicon) for page in pages]
    np.testing.assert_allclose(rows_of(pages, lexicon), np.concatenate(apart), rtol=1e-5, atol=1e-5)
    assert len({row.tobytes() for part in apart for row in part}) == sum(map(len, apart))


def test_nothing_is_infinite_or_missing(lexicon):
    rows = rows_of(PAGES, lexicon)
    assert len(rows) == 11
    assert np.isfinite(rows).all()


@pytest.mark.parametrize(
    "page",
    [
        ["阿喏哩"],
        ["阿"],
        ["", "哩"],
        ["", "", "阿喏哩", ""],
        ["", "阿喏哩阿喏哩"],
        ["", "𠮷阿喏哩👉"],
        ["", "::"],
        ["", " "],
    ],
)
def test_texts_that_are_all_candidate_are_described(lexicon, page):
    shown = next(text for text in page if text)
    rows = rows_of([page], lexicon, (shown,))
    assert len(rows) == 1
    assert np.isfinite(rows).all()


def test_no_candidates_have_no_rows(lexicon):
    assert len(rows_of(PAGES, lexicon, ())) == 0


@pytest.mark.parametrize(
    ("page", "title_end", "expected"),
    [
        ("昨日阿喏哩召开，记者从阿喏哩获悉", 0, (2, 1, 1, 0)),
        ("在阿喏哩党委，在阿喏哩党校", 0, (2, 0.5, 0.5, 0)),
        ("阿喏哩通水。在阿喏哩", 5, (2, 1, 1, 1)),
        ("渡口停航", 0, (0, 0, 0, 0)),
        ("阿喏哩" * 99, 0, (MAX_PLACES, 2 / MAX_PLACES, 1 / MAX_PLACES, 0)),
    ],
)
def test_other_places_of_a_string_are_counted_with_their_surroundings(page, title_end, expected):
    times, before, after, in_title = _repeated(page, "阿喏哩", title_end)
    assert (round(np.expm1(times)), before, after, in_title) == pytest.approx(expected)


@pytest.mark.parametrize("key", ["", "哩"])
def test_single_characters_recur_anyway(key):
    assert _repeated("哩哩哩", key, 0) == [0, 0, 0, 0]
