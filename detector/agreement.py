"""How far annotators agree, and where they do not.

Cohen's kappa: agreement beyond what two people would reach who label at random, each with their own shares of the classes
(Cohen, "A coefficient of agreement for nominal scales", 1960). By class it is that of the two answers "this" and "not this".
A repeated block counts once a site: a menu that both called chrome on five hundred pages is one agreement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.answers import Answer, Place, by_place
from detector.labels import LABEL_NAMES, label_of


class Agreement(NamedTuple):
    """Two annotators: counts int64 (3, 3), rows the first one's labels, columns the second's, in `Label` order."""

    first: str
    second: str
    counts: NDArray[np.int64]

    @property
    def blocks(self) -> int:
        """How many different blocks both have labelled."""
        return int(self.counts.sum())

    @property
    def share(self) -> float:
        """Share of these blocks that got one label; NaN where there are none."""
        return float(np.trace(self.counts)) / self.blocks if self.blocks else float("nan")

    @property
    def kappa(self) -> float:
        """Cohen's kappa over the three classes."""
        return kappa(self.counts)

    @property
    def by_class(self) -> dict[str, float]:
        """Cohen's kappa of each class against the others."""
        return {name: kappa(_one_against_rest(self.counts, i)) for i, name in enumerate(LABEL_NAMES)}


def kappa(counts: NDArray[np.int64]) -> float:
    """Return Cohen's kappa of a square table of counts; NaN where chance alone would agree on everything.

    Examples
    --------
    >>> kappa(np.array([[20, 5], [10, 15]]))
    0.4
    """
    total = counts.sum()
    if not total:
        return float("nan")
    seen = np.trace(counts) / total
    chance = (counts.sum(axis=0) @ counts.sum(axis=1)) / total**2
    return round(float((seen - chance) / (1 - chance)), 4) if chance < 1 else float("nan")


def _one_against_rest(counts: NDArray[np.int64], i: int) -> NDArray[np.int64]:
    here, row, column = counts[i, i], counts[i].sum(), counts[:, i].sum()
    return np.array([[here, row - here], [column - here, counts.sum() - row - column + here]])


def agreements(answers: Mapping[str, Iterable[Answer]]) -> list[Agreement]:
    """Compare every two annotators."""
    said: dict[str, dict[tuple[str, int], int]] = {name: {} for name in answers}
    for name, mine in answers.items():
        for answer in mine:
            for place in answer.places:
                said[name][answer.site, place.hash] = int(label_of(answer.label))
    found = []
    for first, second in combinations(sorted(said), 2):
        counts = np.zeros((len(LABEL_NAMES), len(LABEL_NAMES)), np.int64)
        for block in said[first].keys() & said[second].keys():
            counts[said[first][block], said[second][block]] += 1
        found.append(Agreement(first, second, counts))
    return found


def disagreements(answers: Mapping[str, Iterable[Answer]]) -> dict[Place, list[Answer]]:
    """Return the blocks that annotators gave different labels, a repeated one once a site, with their answers."""
    seen: set[tuple[str, int]] = set()
    found = {}
    for place, said in by_place(answers).items():
        block = (said[0].site, place.hash)
        if len({answer.label for answer in said}) > 1 and block not in seen:
            seen.add(block)
            found[place] = said
    return found
