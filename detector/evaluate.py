"""Scores of held-out predictions: by class, by site, by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.arrays import Floats, Ints
from detector.labels import LABEL_NAMES, Label
from detector.rows import Rows
from detector.verdicts import decide


@dataclass(frozen=True, eq=False)
class Scores:
    """Results at one pair of thresholds.

    Attributes
    ----------
    confusion : int64 ndarray of shape (3, 3)
        Rows true, columns predicted, in `Label` order.
    by_site : dict of str to int64 ndarray of shape (3, 3)
    page_f1 : float64 ndarray of shape (p,)
        F1 of each page's content, in characters; NaN for pages without content.
    average_precision : float64 ndarray of shape (3,)
    page_ids : list of str
    policies : dict of str to (float, float)
        The spam threshold of each policy.
    """

    confusion: NDArray[np.int64]
    by_site: dict[str, NDArray[np.int64]]
    page_f1: NDArray[np.float64]
    average_precision: NDArray[np.float64]
    page_ids: list[str]
    content_threshold: float
    spam_threshold: float
    policies: dict[str, tuple[float, float]] = field(default_factory=dict)

    def summary(self) -> dict[str, float]:
        """Return the figures by which classifiers are compared."""
        f1 = class_f1(self.confusion)
        known = self.page_f1[~np.isnan(self.page_f1)]
        figures = {f"f1_{name}": f1[i] for i, name in enumerate(LABEL_NAMES)}
        nothing = float("nan")
        figures["page_f1"] = known.mean() if len(known) else nothing
        figures["pages_below_half"] = (known < 0.5).mean() if len(known) else nothing
        figures |= {f"ap_{name}": self.average_precision[i] for i, name in enumerate(LABEL_NAMES)}
        return {name: round(float(value), 4) for name, value in figures.items()}

    def details(self) -> dict[str, Any]:
        """Return everything for the model card."""
        return {
            **self.summary(),
            "confusion": self.confusion.tolist(),
            "by_site": {site: [round(float(x), 4) for x in class_f1(c)] for site, c in sorted(self.by_site.items())},
        }


def class_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return F1 by class, float64 (3,); NaN for a class that neither occurs nor is predicted."""
    hit = np.diag(confusion).astype(np.float64)
    total = confusion.sum(axis=0) + confusion.sum(axis=1)
    return _ratio(2 * hit, total)


def precision_recall(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall by class, float64 (3,) each."""
    hit = np.diag(confusion).astype(np.float64)
    predicted, true = confusion.sum(axis=0), confusion.sum(axis=1)
    return _ratio(hit, predicted), _ratio(hit, true)


def _ratio(part: Floats | Ints, whole: Floats | Ints) -> NDArray[np.float64]:
    """Divide; NaN where the whole is nothing."""
    out = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def confusion_of(true: NDArray[np.int8], predicted: NDArray[np.int8]) -> NDArray[np.int64]:
    """Count pairs of labels, int64 (3, 3); unlabelled blocks are left out."""
    known = true >= 0
    cells = true[known].astype(np.int64) * 3 + predicted[known]
    return np.bincount(cells, minlength=9).reshape(3, 3).astype(np.int64)


def page_f1(
    rows: Rows, proba: NDArray[np.float32], content_threshold: float, spam_threshold: float
) -> NDArray[np.float64]:
    """F1 of content by page, in characters, over pages that have some; float64 (number of those,)."""
    f1 = _page_f1(rows, decide(proba, content_threshold=content_threshold, spam_threshold=spam_threshold))
    return f1[~np.isnan(f1)]


def _page_f1(rows: Rows, predicted: NDArray[np.int8]) -> NDArray[np.float64]:
    known = (rows.label >= 0) & rows.real[rows.page_index]
    page, size, p = rows.page_index[known], rows.layout.n_chars[known], len(rows.page_ids)
    true, said = rows.label[known] == Label.CONTENT, predicted[known] == Label.CONTENT
    both, in_true, in_said = (np.bincount(page, size * mask, minlength=p) for mask in (true & said, true, said))
    return np.where(in_true > 0, _ratio(2 * both, in_true + in_said), np.nan)


def score(rows: Rows, proba: NDArray[np.float32], content_threshold: float, spam_threshold: float) -> Scores:
    """Score predictions for labelled rows."""
    predicted = decide(proba, content_threshold=content_threshold, spam_threshold=spam_threshold)
    site_names = sorted(set(rows.sites))
    site = np.array([site_names.index(s) for s in rows.sites])[rows.page_index]
    by_site = {name: confusion_of(rows.label[site == i], predicted[site == i]) for i, name in enumerate(site_names)}
    return Scores(
        confusion_of(rows.label, predicted), by_site, _page_f1(rows, predicted), _average_precision(rows.label, proba),
        rows.page_ids, content_threshold, spam_threshold,
    )  # fmt: skip


def _average_precision(label: NDArray[np.int8], proba: NDArray[np.float32]) -> NDArray[np.float64]:
    known = label >= 0
    return np.array([average_precision(label[known] == k, proba[known, k]) for k in range(3)])


def precision_recall_curve(true: NDArray[np.bool_], scores: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return recall, ascending, and the precision that goes with it, at every threshold; empty where nothing is true."""
    hits = np.cumsum(true[np.argsort(-scores, kind="stable")])
    if not len(hits) or not hits[-1]:
        return np.zeros(0), np.zeros(0)
    return hits / hits[-1], hits / np.arange(1, len(hits) + 1)


def calibration(true: NDArray[np.bool_], scores: NDArray[np.float32], bins: int = 10) -> tuple[Floats, Floats]:
    """Return the mean probability of each bin that is not empty, and the share of it that is true."""
    cell = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    count = np.bincount(cell, minlength=bins)
    said, is_so = (np.bincount(cell, values, minlength=bins) for values in (scores, true))
    return said[count > 0] / count[count > 0], is_so[count > 0] / count[count > 0]


def balanced_log_loss(label: NDArray[np.int8], proba: NDArray[np.float32]) -> float:
    """Return the mean log loss of labelled blocks, each class that occurs counting alike."""
    losses = [-np.log(np.maximum(proba[label == k, k], 1e-6)).mean() for k in range(3) if (label == k).any()]
    return float(np.mean(losses))


def average_precision(true: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    """Area under the precision-recall curve, as the mean precision at each hit; NaN where nothing is true."""
    if not true.any():
        return float("nan")
    ranked = true[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


def comparison_table(found: dict[str, Scores]) -> str:
    """Lay out classifiers side by side, as Markdown."""
    names = ("page_f1", "pages_below_half", "f1_content", "f1_chrome", "f1_spam", "ap_content", "ap_spam")
    lines = ["| classifier | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for classifier, scores in found.items():
        figures = scores.summary()
        lines.append(f"| {classifier} | " + " | ".join(f"{figures[name]:.4f}" for name in names) + " |")
    return "\n".join(lines)


def site_table(scores: Scores, sites: Sequence[str] | None = None) -> str:
    """Lay out F1 by class for each site, as Markdown."""
    lines = ["| site | blocks | " + " | ".join(LABEL_NAMES) + " |", "|---" * 5 + "|"]
    for site in sites or scores.by_site:
        confusion = scores.by_site[site]
        figures = " | ".join("" if np.isnan(x) else f"{x:.3f}" for x in class_f1(confusion))
        lines.append(f"| {site} | {confusion.sum()} | {figures} |")
    return "\n".join(lines)
