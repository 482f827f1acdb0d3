from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from detector.forest import Forest


def fitted(**how):
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 5)).astype(np.float32)
    y = X[:, 0] * X[:, 1] + random.normal(size=400) / 4 > 0
    return HistGradientBoostingClassifier(**{"max_iter": 30, "random_state": 0, **how}).fit(X, y)


@pytest.fixture(scope="module")
def estimator():
    return fitted()


@pytest.mark.parametrize(
    "how", [{}, {"max_iter": 1}, {"max_leaf_nodes": 2}, {"max_depth": 2}, {"min_samples_leaf": 400}]
)
def test_equals_the_estimator_that_it_was_read_from(how):
    estimator = fitted(**how)
    X = np.random.default_rng(5).normal(scale=3, size=(300, 5)).astype(np.float32)  # also outside of what was seen
    found = Forest.from_estimators([estimator]).predict_proba(X)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, estimator.predict_proba(X)[:, 1], atol=1e-6)


def test_several_estimators_are_averaged_in_log_odds(estimator):
    X = np.random.default_rng(2).normal(size=(50, 5)).astype(np.float32)
    both = [estimator, fitted(random_state=1, max_iter=20)]
    odds = np.mean([one.decision_function(X) for one in both], axis=0)
    np.testing.assert_allclose(Forest.from_estimators(both).predict_proba(X), 1 / (1 + np.exp(-odds)), atol=1e-6)


def test_a_row_is_judged_alike_in_any_company(estimator):
    X, forest = np.random.default_rng(1).normal(size=(9, 5)).astype(np.float32), Forest.from_estimators([estimator])
    apart = [float(forest.predict_proba(X[i : i + 1])[0]) for i in range(9)]
    assert forest.predict_proba(X).tolist() == apart
    assert forest.predict_proba(X[:0]).tolist() == []


def test_arrays_there_and_back(estimator):
    forest = Forest.from_estimators([estimator])
    again = Forest.from_arrays(dict(reversed(forest._asdict().items())))
    assert all(np.array_equal(a, b) for a, b in zip(forest, again, strict=True))


@pytest.mark.parametrize("name", Forest._fields)
def test_a_missing_array_is_named(estimator, name):
    named = Forest.from_estimators([estimator])._asdict()
    del named[name]
    with pytest.raises(KeyError, match=name):
        Forest.from_arrays(named)
