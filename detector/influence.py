"""How much each feature has to do with what a model says: what it would say if the feature told it nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.features import FAMILIES, OWN_NAMES
from detector.model import Layout
from detector.rows import Rows

Predict = Callable[[NDArray[np.float32], Layout], NDArray[np.float32]]
CERTAIN = 1e-4  # probabilities are taken to be this far from 0 and 1 at least: beyond, log odds say nothing
REPEATS = 3  # times that columns are shuffled


def log_odds(proba: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the log odds of probabilities, those of certain ones cut short."""
    p = np.clip(proba, CERTAIN, 1 - CERTAIN)
    odds: NDArray[np.float32] = np.log(p / (1 - p))
    return odds


def strength(
    predict: Predict, own: NDArray[np.float32], layout: Layout, label: NDArray[np.int8]
) -> NDArray[np.float32]:
    """Tell how much each feature speaks for the label of each block.

    A feature is made unknown in the whole page, for the blocks around count too; what the label loses by that, in log
    odds, is what the feature said for it. What two features say alike is in neither's figure.

    Parameters
    ----------
    predict : callable
        As `Model.predict_proba`; unknown values are those of the mean training block.
    label : int8 ndarray of shape (n,)

    Returns
    -------
    float32 ndarray of shape (n, len(OWN_NAMES))
    """
    row = np.arange(len(own))
    said = log_odds(predict(own, layout)[row, label])
    out = np.zeros(own.shape, np.float32)
    for column in range(own.shape[1]):
        without = own.copy()
        without[:, column] = np.nan
        out[:, column] = said - log_odds(predict(without, layout)[row, label])
    return out


def alone(predict: Predict, own: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
    """Judge each block as if nothing stood around it, float32 (n, 3)."""
    n, levels = layout.holders.shape
    holders = np.arange(n * levels, dtype=np.int32).reshape(n, levels)
    return predict(own, Layout(layout.n_chars, holders, np.arange(n + 1)))


def importance(
    predict: Predict, rows: Rows, loss: Callable[[NDArray[np.float32]], float],
    families: Mapping[str, Sequence[str]] = FAMILIES, *, repeats: int = REPEATS, seed: int = 0,
) -> dict[str, list[float]]:  # fmt: skip
    """Measure how much worse predictions get when the features of a family are those of other blocks.

    Permutation importance (Breiman, "Random Forests", 2001), of families together: their columns say much alike.

    Parameters
    ----------
    loss : callable
        Takes probabilities, float32 (n, 3), and returns how bad they are.

    Returns
    -------
    dict of str to list of float
        For each family what the loss grows by, once a shuffle, the family that matters most first.
    """
    random = np.random.default_rng(seed)
    before = loss(predict(rows.own, rows.layout))
    found: dict[str, list[float]] = {}
    for name, names in families.items():
        columns = [OWN_NAMES.index(column) for column in names]
        found[name] = []
        for _ in range(repeats):
            shuffled = rows.own.copy()
            shuffled[:, columns] = rows.own[random.permutation(len(shuffled))][:, columns]
            found[name].append(loss(predict(shuffled, rows.layout)) - before)
    return dict(sorted(found.items(), key=lambda item: -float(np.mean(item[1]))))
