import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from detector.evaluate import (
    average_precision,
    balanced_log_loss,
    calibration,
    class_f1,
    comparison_table,
    confusion_of,
    page_f1,
    precision_recall,
    precision_recall_curve,
    score,
    site_table,
)
from detector.features import OWN_NAMES
from detector.model import Layout
from detector.rows import Rows

NAN = float("nan")
CONFUSION = np.array([[6, 2, 0], [1, 9, 0], [0, 1, 1]])


def rows_of(label, n_chars, page_ids=("a", "b"), sites=("x.example", "y.example"), pages=(0, 3, 5)):
    n = len(label)
    layout = Layout(np.array(n_chars), np.zeros((n, 4), np.int32), np.array(pages))
    own = np.zeros((n, len(OWN_NAMES)), np.float32)
    return Rows(own, np.array(label, np.int8), layout, np.arange(n, dtype=np.uint64), list(page_ids), list(sites))


def sure(labels):
    """Probabilities of somebody who is certain."""
    return np.eye(3, dtype=np.float32)[labels]


ROWS = rows_of([0, 0, 1, 0, 1], [100, 20, 30, 50, 10])
SAID = sure([0, 1, 0, 0, 1])  # one short content block missed, one chrome block taken in


def test_f1_by_hand():
    assert class_f1(CONFUSION) == pytest.approx([12 / 15, 18 / 22, 2 / 3])


def test_precision_and_recall_by_hand():
    precision, recall = precision_recall(CONFUSION)
    assert precision == pytest.approx([6 / 7, 9 / 12, 1])
    assert recall == pytest.approx([6 / 8, 9 / 10, 1 / 2])


def test_a_class_that_does_not_occur_has_no_figures():
    nothing = np.diag([3, 0, 0])
    assert class_f1(nothing) == pytest.approx([1, NAN, NAN], nan_ok=True)
    assert np.isnan(precision_recall(nothing)).tolist() == [[False, True, True]] * 2


def test_confusion_leaves_out_the_unlabelled():
    found = confusion_of(np.int8([0, 0, 1, -1, 2]), np.int8([0, 1, 1, 0, 0]))
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(
    ("true", "scores", "expected"),
    [
        ([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], (1 / 1 + 2 / 3) / 2),
        ([1, 1, 0, 0], [0.9, 0.8, 0.7, 0.1], 1),
        ([0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1], 1 / 4),
        ([0, 0], [0.9, 0.8], NAN),
    ],
)
def test_average_precision_by_hand(true, scores, expected):
    assert average_precision(np.array(true, bool), np.float32(scores)) == pytest.approx(expected, nan_ok=True)


def test_average_precision_equals_scikit_learns():
    random = np.random.default_rng(4)
    true, scores = random.random(300) < 0.2, random.random(300).astype(np.float32)
    assert average_precision(true, scores) == pytest.approx(average_precision_score(true, scores))


def test_page_f1_counts_characters():
    assert page_f1(ROWS, SAID, 0.5, 0.9) == pytest.approx([2 * 100 / (120 + 130), 1])


@pytest.mark.parametrize(
    ("page_ids", "label"),
    [(("a", "b+spam"), [0, 0, 1, 0, 1]), (("a", "b"), [0, 0, 1, 1, 1]), (("a", "b"), [0, 0, 1, -1, 1])],
)
def test_copies_and_pages_without_content_have_no_page_f1(page_ids, label):
    rows = rows_of(label, [100, 20, 30, 50, 10], page_ids)
    assert page_f1(rows, SAID, 0.5, 0.9) == pytest.approx([200 / 250])


def test_score_tells_sites_apart():
    found = score(ROWS, SAID, 0.5, 0.9)
    assert found.confusion.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert found.by_site["y.example"].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert sum(found.by_site.values()).tolist() == found.confusion.tolist()


def test_summary_and_details():
    found = score(ROWS, SAID, 0.5, 0.9)
    summary = found.summary()
    assert (summary["f1_content"], summary["page_f1"], summary["pages_below_half"]) == (0.6667, 0.9, 0.0)
    assert found.details()["by_site"]["y.example"][:2] == [1.0, 1.0]


def test_summary_of_pages_without_content():
    found = score(rows_of([1, 1, 1, 1, 1], [9] * 5), SAID, 0.5, 0.9)
    assert np.isnan(found.summary()["page_f1"])


def test_tables_have_a_line_a_row():
    found = score(ROWS, SAID, 0.5, 0.9)
    assert comparison_table({"甲": found, "乙": found}).splitlines()[2].startswith("| 甲 | 0.9000 | 0.0000 | 0.6667 |")
    assert site_table(found).splitlines()[2:] == [
        "| x.example | 3 | 0.500 | 0.000 |  |",
        "| y.example | 2 | 1.000 | 1.000 |  |",
    ]
    assert len(site_table(found, ["y.example"]).splitlines()) == 3


def test_the_curve_of_precision_and_recall():
    recall, precision = precision_recall_curve(np.array([True, False, True, False]), np.float32([0.9, 0.8, 0.7, 0.1]))
    assert recall.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert precision.tolist() == [1.0, 0.5, 2 / 3, 0.5]
    assert precision_recall_curve(np.zeros(3, bool), np.zeros(3, np.float32))[0].size == 0


def test_calibration_by_bins():
    said, is_so = calibration(np.array([True, False, True]), np.float32([0.95, 1.0, 0.25]))
    assert said.tolist() == pytest.approx([0.25, 0.975])
    assert is_so.tolist() == [1.0, 0.5]


def test_each_class_counts_alike_in_the_loss():
    sure, unsure = np.float32([1, 0, 0]), np.float32([0, 0.5, 0.5])
    assert balanced_log_loss(np.int8([0, 0, 0, 1]), np.stack([sure, sure, sure, unsure])) == pytest.approx(
        np.log(2) / 2
    )
