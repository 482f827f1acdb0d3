from itertools import pairwise

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from detector.network import Network, Panel, softmax


def fitted(seed=0, classes=(0, 1, 2), activation="relu", hidden=(16,), constant=False, start=0):
    """A pipeline as `train` makes it, fitted until it converges, on numbers with gaps."""
    random = np.random.default_rng(seed)
    X = (random.normal(size=(90, 6)) * [1, 10, 0.1, 1, 1, 1] + [0, 5, -3, 0, 0, 2]).astype(np.float32)
    if constant:
        X[:, 5] = 2
    X[random.random(X.shape) < 0.1] = np.nan
    y = np.resize(classes, 90)
    fill = SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)
    network = MLPClassifier(hidden, activation=activation, max_iter=2000, tol=0.02, random_state=start)
    return make_pipeline(MinMaxScaler(clip=True), StandardScaler(), fill, network).fit(X, y)


@pytest.fixture(scope="module")
def pipeline():
    return fitted()


@pytest.mark.parametrize("shape", [{"hidden": (16,)}, {"classes": (0, 1)}])
def test_equals_the_pipeline_that_it_was_read_from(shape):
    pipeline = fitted(**shape)
    X = np.random.default_rng(5).normal(scale=8, size=(200, 6)).astype(np.float32)  # also outside of what was seen
    X[::7, 2] = X[::11, 5] = np.nan
    found = Panel.of([Network.from_pipeline(pipeline)]).predict_proba(X)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, pipeline.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        2.0,
        pytest.param(2.5),
    ],
)
def test_a_column_that_never_varied_counts_alike(value):
    """MinMaxScaler clips what it has scaled, and a column without a range is not scaled: 2 may become 3, not more."""
    pipeline = fitted(constant=True)
    X = np.float32([[0, 5, -3, 0, 0, value]])
    np.testing.assert_allclose(
        Panel.of([Network.from_pipeline(pipeline)]).predict_proba(X), pipeline.predict_proba(X), atol=1e-5
    )


def test_arrays_there_and_back(pipeline):
    network = Network.from_pipeline(pipeline)
    again = Network.from_arrays(network.arrays())
    X = np.ones((2, 6), np.float32)
    assert Panel.of([again]).predict_proba(X).tolist() == Panel.of([network]).predict_proba(X).tolist()


@pytest.mark.parametrize("name", ["low", "scale", "biases0"])
def test_a_missing_array_is_named(pipeline, name):
    named = Network.from_pipeline(pipeline).arrays()
    del named[name]
    with pytest.raises(KeyError, match=name):
        Network.from_arrays(named)


@pytest.mark.parametrize(
    "wrong", [{"classes": (1, 2, 3)}, {"classes": (0, 2)}, {"activation": "tanh"}, {"hidden": (12, 5)}]
)
def test_other_networks_are_refused(wrong):
    with pytest.raises(ValueError, match="rectified units"):
        Network.from_pipeline(fitted(**wrong))


def test_mean_of_networks():
    networks = tuple(Network.from_pipeline(fitted(start=start)) for start in (0, 1))
    X = np.float32([[0, 5, -3, 0, 0, 2]])
    apart = [Panel.of([network]).predict_proba(X) for network in networks]
    np.testing.assert_allclose(Panel.of(networks).predict_proba(X), (apart[0] + apart[1]) / 2, atol=1e-6)


def test_networks_saved_together_scale_alike():
    named = {
        f"first/{n}/{key}": array for n in (0, 1) for key, array in Network.from_pipeline(fitted(n)).arrays().items()
    }
    with pytest.raises(ValueError, match="scale"):
        Panel.from_arrays(named, "first")


def test_networks_of_more_layers_are_refused_together(pipeline):
    network = Network.from_pipeline(pipeline)
    deep = network._replace(
        weights=(*network.weights, np.eye(3, dtype=np.float32)), biases=(*network.biases, np.zeros(3, np.float32))
    )
    with pytest.raises(ValueError, match="one hidden layer"):
        Panel.from_arrays({f"first/0/{key}": array for key, array in deep.arrays().items()}, "first")


def test_softmax_of_large_numbers():
    assert softmax(np.float32([[1000, 1000], [-1000, 0]])).tolist() == [[0.5, 0.5], [0.0, 1.0]]


def test_without_bounds_nothing_is_clipped(pipeline):
    network = Network.from_pipeline(pipeline)
    inside = np.clip(np.float32([[0, 5, -3, 0, 0, 2]]), network.low, network.high)
    free, bound = Panel.of([network.unbounded()]), Panel.of([network])
    assert free.predict_proba(inside).tolist() == bound.predict_proba(inside).tolist()
    assert free.predict_proba(inside + 9).tolist() != bound.predict_proba(inside + 9).tolist()
    assert np.isfinite(inside).all()


@pytest.mark.parametrize("at_once", [1, 50, 10_000])
def test_pages_in_portions_and_features_in_parts_change_nothing(pipeline, monkeypatch, at_once):
    panel = Panel.of([Network.from_pipeline(pipeline)])
    X = np.random.default_rng(1).normal(size=(200, 6)).astype(np.float32)
    offsets = np.array([0, 0, 3, 70, 70, 199, 200, 200])
    alone = [row for a, b in pairwise(offsets.tolist()) for row in panel.predict_proba(X[a:b]).tolist()]
    monkeypatch.setattr("detector.network.ROWS_AT_ONCE", at_once)
    for parts in (X, [X[:, :2], X[:, 2:]], [np.asfortranarray(X)[:, :5], X[:, 5:]]):
        assert panel.predict_proba(parts, offsets).tolist() == alone
    assert panel.predict_proba(X[:0], np.array([0])).shape == (0, 3)


def test_parts_that_are_too_wide_are_refused(pipeline):
    panel = Panel.of([Network.from_pipeline(pipeline)])
    with pytest.raises(ValueError):  # noqa: PT011 - numpy's and ours differ
        panel.predict_proba([np.zeros((2, 6), np.float32), np.zeros((2, 1), np.float32)])


def test_a_feature_that_nobody_knew_hinders_no_panel():
    """Its bounds are NaN in every network."""
    networks = [Network.from_pipeline(fitted(start=start)) for start in (0, 1)]
    unknown = [network._replace(mean=np.where(np.arange(6) == 3, np.nan, network.mean)) for network in networks]
    assert len(Panel.of(unknown).networks) == 2
