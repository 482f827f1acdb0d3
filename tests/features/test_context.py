import numpy as np
import pytest

from detector.features import FEATURE_NAMES, OWN_NAMES, context, with_context

NAN = float("nan")
PAGES = np.array([0, 3, 3, 5])
COLUMN = np.float32([1, 2, 3, 10, 20])


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (-1, [NAN, 1, 2, NAN, 10]),
        (+1, [2, 3, NAN, 20, NAN]),
        (+2, [3, NAN, NAN, NAN, NAN]),
        (-9, [NAN] * 5),
    ],
)
def test_shift_stays_on_the_page(step, expected):
    assert context.shift(COLUMN, PAGES, step) == pytest.approx(np.float32(expected), nan_ok=True)


@pytest.mark.parametrize(("step", "offsets"), [(0, [0, 5]), (1, [0, 4])])
def test_shift_refuses_what_does_not_fit(step, offsets):
    with pytest.raises(ValueError, match="step is 0, or the page offsets"):
        context.shift(COLUMN, np.array(offsets), step)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([1, 2, 3, 10, 20], [1.5, 2, 2.5, 15, 15]),
        ([1, NAN, 3, 10, 20], [1, 2, 3, 15, 15]),
        ([1, 2, 3, NAN, NAN], [1.5, 2, 2.5, NAN, NAN]),
    ],
)
def test_window_mean_leaves_out_the_unknown(column, expected):
    (found,) = context.window_means(np.float32(column), PAGES, [1])
    assert found == pytest.approx(np.float32(expected), nan_ok=True)


def test_columns_are_called_after_what_they_hold():
    own = np.arange(5 * len(OWN_NAMES), dtype=np.float32).reshape(5, -1)
    X = with_context(own, PAGES)
    place = FEATURE_NAMES.index("link_density@-1")
    assert X[1, place] == own[0, OWN_NAMES.index("link_density")]
    assert np.isnan(X[3, place])
    assert X.shape == (5, len(FEATURE_NAMES))


def test_no_blocks():
    assert with_context(np.zeros((0, len(OWN_NAMES)), np.float32), np.array([0, 0])).shape == (0, len(FEATURE_NAMES))
