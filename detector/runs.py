"""Candidates for injected strings: hot stretches, cut out of the characters of a batch of pages."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.chars import is_any_of
from detector.weigh import Weighed
from detector.windows import COLD, Look

RUN_BONUS = 5.0  # log odds that a run is given: a candidate need not be likely to be worth judging
MAX_STRENGTH = (
    7.0  # log odds that one character can count for or against a run; more than the bonus, lest every one open a run
)
MAX_RUN = 80  # characters; a longer run is a matter for block labels
MAX_RUNS = 200  # of one page that are judged
CLAUSE_ENDS = "，。；！？"  # nothing goes on past them but an advert, in pieces


class Runs(NamedTuple):
    """Candidates, in reading order: characters ``start`` to ``stop``, in text number ``text`` of all; (m,) each."""

    text: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    heat: NDArray[np.float32]  # the sum over the run

    def take(self, keep: NDArray[np.bool_]) -> Runs:
        """Take some of them."""
        return Runs(self.text[keep], self.start[keep], self.stop[keep], self.heat[keep])


def find_runs(weighed: Weighed, look: Look) -> Runs:
    """Cut out the candidates, at most `MAX_RUNS` of a page."""
    ends = is_any_of(weighed.traits.codes, CLAUSE_ENDS)
    enter, stay = (np.clip(column, -MAX_STRENGTH, MAX_STRENGTH) for column in (look.enter, look.stay))
    enter[ends] = stay[ends] = COLD
    leave = np.where(ends, 0, np.maximum(look.leave, -MAX_STRENGTH))
    found = likely_runs(enter, stay, leave, _zones(look))
    table = np.array([row for row in found if row[1] - row[0] <= MAX_RUN], np.float64).reshape(-1, 3)
    start, stop = table[:, :2].T.astype(np.int64)
    text = np.searchsorted(weighed.starts, start, "right") - 1
    return _hottest(Runs(text, start, stop, table[:, 2].astype(np.float32)), weighed.page[start])


def _zones(look: Look) -> NDArray[np.int64]:
    """Find the stretches of characters that were looked at again, with the one behind each, int64 (k, 2)."""
    looked = np.concatenate([[False], look.inside > COLD, [False]])
    edges = np.flatnonzero(looked[1:] != looked[:-1])
    return np.column_stack([edges[::2], np.minimum(edges[1::2] + 1, len(look.inside))])


def likely_runs(
    enter: NDArray[np.float32], stay: NDArray[np.float32], leave: NDArray[np.float32], zones: NDArray[np.int64]
) -> list[tuple[int, int, float]]:
    """Split zones into runs by the likeliest path (Viterbi with two states); start, stop and log odds of each.

    A run from ``a`` to ``b`` has the log odds ``enter[a] + sum(stay[a + 1:b]) + leave[b]``, and `RUN_BONUS` for free.
    """
    if compiled.loops is not None:
        found: list[tuple[int, int, float]] = compiled.loops.likely_runs(enter, stay, leave, zones, RUN_BONUS)
        return found
    out = []
    for begin, end in zones.tolist():
        stretch = (column[begin:end].tolist() for column in (enter, stay, leave))
        out += [(begin + a, begin + b, heat) for a, b, heat in _runs_of_zone(*stretch)]
    return out


def _runs_of_zone(enter: list[float], stay: list[float], leave: list[float]) -> list[tuple[int, int, float]]:
    outside, inside = 0.0, -np.inf
    came = []
    for first, further, behind in zip(enter, stay, leave, strict=True):
        begins, ends = outside + first + RUN_BONUS, inside + behind
        came.append((begins > inside + further, ends > outside))
        outside, inside = max(outside, ends), max(begins, inside + further)
    within, stop, out = inside > outside, len(enter), []
    for i in range(len(enter) - 1, -1, -1):
        begun, ended = came[i]
        if within and begun:
            behind = leave[stop] if stop < len(leave) else 0.0
            out.append((i, stop, enter[i] + _total(stay[i + 1 : stop]) + behind))
            within = False
        elif not within and ended:
            within, stop = True, i
    return out[::-1]


def _total(values: list[float]) -> float:
    """Add up one by one: what `sum` does with rounding errors depends on the version of Python."""
    total = 0.0
    for value in values:
        total += value
    return total


def _hottest(runs: Runs, page: NDArray[np.int64]) -> Runs:
    """Keep the hottest runs of each page: a page of nothing but adverts need not be judged to its end."""
    crowded = np.flatnonzero(np.bincount(page) > MAX_RUNS)
    keep = np.ones(len(page), bool)
    for number in crowded.tolist():
        mine = np.flatnonzero(page == number)
        keep[np.sort(mine[np.argsort(-runs.heat[mine], kind="stable")[MAX_RUNS:]])] = False
    return runs.take(keep)
