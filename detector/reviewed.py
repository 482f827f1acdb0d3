"""What a report shows of an evaluated model: which families of features matter, and pages as they were judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.blocks import RawPage
from detector.evaluate import Scores, balanced_log_loss
from detector.influence import importance
from detector.lexicon import Lexicon
from detector.model import Layout, Model
from detector.pipeline import detect, segment_page, verdict_of
from detector.report import Show
from detector.rows import Rows, select_pages
from detector.train import CLASSIFIERS, DEFAULT_CLASSIFIER, FOLDS, fit, site_folds
from detector.verdicts import decide
from detector.view import write_view
from detector.why import reasons_of

MEASURED_PAGES = 500  # on which importance is measured; more take long and say the same


def importance_of(rows: Rows, model: Model | None, seed: int = 0) -> dict[str, list[float]]:
    """Tell how much each family of features matters, to a model or, without one, to the classifier that is evaluated.

    The latter is fitted on the sites of all folds but one, and asked about the sites of that one.
    """
    if model is None:
        train, rest = site_folds(rows.sites, FOLDS, seed)[0]
        fitted = fit(select_pages(rows, train), CLASSIFIERS[DEFAULT_CLASSIFIER], seed)
    else:
        rest = np.arange(len(rows.page_ids))
    chosen = np.random.default_rng(seed).permutation(rest)[:MEASURED_PAGES]
    asked = select_pages(rows, np.sort(chosen))

    def predict(own: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        if model is not None:
            return model.predict_proba(own, layout)
        return fitted.predict_proba(replace(asked, own=own, layout=layout))

    return importance(predict, asked, lambda proba: balanced_log_loss(asked.label, proba), seed=seed)


def shown_by_model(model: Model, lexicon: Lexicon) -> Show:
    """Return what shows a page as `predict` judges it, with reasons."""

    def show(page: RawPage, truth: NDArray[np.int8], _: NDArray[np.float32]) -> Iterable[str]:
        (verdict,) = detect([page], model, lexicon=lexicon)
        return write_view(verdict, reasons_of(verdict, model, lexicon), judged_by=model.card.name, truth=truth)

    return show


def shown_by_scores(scores: Scores) -> Show:
    """Return what shows a page as it was judged without its site; such a model is not kept, so there are no reasons."""

    def show(page: RawPage, truth: NDArray[np.int8], proba: NDArray[np.float32]) -> Iterable[str]:
        label = decide(proba, content_threshold=scores.content_threshold, spam_threshold=scores.spam_threshold)
        verdict = verdict_of(page, segment_page(page), label, proba, [])
        return write_view(verdict, judged_by="fitted without this site", truth=truth)

    return show
