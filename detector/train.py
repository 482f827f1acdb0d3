"""Fitting: two passes of classifiers, cross-validated by site; thresholds from held-out predictions; a model folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.augment import OWN_PART, dealt, part_of, written_lines
from detector.corpus import Labeled, concat_labeled, gather, sentence_pages
from detector.errors import InputError
from detector.evaluate import Scores, page_f1, score
from detector.features import FEATURE_NAMES, FEATURES_VERSION, OWN_NAMES, consensus, evidence, featurize, with_context
from detector.labeled import read_labeled
from detector.labels import DEFAULT_POLICY, Label
from detector.lexicon import Lexicon
from detector.model import (
    CERTAIN,
    Layout,
    Model,
    ModelCard,
    doubtful,
    load_classifier,
    plainly_chrome,
    read_arrays,
    save_model,
    second_pass_input,
)
from detector.network import Network, Panel
from detector.ngrams import N_BUCKETS, Words, block_scores, gram_counts
from detector.repeats import SiteCounts, block_hashes, count_repeats
from detector.rows import Rows, concat_rows, is_copy, is_sentence, load_rows, make_rows, select_pages
from detector.screen import Screen
from detector.segment import segment_text
from detector.sentences import Document, read_sentences
from detector.spans import SpanModel

FOLDS = 5  # outer, by site
INNER_FOLDS = 4  # for the first pass's predictions on its own training pages
FIRST_SEEDS = (0, 1)
SECOND_SEEDS = (0, 1, 2)
WORDS_PENALTY = 30.0  # C of the n-gram regression
CONTENT_THRESHOLDS = np.round(np.arange(0.25, 0.76, 0.05), 2)
# Shares that may be called spam of the content and of the chrome of held-out sites, and of the project's own sentences, all
# of which look alike, for choosing the spam thresholds.
MAX_FALSE_SPAM = {"strict": (0.003, 0.03), "balanced": (0.001, 0.005), "lenient": (0.0002, 0.002)}
INJECTED_STEP = 5  # one in so many injected sentences trains block labels
SPAM_THRESHOLDS = np.round(np.arange(0.5, 0.996, 0.005), 3)
GOLDEN_PAGES = 3
Report = Callable[[str], None]


# ---------------------------------------------------------------- classifiers


def _perceptron(hidden: int, epochs: int, seed: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    return make_pipeline(
        MinMaxScaler(clip=True), StandardScaler(),
        SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True),
        MLPClassifier((hidden,), alpha=0.1, batch_size=256, max_iter=epochs, random_state=seed),
    )  # fmt: skip


def _logistic(_: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    fill = SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)
    return make_pipeline(MinMaxScaler(clip=True), StandardScaler(), fill, LogisticRegression(C=0.1, max_iter=200))


def _boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=30, learning_rate=0.25, max_leaf_nodes=15, l2_regularization=5.0, min_samples_leaf=40,
        max_features=0.2, max_bins=64, random_state=seed,
    )  # fmt: skip


class Classifier(NamedTuple):
    """How to make the estimators of both passes from a seed, and with how many seeds."""

    first: Callable[[int], Any]
    second: Callable[[int], Any]
    first_seeds: Sequence[int] = (0,)
    second_seeds: Sequence[int] = (0,)
    strange: bool = True  # shown every block a second time, as if its site were unknown


CLASSIFIERS = {
    "mlp": Classifier(partial(_perceptron, 64, 8), partial(_perceptron, 32, 10), FIRST_SEEDS, SECOND_SEEDS),
    "logistic": Classifier(_logistic, _logistic),
    "boosting": Classifier(_boosting, _boosting, strange=False),  # ten times slower to fit than the others
}
DEFAULT_CLASSIFIER = "mlp"  # the one whose weights are plain arrays


# ---------------------------------------------------------------- folds


def site_folds(sites: Sequence[str], k: int, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Split pages into `k` folds so that no site stands on both sides; (train, test) page numbers."""
    from sklearn.model_selection import GroupKFold

    n_sites = len(set(sites))
    if n_sites < 2:
        raise InputError("training needs pages of at least two sites: scores are always taken on sites not trained on")
    splitter = GroupKFold(min(k, n_sites), shuffle=True, random_state=seed)
    return [(train, test) for train, test in splitter.split(np.arange(len(sites)), groups=np.array(sites))]


# ---------------------------------------------------------------- words


def fit_words(labeled: Labeled, pages: NDArray[np.int64] | None = None, honest: Sequence[Document] = ()) -> Words:
    """Fit the n-gram evidence on labelled blocks (of some pages), a repeated one once.

    What was written by hand and is dealt to their sites is learned from as well: lines of spam, and honest look-alikes.
    """
    from scipy.sparse import vstack

    blocks, mask = labeled.blocks, labeled.label >= 0
    if pages is not None:
        mask &= np.isin(blocks.page_index, pages)
    chosen = np.flatnonzero(mask)
    once = np.unique(np.column_stack([block_hashes(blocks)[chosen], labeled.label[chosen]]), axis=0, return_index=True)
    chosen = np.sort(chosen[once[1]])
    sites = labeled.sites if pages is None else [labeled.sites[page] for page in pages.tolist()]
    parts = sorted({part_of(site) for site in sites})
    spam = segment_text("\n".join(line for part in parts for line in written_lines(part)))
    alike = segment_text("\n".join(text for part in parts for d in dealt(honest, part) for text in d.texts))
    label = [labeled.label[chosen], np.full(len(spam), Label.SPAM), np.full(len(alike), Label.CONTENT)]
    counts = vstack([gram_counts(blocks)[chosen], gram_counts(spam), gram_counts(alike)])
    return _words_of(fit_words_estimator(counts, np.concatenate(label)))


def fit_words_estimator(counts: Any, label: NDArray[np.int8]) -> Any:
    """Fit scikit-learn's logistic regression on n-gram counts; the three classes must all occur."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose: a form of regularisation
        return LogisticRegression(C=WORDS_PENALTY, max_iter=200).fit(counts, label)


def _words_of(estimator: Any) -> Words:
    weights = np.zeros((N_BUCKETS, 3), np.float32)
    intercept = np.full(3, -10.0, np.float32)  # a class never seen
    if len(estimator.classes_) == 2:
        low, high = (int(c) for c in estimator.classes_)
        weights[:, low], weights[:, high] = -estimator.coef_[0] / 2, estimator.coef_[0] / 2
        intercept[[low, high]] = -estimator.intercept_[0] / 2, estimator.intercept_[0] / 2
    else:
        weights[:, estimator.classes_] = estimator.coef_.T
        intercept[estimator.classes_] = estimator.intercept_
    return Words(weights.astype(np.float16).astype(np.float32), intercept)


def repeats_among(labeled: Labeled) -> SiteCounts:
    """Count repeated blocks over the labelled pages of each site, for one page in two: the other half has no table."""
    blocks = labeled.blocks
    found = [None if is_copy(i) else site for i, site in zip(blocks.page_ids, labeled.sites, strict=True)]
    shown = [site if Random(i).random() < 0.5 else None for i, site in zip(blocks.page_ids, labeled.sites, strict=True)]
    return count_repeats([(blocks, found)]).counts(block_hashes(blocks), blocks.page_offsets, shown)


def rows_with_words(labeled: Labeled, lexicon: Lexicon, words: Words) -> Rows:
    """Featurise labelled pages with n-gram evidence that never saw them."""
    own = featurize(labeled.blocks, lexicon, words, repeats_among(labeled))
    return make_rows(labeled.blocks, own, labeled.label, labeled.sites)


def rows_crossed(
    labeled: Labeled, lexicon: Lexicon, *, honest: Sequence[Document] = (), folds: int = INNER_FOLDS, seed: int = 0
) -> tuple[Rows, Words]:
    """Featurise labelled pages, the n-gram evidence of each site by words fitted on the others.

    Returns
    -------
    Rows
        Of all pages.
    Words
        Fitted on all pages, for use on pages not among them.
    """
    every = fit_words(labeled, honest=honest)
    own = featurize(labeled.blocks, lexicon, every, repeats_among(labeled))
    columns = [OWN_NAMES.index(name) for name in evidence.NAMES]
    page = labeled.blocks.page_index
    for train, test in site_folds(_word_groups(labeled.sites), folds, seed):
        scores = block_scores(labeled.blocks, fit_words(labeled, train, honest))
        inside = np.flatnonzero(np.isin(page, test))
        own[inside[:, None], columns] = scores[inside]
    return make_rows(labeled.blocks, own, labeled.label, labeled.sites), every


def _word_groups(sites: Sequence[str]) -> list[str]:
    """Group pages by the part of the written spam that goes into them; by site where all share one part."""
    parts = [str(part_of(site)) for site in sites]
    return parts if len(set(parts)) > 1 else list(sites)


def save_words(path: Path, words: Words) -> None:
    """Write words as half-precision arrays, which is how they were rounded when they were fitted."""
    np.savez_compressed(path, weights=words.weights.astype(np.float16), intercept=words.intercept)


def load_words(path: Path) -> Words:
    """Read what `save_words` wrote."""
    saved = read_arrays(path)
    return Words(saved["weights"].astype(np.float32), saved["intercept"])


def training_rows(
    folders: Sequence[Path], lexicon: Lexicon, *, on_page: Report = lambda _: None, on_loss: Report = lambda _: None
) -> tuple[Rows, Words]:
    """Read all labelled data below `folders`: rows with their words, and labelled pages.

    Labelled pages get their n-gram evidence from the words that came with the rows, which never saw them; where there
    are no rows, words are fitted on the pages themselves, crossed by site.
    """
    found = [path for folder in folders for path in sorted(folder.rglob("rows.npz"))]
    honest = [d for folder in folders for d in read_sentences(folder / "sentences")[1]]
    pages = (page for folder in folders for page in read_labeled(folder, on_loss))
    labeled = gather(pages, honest=honest, on_page=on_page, on_loss=on_loss) if _any_tables(folders) else None
    sentences = [d for folder in folders for d in training_sentences(folder / "sentences")]
    if labeled and sentences:
        labeled = concat_labeled([labeled, sentence_pages(sentences)])
    if not found:
        if labeled is None:
            raise InputError(f"no rows.npz and no label tables below {', '.join(map(str, folders))}")
        return rows_crossed(labeled, lexicon)
    words = load_words(found[0].with_name("words.npz"))
    parts = [load_rows(path) for path in found]
    if labeled is not None:
        parts.append(rows_with_words(labeled, lexicon, words))
    return concat_rows(parts), words


def training_sentences(folder: Path) -> list[Document]:
    """Read the sentences that block labels are trained on: honest ones, and some of those with injected strings.

    The honest ones are those that the n-gram evidence does not learn from. An injected sentence is content, though its
    words are half spam: many of them would blur what spam is.
    """
    injected, honest = read_sentences(folder)
    return [*injected[::INJECTED_STEP], *dealt(honest, OWN_PART)]


def find_span_model(folders: Sequence[Path]) -> SpanModel | None:
    """Load the first spans.npz below `folders`."""
    found = next((path for folder in folders for path in sorted(folder.rglob("spans.npz"))), None)
    return SpanModel.from_arrays(read_arrays(found)) if found else None


def _any_tables(folders: Sequence[Path]) -> bool:
    return any(next(folder.rglob("*.tsv"), None) for folder in folders)


# ---------------------------------------------------------------- two passes


class Fitted(NamedTuple):
    """The fitted estimators of the screen and of both passes."""

    screen: Any
    first: list[Any]
    second: list[Any]

    def predict_proba(self, rows: Rows) -> NDArray[np.float32]:
        """Return float32 (n, 3), from scikit-learn's own objects; what the screen holds back, as the model will."""
        proba = plainly_chrome(len(rows.own))
        if len(unclear := Screen.from_pipeline(self.screen).unclear(rows.own)):
            proba[unclear] = _proba(self.first, with_context(rows.own, rows.layout.page_offsets)[unclear])
        if len(asked := doubtful(proba)):
            proba[asked] = _proba(self.second, second_pass_input(proba, rows.own, rows.layout)[asked])
        return proba


def _proba(estimators: Sequence[Any], X: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.zeros((len(X), 3), np.float32)
    for estimator in estimators:
        out[:, estimator.classes_] += estimator.predict_proba(X).astype(np.float32) / len(estimators)
    return out


def fit(rows: Rows, classifier: Classifier, seed: int = 0) -> Fitted:
    """Fit both passes; the second learns from first-pass predictions on sites that pass did not see."""
    X = with_context(rows.own, rows.layout.page_offsets)
    page = rows.page_index
    held_out = np.zeros((len(X), 3), np.float32)
    strange = (_strange(FEATURE_NAMES), _strange((*consensus.NAMES, *OWN_NAMES))) if classifier.strange else ({}, {})
    for train, test in site_folds(rows.sites, INNER_FOLDS, seed):
        inside, outside = np.isin(page, train), np.isin(page, test)
        estimators = _fit_pass(classifier.first, classifier.first_seeds[:1], X[inside], rows.label[inside], strange[0])
        held_out[outside] = _proba(estimators, X[outside])
    first = _fit_pass(classifier.first, classifier.first_seeds, X, rows.label, strange[0])
    Z = second_pass_input(held_out, rows.own, rows.layout)
    second = _fit_pass(classifier.second, classifier.second_seeds, Z, rows.label, strange[1])
    return Fitted(_fit_screen(rows, held_out), first, second)


def _fit_screen(rows: Rows, held_out: NDArray[np.float32]) -> Any:
    """Fit a logistic regression on what tells, of a block's own features, the chrome that the first pass is certain of.

    Plain text is left out, and what only a table of repeated blocks tells. None where the pass is never certain.
    """
    own = rows.own.copy()
    own[:, [name.startswith(("log_site_", "site_share")) for name in OWN_NAMES]] = 0
    shown = (rows.label >= 0) & ~np.isnan(own).any(axis=1)
    certain = (held_out[:, Label.CHROME] >= CERTAIN) & (rows.label == Label.CHROME)
    return _logistic(0).fit(own[shown], certain[shown]) if certain[shown].any() else None


def _strange(names: Sequence[str]) -> dict[int, float]:
    """What columns hold on a site never seen: other class and id words, and no table of its repeated blocks."""
    words = {i: 0.0 for i, name in enumerate(names) if name.startswith("name_") or name == "log_site_pages"}
    table = {i: np.nan for i, name in enumerate(names) if name.startswith(("log_site_repeats", "site_share"))}
    return words | table


def _fit_pass(
    make: Callable[[int], Any],
    seeds: Sequence[int],
    X: NDArray[np.float32],
    label: NDArray[np.int8],
    strange: dict[int, float],
) -> list[Any]:
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    shown, truth = X[label >= 0], label[label >= 0]
    if strange:
        again = shown.copy()
        again[:, list(strange)] = list(strange.values())
        shown, truth = np.concatenate([shown, again]), np.concatenate([truth, truth])
    with warnings.catch_warnings(), threadpool_limits(1):  # threads wait for one another longer than they work
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed, small number of epochs is the regularisation
        return [make(seed).fit(shown, truth) for seed in seeds]


def cross_validate(rows: Rows, classifier: Classifier, *, folds: int = FOLDS, seed: int = 0) -> NDArray[np.float32]:
    """Predict every page by a model that was fitted without its site, float32 (n, 3)."""
    from joblib import Parallel, delayed

    proba = np.zeros((len(rows.label), 3), np.float32)
    splits = site_folds(rows.sites, folds, seed)
    found = Parallel(n_jobs=-1)(delayed(_fit_and_predict)(rows, *split, classifier, seed) for split in splits)
    for (_, test), predicted in zip(splits, found, strict=True):
        proba[np.isin(rows.page_index, test)] = predicted
    return proba


def _fit_and_predict(
    rows: Rows, train: NDArray[np.int64], test: NDArray[np.int64], classifier: Classifier, seed: int
) -> NDArray[np.float32]:
    return fit(select_pages(rows, train), classifier, seed).predict_proba(select_pages(rows, test))


# ---------------------------------------------------------------- thresholds


def choose_thresholds(rows: Rows, proba: NDArray[np.float32]) -> tuple[float, float]:
    """Choose (content, spam) on held-out predictions.

    The spam threshold is that of the default policy; the content threshold is then the one with the best mean page F1.
    """
    spam = spam_thresholds(rows, proba)[DEFAULT_POLICY][0]
    f1 = [page_f1(rows, proba, float(t), spam).mean() for t in CONTENT_THRESHOLDS]
    return float(CONTENT_THRESHOLDS[int(np.argmax(f1))]), spam


def spam_thresholds(rows: Rows, proba: NDArray[np.float32]) -> dict[str, tuple[float, float]]:
    """Choose for each policy the lowest thresholds at which no more honest blocks are called spam than it allows.

    Returns
    -------
    dict of str to (float, float)
        The threshold for pages with markup, chosen on pages as they were found, and that for plain text, chosen on the
        project's own sentences, where little but the words tells them from spam.
    """
    sentence = np.array([is_sentence(page_id) for page_id in rows.page_ids])[rows.page_index]
    content, chrome, real = rows.label == Label.CONTENT, rows.label == Label.CHROME, rows.real[rows.page_index]
    said = [np.sort(proba[mask, Label.SPAM]) for mask in (content & real, chrome & real, content & sentence)]

    def lowest(p: NDArray[np.float32], share: float) -> float:
        alarms = len(p) - np.searchsorted(p, SPAM_THRESHOLDS.astype(np.float32))
        few = np.flatnonzero(alarms <= share * len(p))
        return float(SPAM_THRESHOLDS[few[0] if len(few) else -1])

    found = {}
    for policy, (in_pages, in_sentences) in MAX_FALSE_SPAM.items():
        page = max(lowest(said[0], in_pages), lowest(said[1], in_pages))
        found[policy] = page, max(page, lowest(said[2], in_sentences))
    return found


# ---------------------------------------------------------------- the whole


def compare(
    rows: Rows, names: Sequence[str], report: Report, seed: int = 0, folds: int = FOLDS
) -> Iterator[tuple[str, Scores]]:
    """Cross-validate classifiers one after another, thresholds chosen for each."""
    for name in names:
        report(f"cross-validating {name} over {len(set(rows.sites))} sites")
        proba = cross_validate(rows, CLASSIFIERS[name], folds=folds, seed=seed)
        scores = score(rows, proba, *choose_thresholds(rows, proba))
        yield name, replace(scores, policies=spam_thresholds(rows, proba))


def train(
    rows: Rows, words: Words, lexicon: Lexicon, folder: Path, *, spans: SpanModel | None = None,
    compared: Sequence[str] = tuple(CLASSIFIERS), seed: int = 0, report: Report = lambda _: None,
) -> dict[str, Scores]:  # fmt: skip
    """Cross-validate, choose thresholds, fit on everything and write a model folder.

    Returns
    -------
    dict of str to Scores
        Held-out scores of every classifier compared; the default one is what is saved.
    """
    names = [DEFAULT_CLASSIFIER, *(n for n in compared if n != DEFAULT_CLASSIFIER)]
    if unknown := set(names) - CLASSIFIERS.keys():
        raise InputError(f"no classifier {', '.join(sorted(unknown))}; there are {', '.join(CLASSIFIERS)}")
    found = dict(compare(rows, names, report, seed))
    report("fitting on all sites")
    fitted = fit(rows, CLASSIFIERS[DEFAULT_CLASSIFIER], seed)
    scores = found[DEFAULT_CLASSIFIER]
    card = make_card(folder.name, rows, lexicon, scores, {name: s.summary() for name, s in found.items()}, seed)
    model = replace(_model(fitted, words, card), spans=spans)
    saved = {"screen": fitted.screen, "first": _bare(fitted.first), "second": _bare(fitted.second)}
    save_model(folder, model, saved, _golden(rows, fitted))
    load_classifier(folder)
    return found


def fit_model(rows: Rows, words: Words, lexicon: Lexicon, name: str, *, seed: int = 0, folds: int = FOLDS) -> Model:
    """Fit a model and its thresholds without saving it or comparing classifiers; `folds` choose the thresholds."""
    scores = dict(compare(rows, [DEFAULT_CLASSIFIER], lambda _: None, seed, folds))[DEFAULT_CLASSIFIER]
    fitted = fit(rows, CLASSIFIERS[DEFAULT_CLASSIFIER], seed)
    return _model(fitted, words, make_card(name, rows, lexicon, scores, {}, seed))


def _model(fitted: Fitted, words: Words, card: ModelCard) -> Model:
    first, second = (Panel.of([Network.from_pipeline(p) for p in some]) for some in (fitted.first, fitted.second))
    return Model(words, Screen.from_pipeline(fitted.screen), first, second, card)


def make_card(
    name: str, rows: Rows, lexicon: Lexicon, scores: Scores, compared: dict[str, Any], seed: int
) -> ModelCard:
    """Describe a model."""
    import sklearn

    data = {"pages": len(rows.page_ids), "blocks": int((rows.label >= 0).sum()), "sites": sorted(set(rows.sites))}
    return ModelCard(
        name=name, feature_names=list(OWN_NAMES), features_version=FEATURES_VERSION,
        content_threshold=scores.content_threshold, spam_threshold=scores.spam_threshold,
        text_spam_threshold=scores.policies[DEFAULT_POLICY][1],
        policies=scores.policies, classifier={"kind": DEFAULT_CLASSIFIER, "seed": seed, "folds": FOLDS}, lexicon_sha256=lexicon.sha256,
        data_sha256=rows.sha256, data=data, scores={"compared": compared, "held_out": scores.details()},
        versions={"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        created=datetime.now(UTC).date().isoformat(),
    )  # fmt: skip


def _bare(pipelines: Sequence[Any]) -> list[Any]:
    """Drop what only fitting needs: the optimizer, whose type a loader would have to trust."""
    for pipeline in pipelines:
        vars(pipeline.steps[-1][1]).pop("_optimizer", None)
    return list(pipelines)


def _golden(rows: Rows, fitted: Fitted) -> dict[str, NDArray[Any]]:
    """Keep some short pages' features with the probabilities that scikit-learn gives."""
    sizes = np.diff(rows.layout.page_offsets)
    chosen = select_pages(rows, np.sort(np.argsort(np.abs(sizes - 40), kind="stable")[:GOLDEN_PAGES]))
    chosen = replace(chosen, own=chosen.own.astype(np.float16).astype(np.float32))
    layout: Layout = chosen.layout
    return {"own": chosen.own, "proba": fitted.predict_proba(chosen), **layout._asdict()}


# ---------------------------------------------------------------- scoring

Evaluation = dict[str, tuple[Rows, NDArray[np.float32], Scores]]


def evaluate_crossed(rows: Rows, seed: int = 0) -> Evaluation:
    """Score the default classifier on held-out sites: rows, probabilities and scores, under one name."""
    proba = cross_validate(rows, CLASSIFIERS[DEFAULT_CLASSIFIER], seed=seed)
    return {"held_out_sites": (rows, proba, score(rows, proba, *choose_thresholds(rows, proba)))}


def evaluate_model(rows: Rows, model: Model) -> Evaluation:
    """Score a model, apart for sites that it was trained on and sites that it was not."""
    trained = set(model.card.data["sites"])
    seen = np.array([site in trained for site in rows.sites])
    found: Evaluation = {}
    for name, pages in (("sites_not_trained_on", ~seen), ("sites_trained_on", seen)):
        if pages.any():
            part = select_pages(rows, np.flatnonzero(pages))
            proba = model.predict_proba(part.own, part.layout)
            thresholds = model.card.content_threshold, model.card.spam_threshold
            found[name] = part, proba, score(part, proba, *thresholds)
    return found
