"""Labels that may be wrong: a light model, fitted without their site, thinks otherwise.

One pass of logistic regression is enough to point at them, and quick. Ranking by the probability of the given label finds as
many as the customary tools do (Northcutt, Jiang, Chuang, "Confident Learning", JAIR 2021, call it self-confidence).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.answers import Place, page_key
from detector.corpus import gather
from detector.features import with_context
from detector.labeled import nth_of_hash, read_labeled
from detector.labels import LABEL_NAMES
from detector.lexicon import Lexicon
from detector.rows import Rows
from detector.train import CLASSIFIERS, FOLDS, load_words, rows_crossed, rows_with_words, site_folds


class Suspect(NamedTuple):
    """A labelled block that the model, fitted without its site, takes for something else."""

    place: Place
    site: str
    page_id: str
    text: str
    label: str
    p_label: float
    guess: str
    p_guess: float
    annotator: str


def find_suspects(
    folder: Path, lexicon: Lexicon, *, seed: int = 0, on_loss: Callable[[str], None] = lambda _: None
) -> list[Suspect]:
    """Find the suspect labels of a folder of labelled data, the least likely first; a repeated block once a site.

    Raises
    ------
    InputError
        If there are no labelled pages, or only those of one site.
    """
    pages = {page_key(found.page.body): found for found in read_labeled(folder, on_loss)}
    keyed = (found._replace(page=found.page._replace(page_id=key)) for key, found in pages.items())
    labeled = gather(keyed, augment=False, on_loss=on_loss)
    words = next(iter(sorted(folder.rglob("words.npz"))), None)
    rows = rows_with_words(labeled, lexicon, load_words(words)) if words else rows_crossed(labeled, lexicon)[0]
    proba, texts, places = _predict_crossed(rows, seed), labeled.blocks.texts(), _places(rows)
    annotators = {Place(key, row.hash, row.nth): row.annotator for key, found in pages.items() for row in found.labels}
    doubted: dict[tuple[str, int], Suspect] = {}
    for i in np.flatnonzero((rows.label >= 0) & (proba.argmax(axis=1) != rows.label)).tolist():
        place, p = places[i], proba[i].tolist()
        label, guess, found = int(rows.label[i]), int(proba[i].argmax()), pages[place.page]
        suspect = Suspect(
            place, found.site, found.page.page_id, texts[i], LABEL_NAMES[label], p[label], LABEL_NAMES[guess], p[guess],
            annotators[place],
        )  # fmt: skip
        before = doubted.setdefault((found.site, place.hash), suspect)
        if suspect.p_label < before.p_label:
            doubted[found.site, place.hash] = suspect
    return sorted(doubted.values(), key=lambda suspect: (suspect.p_label, suspect.place))


def _places(rows: Rows) -> list[Place]:
    """Name the block of each row; pages have their keys for ids."""
    hashes, bounds = rows.hashes.tolist(), pairwise(rows.layout.page_offsets.tolist())
    return [
        Place(key, *named)
        for key, (first, last) in zip(rows.page_ids, bounds, strict=True)
        for named in zip(hashes[first:last], nth_of_hash(hashes[first:last]), strict=True)
    ]


def _predict_crossed(rows: Rows, seed: int) -> NDArray[np.float32]:
    """Predict the blocks of each site by a model fitted on the other sites, float32 (n, 3)."""
    from threadpoolctl import threadpool_limits

    X = np.nan_to_num(with_context(rows.own, rows.layout.page_offsets))  # columns that nothing is known in are harmless
    proba = np.zeros((len(X), len(LABEL_NAMES)), np.float32)
    page, known = rows.page_index, rows.label >= 0
    for train, test in site_folds(rows.sites, FOLDS, seed):
        shown, asked = np.isin(page, train) & known, np.isin(page, test)
        with warnings.catch_warnings(), threadpool_limits(1):  # threads wait for one another longer than they work
            warnings.simplefilter("ignore")  # it may stop early
            fitted = CLASSIFIERS["logistic"].first(seed).fit(X[shown], rows.label[shown])
        proba[np.ix_(asked, fitted.classes_)] = fitted.predict_proba(X[asked])
    return proba
