"""What is compiled says what Python says, to the last bit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from rough import random_heat, random_network

from detector import compiled
from detector.forest import Forest
from detector.heat import join, measure, measure_and_score, score
from detector.judge import describe
from detector.network import Panel
from detector.runs import find_runs, likely_runs
from detector.weigh import weigh
from detector.windows import WIDTH, look_again

TEXTS = ["昨日阿喏哩官网召开会议，全县的春耕🎰已经开始。", "", "水", "１２ａｂ𝕴𝕵加薇❤信：x9", "渠水涨了一尺" * 40]


@pytest.fixture(autouse=True)
def _needed():
    if compiled.spans is None and not (shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("without a C compiler (apt-get install gcc) there are no compiled parts to compare with")
    assert compiled.spans is not None, "there is a C compiler: install the package again (pip install -e .)"


@pytest.fixture
def both_ways(monkeypatch):
    """Call something with what is compiled and without."""

    def call(function):
        fast = function()
        with monkeypatch.context() as context:
            context.setattr(compiled, "spans", None)
            return fast, function()

    return call


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_heat(size, seed):
    heat, random = random_heat(), np.random.default_rng(seed)
    codes, _ = join(TEXTS[:size])
    cues = np.where(random.random(len(codes)) < 0.1, random.integers(0, 9, len(codes)), 0).astype(np.uint8)
    traits, grams = measure(codes, cues, heat.background)
    fast, total = measure_and_score(codes, cues, heat)
    assert total.tolist() == score(traits, grams, heat).tolist()
    assert np.array_equal(fast.fit, traits.fit)


@pytest.mark.parametrize("seed", range(20))
def test_runs(seed, both_ways):
    random = np.random.default_rng(seed)
    enter, stay, leave = (random.normal(-1, 4, 60).astype(np.float32) for _ in range(3))
    zones = np.array([[0, 1], [3, 20], [20, 20], [25, 60]])
    fast, slow = both_ways(lambda: likely_runs(enter, stay, leave, zones))
    assert fast == slow
    assert fast


def small_forest(random):
    feature, threshold = random.integers(0, 4, (6, 3)).astype(np.int32), random.normal(size=(6, 3))
    left, right = np.tile(np.int32([1, 1, 2]), (6, 1)), np.tile(np.int32([2, 1, 2]), (6, 1))
    return Forest(feature, threshold, left, right, random.normal(size=(6, 3)), np.zeros(1), np.int32([2]))


def test_trees(both_ways):
    random = np.random.default_rng(0)
    forest, rows = small_forest(random), random.normal(size=(50, 4)).astype(np.float32)
    fast, slow = both_ways(lambda: forest.predict_proba(rows).tolist())
    assert fast == slow


@pytest.mark.parametrize("damage", ["feature", "left"])
def test_damaged_trees_lead_nowhere(damage, both_ways):
    forest = small_forest(np.random.default_rng(0))
    forest = forest._replace(**{damage: np.full((6, 3), 9999, np.int32)})
    with pytest.raises(IndexError):
        forest.predict_proba(np.zeros((1, 4), np.float32))


def test_all_steps_up_to_the_candidates(lexicon, both_ways):
    networks = Panel.of([random_network(WIDTH, 4)])

    def candidates():
        weighed = weigh([TEXTS, ["题", *TEXTS[::-1]]], random_heat(0.0), lexicon)
        look = look_again(weighed, networks)
        runs = find_runs(weighed, look)
        return [weighed.hot, *look, *runs, describe(weighed, look, runs)]

    fast, slow = both_ways(candidates)
    assert all(np.array_equal(a, b) for a, b in zip(fast, slow, strict=True))
    assert len(fast[-1])


@pytest.mark.parametrize(("pure", "said"), [("", "compiled"), ("1", "in pure Python")])
def test_the_version_says_which_is_in_use(pure, said):
    command = [sys.executable, "-m", "detector", "--version"]
    found = subprocess.run(command, env={**os.environ, "DETECTOR_PURE_PYTHON": pure}, capture_output=True, text=True)
    assert said in found.stdout
