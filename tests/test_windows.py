from __future__ import annotations

import numpy as np
import pytest
from rough import random_heat, random_network

from detector.background import join
from detector.chars import EDGE_CODE, fold_codes
from detector.network import Panel
from detector.weigh import weigh
from detector.windows import (
    BEHIND,
    COLD,
    FIRST,
    FURTHER,
    MARGIN,
    OUTSIDE,
    TOPICAL,
    WARM,
    WIDTH,
    cold_look,
    judge_windows,
    look_again,
    pairs_in_page,
    warm_zones,
    window_rows,
)

TEXTS = ["昨日召开会议", "", "全县各地的春耕已经开始，村民", "无"]
NETWORKS = Panel.of([random_network(WIDTH, 4, seed) for seed in (0, 1)])


@pytest.fixture(scope="module")
def weighed(lexicon):
    pages = [["标题", "昨日阿喏哩官网召开会议", ""], ["", "全县各地的春耕🎰已经开始"]]
    return weigh(pages, random_heat(), lexicon)


# ---------------------------------------------------------------- where


@pytest.mark.parametrize("seed", range(8))
def test_warm_zones_stay_within_texts_and_margins(seed):
    codes, _ = join(TEXTS)
    random = np.random.default_rng(seed)
    hot = np.where(random.random(len(codes)) < 0.12, WARM + 1, WARM - 1).astype(np.float32)
    hot[random.random(len(codes)) < 0.1] = -np.inf
    hot[codes == EDGE_CODE] = -np.inf
    chosen, warm = warm_zones(hot, np.zeros(len(codes), np.float32), codes), np.flatnonzero(hot > WARM)
    assert np.isfinite(hot[chosen]).all()
    assert set(warm.tolist()) <= set(chosen.tolist())
    assert all(np.abs(warm - at).min() <= MARGIN for at in chosen.tolist())
    assert chosen.tolist() == sorted(set(chosen.tolist()))


@pytest.mark.parametrize(("at", "zone"), [(1, (1, 6)), (9, (5, 14)), (19, (15, 20))])
def test_a_warm_character_warms_those_near_it_but_no_edge(at, zone):
    codes, _ = join(["全县各地的春耕已经开始，村民说今年早"])
    hot = np.full(len(codes), WARM - 1, np.float32)
    hot[at] = WARM + 1
    expected = [i for i in range(*zone) if codes[i] != EDGE_CODE]
    assert warm_zones(hot, np.zeros(len(codes), np.float32), codes).tolist() == expected


def test_where_adverts_are_talked_of_is_warm_however_well_it_fits():
    codes, _ = join(["全县各地的春耕已经开始，村民说今年早"])
    near = np.where(np.arange(len(codes)) == 9, TOPICAL + 1, 0).astype(np.float32)
    assert warm_zones(np.full(len(codes), WARM - 1, np.float32), near, codes).tolist() == list(range(5, 14))


@pytest.mark.parametrize("texts", [[""], TEXTS])
def test_where_nothing_is_warm_nothing_is_looked_at(texts):
    codes, _ = join(texts)
    assert warm_zones(np.full(len(codes), WARM - 1, np.float32), np.zeros(len(codes), np.float32), codes).tolist() == []


# ---------------------------------------------------------------- rows


def repeats(pages, chosen=None):
    """How often each character and the next stand in their page, for pages of one text each."""
    codes, _ = join(pages)
    page = np.cumsum(codes == EDGE_CODE) - 1
    places = np.arange(len(codes)) if chosen is None else chosen(codes)
    counts = 2 ** pairs_in_page(fold_codes(codes), page, places)
    return dict(zip((codes[:-1].tobytes().decode("utf-32-le")), np.round(counts).tolist(), strict=False))


def test_pairs_are_counted_by_page_only():
    together = repeats(["甲乙甲乙丙甲乙", "甲乙"])
    assert repeats(["甲乙甲乙丙甲乙"])["丙"] == 1
    assert together["甲"] == 1  # as it stands in the last page
    assert repeats(["甲乙", "甲乙甲乙丙甲乙"])["甲"] == 3


def test_only_chosen_places_are_counted():
    counts = repeats(["甲乙甲乙"], lambda codes: np.array([3]))
    assert counts["甲"] == 1


def test_rows_have_one_width_and_no_holes(weighed):
    chosen = np.flatnonzero(np.isfinite(weighed.hot))
    rows = window_rows(weighed, chosen)
    assert rows.shape == (len(chosen), WIDTH)
    assert np.isfinite(rows).all()


# ---------------------------------------------------------------- looks


def test_a_cold_look_lets_nothing_begin_and_anything_end():
    look = cold_look(3)
    assert look.inside.tolist() == look.enter.tolist() == look.stay.tolist() == [COLD] * 3
    assert look.leave.tolist() == [0] * 3
    look.enter[0] = 1
    assert look.stay[0] == COLD  # the columns are apart


@pytest.mark.parametrize("tag", [OUTSIDE, FIRST, FURTHER, BEHIND])
@pytest.mark.parametrize("strength", [3, 1000])
def test_what_the_networks_say_is_written_where_they_looked(tag, strength):
    """However sure they are, what they say is finite and tells what was looked at from what was not."""
    network = random_network(5, 4)
    says = (*network.biases[:-1], strength * np.eye(4, dtype=np.float32)[tag])
    network = network._replace(weights=tuple(np.zeros_like(w) for w in network.weights), biases=says)
    look = cold_look(6)
    judge_windows(look, np.array([1, 4]), Panel.of([network]), np.zeros((2, 5), np.float32))
    for column, likely in zip(look, (tag in (FIRST, FURTHER), tag == FIRST, tag == FURTHER), strict=False):
        assert column[[0, 2, 3, 5]].tolist() == [COLD] * 4
        assert np.isfinite(column).all()
        assert (column[[1, 4]] > COLD).all()
        assert ((column[[1, 4]] > 0) == likely).all()
    assert (look.leave[[1, 4]] < 0).all()


def test_what_is_far_from_anything_warm_stays_cold(weighed):
    hot = np.where(np.isfinite(weighed.hot), WARM - 1, -np.inf).astype(np.float32)
    at = int(weighed.starts[1]) + 5
    hot[at] = WARM + 1
    look = look_again(weighed._replace(hot=hot), NETWORKS)
    assert np.flatnonzero(look.inside > COLD).tolist() == list(range(at - MARGIN, at + MARGIN + 1))


def test_a_batch_is_looked_at_as_its_pages_one_by_one(lexicon):
    texts = ["昨日阿喏哩官网召开会议，阿喏哩官网", "全县各地的春耕🎰已经bet365开始", "昨日阿喏哩官网"]
    pages = [[text] for text in texts]
    together = weigh(pages, random_heat(), lexicon)
    looked = look_again(together, NETWORKS)
    assert (looked.inside > COLD).any()
    for number, page in enumerate(pages):
        alone = weigh([page], random_heat(), lexicon)
        mine, its = slice(*together.starts[together.first[number : number + 2]]), slice(*alone.starts[alone.first])
        for a, b in zip(looked, look_again(alone, NETWORKS), strict=True):
            assert a[mine] == pytest.approx(b[its], abs=1e-4)


@pytest.mark.parametrize("pages", [[[""]], [["", ""], [""]]])
def test_nothing_to_look_at(lexicon, pages):
    look = look_again(weigh(pages, random_heat(), lexicon), NETWORKS)
    assert (look.inside == COLD).all()
