import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from detector.labels import Label
from detector.model import CERTAIN, doubtful, plainly_chrome
from detector.screen import PLAIN, Screen


@pytest.fixture(scope="module")
def rows():
    """Features, the last of which is never seen to change, and a truth that the first two tell."""
    random = np.random.default_rng(3)
    own = np.asfortranarray(random.normal(size=(400, 5)).astype(np.float32))
    own[:, 4] = 7
    return own, own[:, 0] + own[:, 1] > 0


@pytest.fixture(scope="module")
def pipeline(rows):
    own, truth = rows
    scalers = MinMaxScaler(clip=True), StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0)
    return make_pipeline(*scalers, LogisticRegression()).fit(own, truth)


def test_it_holds_back_what_the_regression_is_sure_of(rows, pipeline):
    own, _ = rows
    proba = pipeline.predict_proba(own)[:, 1]
    clear = np.abs(proba - PLAIN) > 1e-4
    held = np.isin(np.arange(len(own)), Screen.from_pipeline(pipeline).unclear(own), invert=True)
    assert (held == (proba >= PLAIN))[clear].all()
    assert 0 < held.sum() < len(own)


def test_features_are_bounded_by_what_was_seen(rows, pipeline):
    own, _ = rows
    screen = Screen.from_pipeline(pipeline)
    beyond = np.where(own > 0, own + 1000, own - 1000).astype(np.float32)
    bounded = np.clip(beyond, own.min(axis=0), own.max(axis=0))
    assert screen.unclear(beyond).tolist() == screen.unclear(bounded).tolist()


def test_what_is_unknown_is_unclear_unless_it_does_not_count(rows, pipeline):
    own = rows[0].copy(order="F")
    screen = Screen.from_pipeline(pipeline)
    known = screen.unclear(own).tolist()
    own[:, 4] = np.nan
    assert screen.unclear(own).tolist() == known
    own[:, 1] = np.nan
    assert screen.unclear(own).tolist() == list(range(len(own)))


def test_a_batch_equals_its_blocks_one_by_one(rows, pipeline):
    own, _ = rows
    screen = Screen.from_pipeline(pipeline)
    alone = [i for i in range(len(own)) if len(screen.unclear(own[i : i + 1]))]
    assert screen.unclear(own).tolist() == screen.unclear(np.ascontiguousarray(own)).tolist() == alone


def test_saved_and_loaded_it_is_the_same(pipeline):
    screen = Screen.from_pipeline(pipeline)
    again = Screen.from_arrays(screen.arrays())
    assert [array.tolist() for array in again] == [array.tolist() for array in screen]


def test_of_no_regression_all_is_unclear():
    assert Screen.from_pipeline(None).unclear(np.zeros((3, 5), np.float32)).tolist() == [0, 1, 2]


def test_the_second_pass_is_not_asked_about_what_is_held_back():
    proba = plainly_chrome(2)
    assert len(doubtful(proba)) == 0
    assert proba[0, Label.CHROME] == np.float32(CERTAIN)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
