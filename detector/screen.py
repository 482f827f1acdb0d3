"""A linear look at blocks before any network: what is plainly chrome by its own features needs no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.network import units

PLAIN = 0.9  # probability from which a block is plainly what networks would be certain is chrome


class Screen(NamedTuple):
    """A logistic regression in the units of the features: `low`, `high` and `weights` float32 (f,), `bias` float32 (1,).

    A feature is bounded, then weighed. The bias takes `PLAIN` into account: a sum of 0 is as likely as that.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def unclear(self, own: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the numbers of the blocks that are not plainly chrome, those of unknown features among them.

        Sums are made column by column, so that they do not depend on the other blocks of a batch.
        """
        sums = np.full(len(own), self.bias[0])
        used = np.flatnonzero(self.weights)
        if len(used) and compiled.loops is not None and own.dtype == np.float32 and own.flags.f_contiguous:
            compiled.loops.weigh_columns(own.T, used, self.low, self.high, self.weights, sums)
        else:
            for k in used.tolist():
                sums += np.clip(own[:, k], self.low[k], self.high[k]) * self.weights[k]
        return np.flatnonzero(~(sums >= 0))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return all arrays by name, for saving."""
        return {f"screen/{name}": array for name, array in self._asdict().items()}

    @classmethod
    def from_arrays(cls, named: Mapping[str, NDArray[Any]]) -> Screen:
        """Undo `arrays`; KeyError when one is missing."""
        return cls(*(named[f"screen/{name}"] for name in cls._fields))

    @classmethod
    def from_pipeline(cls, pipeline: Any) -> Screen:
        """Read the arrays out of a fitted MinMaxScaler → StandardScaler → SimpleImputer → LogisticRegression.

        A feature that it never saw change has no weight, so that it may be unknown. Of None, a screen that holds nothing back.
        """
        if pipeline is None:
            nothing = np.zeros(0, np.float32)
            return cls(nothing, nothing, nothing, np.array([-1], np.float32))
        low, high, mean, scale = units(pipeline)
        (_, standard), (_, regression) = pipeline.steps[1], pipeline.steps[-1]
        weights = np.where(standard.var_ > 0, regression.coef_[0] / scale, 0)
        bias = regression.intercept_ - weights @ mean - np.log(PLAIN / (1 - PLAIN))
        return cls(*(column.astype(np.float32) for column in (low, high, weights, bias)))
