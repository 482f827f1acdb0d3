"""Gradient-boosted trees as plain arrays: what scikit-learn fitted, evaluated without importing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled

HIGHEST = np.finfo(np.float64).max  # threshold of a leaf: everything goes left, to the leaf itself


class Forest(NamedTuple):
    """Trees of fitted `HistGradientBoostingClassifier`s of two classes; arrays of shape (trees, nodes).

    A leaf leads to itself, so that all rows walk all trees in the same number of steps.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    baseline: NDArray[np.float64]  # (1,), log odds
    depth: NDArray[np.int32]  # (1,), steps from the root to the farthest leaf

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of class 1, float32 (n,); `X` holds no NaN."""
        odds = self._leaf_sums(X) + self.baseline[0]
        proba: NDArray[np.float32] = (1 / (1 + np.exp(-odds))).astype(np.float32)
        return proba

    def _leaf_sums(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Add up the leaves that each row comes to in all trees, float64 (n,)."""
        if compiled.loops is not None:
            sums = np.empty(len(X))
            compiled.loops.leaf_sums(np.ascontiguousarray(X), *self[:5], int(self.depth[0]), sums)
            return sums
        tree, row = np.arange(len(self.feature)), np.arange(len(X))[:, None]
        node = np.zeros((len(X), len(tree)), np.int32)
        for _ in range(int(self.depth[0])):
            goes_left = X[row, self.feature[tree, node]] <= self.threshold[tree, node]
            node = np.where(goes_left, self.left[tree, node], self.right[tree, node])
        # Summed one by one, as the compiled loop does it.
        return np.cumsum(self.value[tree, node], axis=1)[:, -1]

    @classmethod
    def from_arrays(cls, named: Mapping[str, NDArray[Any]]) -> Forest:
        """Undo `_asdict`; KeyError when an array is missing."""
        return cls(**{name: named[name] for name in cls._fields})

    @classmethod
    def from_estimators(cls, estimators: Sequence[Any]) -> Forest:
        """Read the arrays out of fitted estimators; what they say is averaged in log odds.

        scikit-learn keeps the trees in a private attribute; that they are read rightly is checked where a model is fitted.
        """
        trees = [predictors[0].nodes for estimator in estimators for predictors in estimator._predictors]
        shape = len(trees), max(len(nodes) for nodes in trees)
        feature, left, right = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        threshold, value = np.full(shape, HIGHEST), np.zeros(shape)
        for i, nodes in enumerate(trees):
            n, leaf, itself = len(nodes), nodes["is_leaf"].astype(bool), np.arange(len(nodes))
            feature[i, :n] = np.where(leaf, 0, nodes["feature_idx"])
            threshold[i, :n] = np.where(leaf, HIGHEST, nodes["num_threshold"])
            left[i, :n], right[i, :n] = np.where(leaf, itself, nodes["left"]), np.where(leaf, itself, nodes["right"])
            value[i, :n] = np.where(leaf, nodes["value"], 0) / len(estimators)
        depth = max(int(nodes["depth"].max()) for nodes in trees)
        baseline = np.mean([np.ravel(estimator._baseline_prediction)[0] for estimator in estimators], keepdims=True)
        return cls(feature, threshold, left, right, value, baseline, np.array([depth], np.int32))
