"""Scores for people: the text of `evaluate`, the README of a model, the pages of ``--report``."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.blocks import RawPage
from detector.charts import histogram, line_chart
from detector.evaluate import (
    Scores,
    calibration,
    comparison_table,
    precision_recall,
    precision_recall_curve,
    site_table,
)
from detector.features import FAMILIES
from detector.labeled import LabeledPage
from detector.labels import LABEL_NAMES
from detector.rows import Rows
from detector.view import document

WORST_PAGES = 25
Show = Callable[[RawPage, NDArray[np.int8], NDArray[np.float32]], Iterable[str]]


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


# ---------------------------------------------------------------- --report

Evaluated = tuple[Rows, NDArray[np.float32], Scores]
Links = dict[tuple[str, str], str]  # of the views of pages, by (site, page id)


def write_report(
    folder: Path, found: Mapping[str, Evaluated], matters: Mapping[str, Sequence[float]],
    pages: Iterable[LabeledPage], show: Show,
) -> None:  # fmt: skip
    """Write report.html, worst_pages.tsv and views of the worst pages.

    Parameters
    ----------
    matters : mapping of str to sequence of float
        As `influence.importance` returns it.
    pages : iterable of LabeledPage
        Those whose text is at hand; others, as rows of pages of which only numbers are left, are named without a view.
    show : callable
        Takes a page, its labels and its probabilities, and yields its view.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = {(page.site, page.page.page_id): page.page for page in pages}
    worst = {name: _worst_of_all_and_known(rows, scores, known) for name, (rows, _, scores) in found.items()}
    views: Links = {}
    lines = ["evaluation\tpage\tsite\tf1"]
    for name, (rows, proba, scores) in found.items():
        for i in worst[name]:
            key = rows.sites[i], rows.page_ids[i]
            lines.append(f"{name}\t{key[1]}\t{key[0]}\t{scores.page_f1[i]:.3f}")
            if key in known and key not in views:
                views[key] = f"views/{len(views) + 1:02}.html"
                mine = slice(*rows.layout.page_offsets[i : i + 2].tolist())
                _write(folder / views[key], show(known[key], rows.label[mine], proba[mine]))
    _write(folder / "worst_pages.tsv", ["\n".join(lines), "\n"])
    _write(folder / "report.html", document("evaluation", _report_body(found, matters, worst, views)))


def _write(path: Path, pieces: Iterable[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(pieces), "utf-8")


def _worst_of_all_and_known(rows: Rows, scores: Scores, known: Container[tuple[str, str]]) -> list[int]:
    """Return the worst pages, and the worst of those whose text is at hand: these can be looked at."""
    at_hand = np.array([key in known for key in zip(rows.sites, rows.page_ids, strict=True)], bool)
    both = {*worst_pages(scores.page_f1), *worst_pages(np.where(at_hand, scores.page_f1, np.nan))}
    return sorted(both, key=lambda i: float(scores.page_f1[i]))


def worst_pages(f1: NDArray[np.float64]) -> list[int]:
    """Return the numbers of the pages whose content came out worst, the worst first, none that came out right."""
    order = np.argsort(np.nan_to_num(f1, nan=2), kind="stable")[:WORST_PAGES].tolist()
    return [i for i in order if f1[i] < 1]


def _report_body(
    found: Mapping[str, Evaluated], matters: Mapping[str, Sequence[float]], worst: Mapping[str, list[int]], views: Links
) -> Iterator[str]:  # fmt: skip
    yield '<header><h1>How good it is</h1></header><main class="report">\n'
    for name, (rows, proba, scores) in found.items():
        figures, known = scores.summary(), ~np.isnan(scores.page_f1)
        yield f"<h2>{escape(name.replace('_', ' '))}</h2>\n"
        yield (
            f"<p>Content by page, in characters: F1 <b>{figures['page_f1']:.4f}</b>, below 0.5 on {figures['pages_below_half']:.2%} of"
            f" {known.sum():,} pages. {scores.confusion.sum():,} labelled blocks, copies with spam written in among them."
            f" Thresholds: content {scores.content_threshold:g}, spam {scores.spam_threshold:g}.</p>\n"
        )
        yield f'<div class="charts">{_confusion(scores)}{_curves(rows, proba)}{_pages(scores.page_f1[known])}</div>\n'
        yield from _worst(rows, scores, worst[name], views)
        yield from _sites(scores)
    yield from _matters(matters)
    yield "</main>\n"


def _confusion(scores: Scores) -> str:
    share = scores.confusion / np.maximum(scores.confusion.sum(axis=1, keepdims=True), 1)
    rows = []
    for i, name in enumerate(LABEL_NAMES):
        cells = (
            f'<td class="{LABEL_NAMES[j]}" style="--p:{share[i, j]:.3f}"><b>{scores.confusion[i, j]:,}</b><br>{share[i, j]:.1%}'
            for j in range(3)
        )
        rows.append(f"<tr><th>{name}{''.join(cells)}")
    head = "".join(f"<th>{name}" for name in LABEL_NAMES)
    return f'<figure><figcaption>Labels: people ↓, model →</figcaption><table class="confusion"><tr><th>{head}{"".join(rows)}</table></figure>'


def _curves(rows: Rows, proba: NDArray[np.float32]) -> str:
    known = rows.label >= 0
    said = {name: (rows.label[known] == k, proba[known, k]) for k, name in enumerate(LABEL_NAMES)}
    precision = {name: precision_recall_curve(*pair) for name, pair in said.items()}
    calibrated = {name: calibration(*pair) for name, pair in said.items()}
    charts = {
        "Precision and recall": line_chart(precision, x="recall", y="precision"),
        "Calibration": line_chart(
            calibrated, x="probability that is told", y="share that is so", dots=True, diagonal=True
        ),
    }
    return "".join(f"<figure><figcaption>{title}</figcaption>{chart}</figure>" for title, chart in charts.items())


def _pages(f1: NDArray[np.float64]) -> str:
    chart = histogram(f1, x="F1 of a page's content, in characters", y="pages")
    return f"<figure><figcaption>Pages</figcaption>{chart}</figure>"


def _sites(scores: Scores) -> Iterator[str]:
    """Lay out of each site what was taken for what, the site with the largest share of errors first."""
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    head = "".join(f"<th>{LABEL_NAMES[i]} → {LABEL_NAMES[j]}" for i, j in pairs)
    yield f'<details open><summary>Confusion by site</summary><table class="sites"><tr><th>site<th>blocks<th>wrong{head}\n'

    def wrong(confusion: NDArray[np.int64]) -> float:
        total = int(confusion.sum())
        return (total - int(np.trace(confusion))) / max(1, total)

    right = [site for site, confusion in scores.by_site.items() if not wrong(confusion)]
    for site, confusion in sorted(scores.by_site.items(), key=lambda item: -wrong(item[1])):
        if site not in right:
            total = int(confusion.sum())
            cells = "".join(f'<td style="--p:{confusion[i, j] / total:.4f}">{confusion[i, j] or ""}' for i, j in pairs)
            yield f"<tr><td>{escape(site)}<td>{total:,}<td>{wrong(confusion):.1%}{cells}\n"
    yield f"</table><p>{len(right)} sites without an error{': ' * bool(right)}{escape(', '.join(right))}</p></details>\n"


def _worst(rows: Rows, scores: Scores, worst: list[int], views: Links) -> Iterator[str]:
    yield '<details open><summary>Worst pages</summary><table class="worst"><tr><th>F1<th>site<th>page\n'
    for i in worst:
        site, page = escape(rows.sites[i]), escape(rows.page_ids[i])
        link = views.get((rows.sites[i], rows.page_ids[i]))
        yield f"<tr><td>{scores.page_f1[i]:.3f}<td>{site}<td>{f'<a href={chr(34)}{link}{chr(34)}>{page}</a>' if link else page}\n"
    yield "</table></details>\n"


def _matters(matters: Mapping[str, Sequence[float]]) -> Iterator[str]:
    yield "<h2>Which features matter</h2>\n<p>How much the log loss, each class counting alike, grows when the features of a family are those of other blocks.</p>\n"
    top = max((max(grown) for grown in matters.values()), default=0) or 1
    yield '<table class="matters">\n'
    for family, grown in matters.items():
        mean = float(np.mean(grown))
        yield (
            f'<tr><td>{escape(family)}<td><span class="long"><i style="width:{max(0.0, mean) / top:.1%}"></i></span>'
            f"<td>{mean:+.3f}<td>{min(grown):.3f} to {max(grown):.3f}<td>{len(FAMILIES[family])} features\n"
        )
    yield "</table>\n"
