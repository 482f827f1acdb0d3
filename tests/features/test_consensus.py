import numpy as np
import pytest

from detector.features import consensus

N_CHARS = np.array([10, 30, 20, 40])
PAGES = np.array([0, 3, 3, 4])
HOLDERS = np.array([[1, 9, 9, 9], [2, 5, 9, 9], [3, 5, 9, 9], [11, 12, 13, 14]], np.int32)
PROBA = np.float32([[0.0, 1.0, 0.0], [0.8, 0.2, 0.0], [0.5, 0.0, 0.5], [1.0, 0.0, 0.0]])
TOTAL = 0.8 * 30 + 0.5 * 20 + 1  # expected characters of content on the first page, and one


def column(name, proba=PROBA, holders=HOLDERS):
    return consensus.columns(proba, N_CHARS, holders, PAGES)[:, consensus.NAMES.index(name)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p_chrome", [1, 0.2, 0, 0]),
        ("logit_content", np.log([0.001 / 1.001, 0.801 / 0.201, 0.501 / 0.501, 1.001 / 0.001])),
        ("p_content@-1", [0, 0, 0.8, 0]),
        ("p_spam@+1", [0, 0.5, 0, 0]),
        ("p_content~1", [0.4, 1.3 / 3, 0.65, 1]),
        ("chars_content~1", [24 / 40, 34 / 60, 34 / 50, 1]),
        ("holder_mean_1", [0, 0.65, 0.65, 1]),
        ("holder_share_1", [0, 34 / TOTAL, 34 / TOTAL, 40 / 41]),
        ("holder_blocks_1", np.log([1, 2, 2, 1])),
        ("holder_spam_1", [0, 0.25, 0.25, 0]),
        ("content_before", [0, 0, 24 / TOTAL, 0]),
        ("content_share", [0, 24 / TOTAL, 10 / TOTAL, 40 / 41]),
        ("page_peak", [0.8, 0.8, 0.8, 1]),
        ("page_spam", [0.5 / 3, 0.5 / 3, 0.5 / 3, 0]),
        ("in_content_run", [0, 1, 1, 1]),
    ],
)
def test_by_hand(name, expected):
    assert column(name) == pytest.approx(np.array(expected), abs=1e-5)


def test_a_page_does_not_depend_on_its_neighbours():
    alone = consensus.columns(PROBA[:3], N_CHARS[:3], HOLDERS[:3], np.array([0, 3]))
    assert consensus.columns(PROBA, N_CHARS, HOLDERS, PAGES)[:3] == pytest.approx(alone, abs=1e-6)


def test_a_page_of_pure_chrome_is_finite():
    nothing = np.float32([[0, 1, 0]] * 4)
    assert np.isfinite(consensus.columns(nothing, N_CHARS, HOLDERS, PAGES)).all()
