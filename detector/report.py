"""Scores for people: the text of `evaluate`, the README of a model, the plots of ``--report``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.evaluate import Scores, comparison_table, precision_recall, site_table
from detector.labels import LABEL_NAMES
from detector.rows import Rows

WORST_PAGES = 25


def print_evaluation(name: str, scores: Scores) -> str:
    """Lay out one evaluation as Markdown: pages, classes, confusion, sites."""
    figures = scores.summary()
    precision, recall = precision_recall(scores.confusion)
    known = scores.page_f1[~np.isnan(scores.page_f1)]
    lines = [
        f"## {name.replace('_', ' ')}: {len(known)} pages with content, {scores.confusion.sum()} blocks", "",
        f"Content by page, in characters: F1 {figures['page_f1']:.4f}, below 0.5 on {figures['pages_below_half']:.2%}"
        f" (thresholds: content {scores.content_threshold:g}, spam {scores.spam_threshold:g})", "",
        "| class | precision | recall | F1 | average precision |", "|---|---|---|---|---|",
        *(f"| {label} | {precision[i]:.4f} | {recall[i]:.4f} | {figures[f'f1_{label}']:.4f} | {figures[f'ap_{label}']:.4f} |"
          for i, label in enumerate(LABEL_NAMES)), "",
        "| true ↓ predicted → | " + " | ".join(LABEL_NAMES) + " |", "|---|---|---|---|",
        *(f"| {label} | " + " | ".join(map(str, scores.confusion[i].tolist())) + " |" for i, label in enumerate(LABEL_NAMES)),
        "", "F1 by site:", "", site_table(scores), "",
    ]  # fmt: skip
    return "\n".join(lines)


def write_model_readme(folder: Path, found: dict[str, Scores]) -> None:
    """Write a model's README from its card and the scores of all classifiers compared."""
    card = json.loads((folder / "card.json").read_text("utf-8"))
    data, chosen = card["data"], next(iter(found.values()))
    lines = [
        f"# {card['name']}", "",
        f"Trained {card['created']} on {data['blocks']:,} labelled blocks of {data['pages']} pages (copies with spam written in"
        f" included) of {len(data['sites'])} sites; scikit-learn {card['versions']['scikit-learn']},"
        f" numpy {card['versions']['numpy']}, features version {card['features_version']}.", "",
        "All scores are on sites that the scored model had not seen (5 folds by site). `page_f1` counts characters of content"
        " by page, on pages as they were found; class figures include copies with spam written in, so the spam"
        " figures say how well made-up spam is told, not how well found spam is.", "",
        comparison_table(found), "",
        f"Saved: `{card['classifier']['kind']}`. How to read the files: `classifier.skops` holds scikit-learn's own objects,"
        " `weights.npz` the same weights as arrays, `golden.npz` inputs with the answers scikit-learn gave, checked at load.", "",
        print_evaluation("held-out sites", chosen),
    ]  # fmt: skip
    (folder / "README.md").write_text("\n".join(lines), "utf-8")


def draw_report(folder: Path, rows: Rows, proba: NDArray[np.float32], scores: Scores) -> None:
    """Draw confusion, precision-recall by class, calibration and page scores, and list the worst pages."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(2, 2, figsize=(11, 9), layout="constrained")
    _draw_confusion(axes[0, 0], scores)
    _draw_precision_recall(axes[0, 1], rows, proba)
    _draw_calibration(axes[1, 0], rows, proba)
    axes[1, 1].hist(scores.page_f1[~np.isnan(scores.page_f1)], bins=np.linspace(0, 1, 41))
    axes[1, 1].set(title="Content F1 by page", xlabel="F1, characters", ylabel="pages", yscale="log")
    figure.savefig(folder / "report.png", dpi=110)
    plt.close(figure)
    worst = [i for i in np.argsort(np.nan_to_num(scores.page_f1, nan=2)) if not np.isnan(scores.page_f1[i])][
        :WORST_PAGES
    ]
    table = ["page\tsite\tf1", *(f"{rows.page_ids[i]}\t{rows.sites[i]}\t{scores.page_f1[i]:.3f}" for i in worst)]
    (folder / "worst_pages.tsv").write_text("\n".join(table) + "\n", "utf-8")
    (folder / "report.md").write_text(print_evaluation(folder.name, scores) + "\n![plots](report.png)\n", "utf-8")


def _draw_confusion(axes: Any, scores: Scores) -> None:
    share = scores.confusion / np.maximum(scores.confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), count in np.ndenumerate(scores.confusion):
        colour = "white" if share[i, j] > 0.5 else "black"
        axes.text(j, i, f"{count:,}\n{share[i, j]:.1%}", ha="center", va="center", color=colour)
    ticks = {"xticks": range(3), "yticks": range(3), "xticklabels": LABEL_NAMES, "yticklabels": LABEL_NAMES}
    axes.set(title="Confusion", xlabel="predicted", ylabel="true", **ticks)


def _draw_precision_recall(axes: Any, rows: Rows, proba: NDArray[np.float32]) -> None:
    known = rows.label >= 0
    for k, name in enumerate(LABEL_NAMES):
        true = (rows.label[known] == k)[np.argsort(-proba[known, k], kind="stable")]
        hits = np.cumsum(true)
        axes.plot(hits / max(hits[-1], 1), hits / np.arange(1, len(hits) + 1), label=name)
    axes.legend()
    axes.set(title="Precision and recall", xlabel="recall", ylabel="precision", ylim=(0, 1.02))


def _draw_calibration(axes: Any, rows: Rows, proba: NDArray[np.float32]) -> None:
    known = rows.label >= 0
    edges = np.linspace(0, 1, 11)
    for k, name in enumerate(LABEL_NAMES):
        cell = np.clip(np.digitize(proba[known, k], edges) - 1, 0, 9)
        count = np.bincount(cell, minlength=10)
        said, true = (np.bincount(cell, values, minlength=10) for values in (proba[known, k], rows.label[known] == k))
        filled = count > 0
        axes.plot(said[filled] / count[filled], true[filled] / count[filled], "o-", label=name)
    axes.plot([0, 1], [0, 1], ":", color="grey")
    axes.legend()
    axes.set(title="Calibration", xlabel="predicted probability", ylabel="share that is so")
