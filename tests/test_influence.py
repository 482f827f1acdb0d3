import numpy as np
import pytest

from detector.features import FAMILIES, OWN_NAMES
from detector.influence import alone, importance, log_odds, strength
from detector.model import Layout
from detector.rows import Rows

LINKS = OWN_NAMES.index("link_density")
LAYOUT = Layout(np.full(6, 20), np.zeros((6, 4), np.int32), np.array([0, 4, 6]))


def by_links(own, layout):
    """Chrome where there are links; half and half where it is not known."""
    p = np.nan_to_num(own[:, LINKS], nan=0.5)
    return np.stack([1 - p, p, np.zeros_like(p)], axis=1).astype(np.float32)


@pytest.fixture
def own():
    values = np.zeros((6, len(OWN_NAMES)), np.float32)
    values[:, LINKS] = [0.9, 0.1, 0.9, 0.1, 0.9, 0.1]
    return values


def test_only_what_the_model_looks_at_speaks(own):
    label = np.int8([1, 0, 1, 0, 0, 0])
    found = strength(by_links, own, LAYOUT, label)
    nine_to_one = np.log(9)
    assert found[:, LINKS] == pytest.approx([nine_to_one] * 4 + [-nine_to_one, nine_to_one], abs=1e-4)
    assert np.delete(found, LINKS, axis=1).any() == np.False_


def test_a_block_alone_has_no_neighbours(own):
    def by_place(_, layout):
        assert layout.page_offsets.tolist() == [0, 1, 2, 3, 4, 5, 6]
        assert len(np.unique(layout.holders)) == 24
        return by_links(own, layout)

    assert alone(by_place, own, LAYOUT).shape == (6, 3)


def test_certainty_has_finite_odds():
    assert np.isfinite(log_odds(np.float32([0, 1]))).all()


def test_the_family_that_matters_comes_first(own):
    rows = Rows(own, np.int8([1, 0, 1, 0, 1, 0]), LAYOUT, np.arange(6, dtype=np.uint64), ["a", "b"], ["x", "y"])

    def loss(proba):
        return float((proba.argmax(axis=1) != rows.label).mean())

    found = importance(by_links, rows, loss, seed=1)
    assert next(iter(found)) == "links"
    assert np.mean(found["links"]) > 0
    assert all(found[name] == [0.0] * 3 for name in FAMILIES if name != "links")
    assert found == importance(by_links, rows, loss, seed=1)
