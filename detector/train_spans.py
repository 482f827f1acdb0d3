"""Fitting the span model: heat, then the network over candidates, on clean text with strings written in.

Texts come from three places: pages with gold text, carriers (any clean running text), and the project's own sentences, both
injected and honest. A candidate is always judged on the heat of a model that was fitted on other sites, as it will be.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.augment import all_written_lines
from detector.background import Background, count_background, join
from detector.chars import EDGE_CODE
from detector.corpus import Labeled
from detector.errors import InputError, ModelError
from detector.forest import Forest
from detector.heat import Heat, from_coefficients, measure, vote_matrix
from detector.inject import Injected, inject_strings, inject_title
from detector.judge import describe
from detector.labeled import LabeledPage, read_labeled
from detector.labels import DEFAULT_POLICY, POLICIES, Label
from detector.lexicon import Lexicon
from detector.network import Network, Panel
from detector.rows import is_copy
from detector.runs import find_runs
from detector.sentences import Document, Spans, read_look_alikes, read_sentences
from detector.spans import Judges, SpanModel
from detector.topic import Topic, clauses, gram_matrix
from detector.weigh import APART, Weighed, cue_codes, weigh
from detector.windows import BEHIND, FIRST, FURTHER, Look, cold_look, judge_windows, warm_zones, window_rows

JUDGE_FOLDS = 4  # of the groups; the candidates of one are judged by what the others taught, to choose the thresholds
HALVES = 2  # of the sites; heat fitted on one finds the candidates of the other
VERSIONS = 6  # injected copies of each page
OWN_REPEATS = 4  # the project's own sentences count so many times in heat
CARRIERS_IN_A_DOCUMENT = 10
MIN_CHROME = 12  # characters; shorter blocks are words, not text
NEAR = 6  # characters around an injected string that always serve as counter-examples
FAR_SHARE = 0.3  # of the characters of clean texts that serve as counter-examples
PENALTY = 0.1  # C of the regressions
MIN_OVERLAP = 0.5  # of a candidate's characters that were injected
# Strings of a site that may raise an alarm, per clean text and per honest look-alike (the hardest that people could think
# of), for choosing the thresholds.
MAX_ALARMS = {"strict": (0.002, 0.02), "balanced": (0.001, 0.01), "lenient": (0.0002, 0.001)}
# Thresholds are never higher than this, nor lower than that of the policy, from which on the honest sentences of
# the tests come out untouched.
MAX_THRESHOLD = 0.995
MIN_THRESHOLDS = {"strict": 0.5, "balanced": 0.88, "lenient": 0.88}
SEEDS = (0, 1, 2)


# ---------------------------------------------------------------- documents


def page_documents(labeled: Labeled) -> list[Document]:
    """Make a clean document of the title and content of each page, copies left out."""
    out = []
    blocks = labeled.blocks
    for i, (page_id, title, site) in enumerate(zip(blocks.page_ids, blocks.titles, labeled.sites, strict=True)):
        if is_copy(page_id):
            continue
        first, last = (int(x) for x in blocks.page_offsets[i : i + 2])
        texts = blocks.texts(first, last)
        content = [t for t, label in zip(texts, labeled.label[first:last], strict=True) if label == Label.CONTENT]
        out.append(clean_document([title, *content], site))
    return out


def chrome_documents(labeled: Labeled) -> list[Document]:
    """Make clean documents of the longer blocks that the sites put around their articles: honest text of other kinds."""
    out = []
    blocks = labeled.blocks
    for (first, last), page_id, site in zip(
        pairwise(blocks.page_offsets.tolist()), blocks.page_ids, labeled.sites, strict=True
    ):
        long = (labeled.label[first:last] == Label.CHROME) & (blocks.n_chars[first:last] >= MIN_CHROME)
        if long.any() and not is_copy(page_id):
            out.append(clean_document(["", *blocks.texts_of(first + np.flatnonzero(long))], site))
    return out


def clean_document(texts: list[str], group: str) -> Document:
    """Make a document without injected strings."""
    return Document(texts, [[] for _ in texts], group)


def labeled_documents(pages: Iterable[LabeledPage]) -> list[Document]:
    """Make documents of the honest blocks of labelled pages, with the injected strings that their labels mark."""
    out = []
    for found in pages:
        honest = [row for row in found.labels if row.label != "spam"]
        texts, spans = [row.text for row in honest], [[(s.start, s.stop) for s in row.spans] for row in honest]
        out.append(Document(["", *texts], [[], *spans], found.site))
    return out


def written_documents(
    labeled: Path, on_loss: Callable[[str], None] = lambda _: None
) -> tuple[list[Document], list[Document]]:
    """Read the project's own documents below a folder such as ``labeled/``: those with injected strings, and honest ones."""
    injected, honest = read_sentences(labeled / "sentences")
    marked = labeled_documents(read_labeled(labeled, on_loss))
    return (
        [*injected, *(d for d in marked if any(d.spans))],
        [*honest, *read_look_alikes(labeled / "sentences"), *(d for d in marked if not any(d.spans))],
    )


def carrier_documents(lines: Sequence[str]) -> list[Document]:
    """Make clean documents of some lines of running text each."""
    step = CARRIERS_IN_A_DOCUMENT
    chunks = [list(lines[i : i + step]) for i in range(0, len(lines), step)]
    return [clean_document(["", *chunk], f"carrier{i % 8}") for i, chunk in enumerate(chunks)]


def injected_copy(random: Random, document: Document, lines: Sequence[str]) -> Document:
    """Write strings into a copy of a clean document: into its body, its title, or both; some copies keep few texts."""
    texts, spans = list(document.texts), [list(s) for s in document.spans]
    way = random.random()
    if way < 0.85 and len(texts) > 1:
        first = 0 if texts[0] and random.random() < 0.5 else 1
        for found in inject_strings(random, texts[first:], lines):
            _put(texts, spans, found, first + found.block)
    if way > 0.75 and texts[0] and not spans[0]:
        _put(texts, spans, inject_title(random, texts[0]), 0)
    if random.random() < 0.4:
        texts, spans = _cut_out(random, texts, spans)
    return Document(texts, spans, document.group)


def _put(texts: list[str], spans: list[Spans], found: Injected, at: int) -> None:
    texts[at], spans[at] = found.text, [(start, stop) for start, stop, _ in found.spans]


def _cut_out(random: Random, texts: list[str], spans: list[Spans]) -> tuple[list[str], list[Spans]]:
    """Keep the texts around one that was changed, as a short page or a summary would."""
    changed = [i for i in range(1, len(texts)) if spans[i]]
    if not changed:
        return texts, spans
    centre = random.choice(changed)
    low, high = max(1, centre - random.randint(0, 2)), centre + 1 + random.randint(0, 2)
    keep_title = random.random() < 0.5
    return [texts[0] if keep_title else "", *texts[low:high]], [spans[0] if keep_title else [], *spans[low:high]]


# ---------------------------------------------------------------- fitting


def fit_heat(
    documents: Sequence[Document],
    background: Background,
    topic: Topic,
    lexicon: Lexicon,
    weights: Sequence[int],
    seed: int,
) -> Heat:
    """Fit the weight of every vote by logistic regression; `weights` says how often each document counts."""
    texts = [t for d, w in zip(documents, weights, strict=True) for t in d.texts * w]
    if not any(texts):
        raise InputError("too little text to learn injected strings from: half of the sites have none")
    spans = [s for d, w in zip(documents, weights, strict=True) for s in d.spans * w]
    codes, starts = join(texts)
    truth = np.zeros(len(codes), np.int8)
    changed = np.zeros(len(codes), bool)
    for text, start, found in zip(texts, starts.tolist(), spans, strict=True):
        for a, b in found:
            truth[start + a : start + b] = 1
        changed[start : start + len(text)] = bool(found)
    near = np.convolve(truth, np.ones(2 * NEAR + 1), "same") > 0
    far = (np.random.default_rng(seed).random(len(codes)) < FAR_SHARE) & ~changed
    chosen = np.flatnonzero((codes != EDGE_CODE) & (near | far))
    cues, _ = cue_codes(lexicon.find(codes), len(codes), lexicon)
    estimator = _regressed(vote_matrix(*measure(codes, cues, background), chosen), truth[chosen])
    return from_coefficients(estimator.coef_[0], float(estimator.intercept_[0]), background, topic)


def fit_topic(spam: Sequence[str], honest: Sequence[str]) -> Topic:
    """Fit how likely an n-gram stands in spam, by logistic regression over clauses.

    Raises
    ------
    InputError
        When there is no clause of one kind.
    """
    kinds = [[clause for text in texts for clause in clauses(text)] for texts in (honest, spam)]
    if not all(kinds):
        raise InputError("too little text to learn injected strings from: no clause of one kind")
    counts, known = gram_matrix([*kinds[0], *kinds[1]])
    truth = np.repeat((False, True), list(map(len, kinds)))
    return Topic.of(_regressed(counts, truth).coef_[0], known)


def _regressed(rows: Any, truth: NDArray[Any]) -> Any:
    """Fit a logistic regression on sparse rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=PENALTY, max_iter=60).fit(rows, truth)


class Windows(NamedTuple):
    """Windows of the warm characters of documents: rows and truth, the character and document, whether it is our own."""

    rows: NDArray[np.float32]
    truth: NDArray[np.int8]
    chosen: NDArray[np.int64]
    document: NDArray[np.int64]
    written: NDArray[np.bool_]


def find_windows(documents: Sequence[Document], weighed: Weighed, n_written: int) -> Windows:
    """Describe the window of every warm character, with the truth about it; the first `n_written` documents are our own."""
    chosen = warm_zones(weighed.hot, weighed.topical.near, weighed.traits.codes)
    rows = window_rows(weighed, chosen)
    document = weighed.page[chosen]
    return Windows(rows, _truth(documents, weighed)[chosen], chosen, document, document < n_written)


def fit_windows(rows: NDArray[np.float32], truth: NDArray[np.int8], seeds: Sequence[int]) -> Panel:
    """Fit the networks over windows, in which every number is bounded."""
    fitted = _fit_networks(rows, truth, (48,), 256, 12, 0.1, seeds)
    return Panel.of([network.unbounded() for network in fitted.networks])


class Candidates(NamedTuple):
    """Candidates of many documents: features and truth, the document of each, the string, whether it is our own."""

    rows: NDArray[np.float32]
    truth: NDArray[np.bool_]
    document: NDArray[np.int64]
    string: NDArray[np.str_]
    written: NDArray[np.bool_]
    n_written: int  # documents that are our own, the first ones


def find_candidates(documents: Sequence[Document], weighed: Weighed, look: Look, n_written: int) -> Candidates:
    """Find and describe the candidates of documents, with the truth about each."""
    runs = find_runs(weighed, look)
    inside = np.concatenate([[0], np.cumsum(np.isin(_truth(documents, weighed), (FIRST, FURTHER)))])
    overlap = (inside[runs.stop] - inside[runs.start]) / (runs.stop - runs.start)
    document = weighed.page[runs.start]
    string = np.array(
        [weighed.plain[a:b] for a, b in zip(runs.start.tolist(), runs.stop.tolist(), strict=True)], np.str_
    )
    rows = describe(weighed, look, runs)
    return Candidates(rows, overlap >= MIN_OVERLAP, document, string, document < n_written, n_written)


def _truth(documents: Sequence[Document], weighed: Weighed) -> NDArray[np.int8]:
    """Tag every character: outside any injected string, the first of one, a further one, or the one behind, int8 (n_chars,)."""
    truth = np.zeros(len(weighed.hot), np.int8)
    spans = (found for document in documents for found in (*document.spans, *([] for _ in APART)))
    for start, found in zip(weighed.starts[:-1].tolist(), spans, strict=True):
        for a, b in sorted(found):
            truth[start + a : start + b + 1] = FURTHER
            truth[start + a], truth[start + b] = FIRST, BEHIND
    return truth


def _fit_networks(
    rows: NDArray[np.float32], truth: NDArray[Any], hidden: tuple[int, ...], batch: int, epochs: int, alpha: float,
    seeds: Sequence[int],
) -> Panel:  # fmt: skip
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    from threadpoolctl import threadpool_limits

    if len(set(truth.tolist())) < 2:
        raise InputError("too little text to learn injected strings from: no candidates of both kinds")
    fitted = []
    with warnings.catch_warnings(), threadpool_limits(1):  # threads wait for one another longer than they work
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of epochs is the regularisation
        for seed in seeds:
            network = MLPClassifier(hidden, alpha=alpha, batch_size=batch, max_iter=epochs, random_state=seed)
            fill = SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)
            pipeline = make_pipeline(MinMaxScaler(clip=True), StandardScaler(), fill, network)
            fitted.append(Network.from_pipeline(pipeline.fit(rows, truth.astype(np.int8))))
    return Panel.of(fitted)


def fit_judges(rows: NDArray[np.float32], truth: NDArray[np.bool_]) -> Judges:
    """Fit the networks and trees over candidates.

    Raises
    ------
    InputError
        When all candidates are injected, or none is: there is too little text.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    networks = _fit_networks(rows, truth, (64,), 128, 25, 0.5, SEEDS)
    trees = [
        HistGradientBoostingClassifier(
            max_iter=300, learning_rate=0.06, max_leaf_nodes=15, l2_regularization=3.0, min_samples_leaf=15,
            max_features=0.15, random_state=seed,
        ).fit(rows, truth)
        for seed in SEEDS
    ]  # fmt: skip
    forest, shown = Forest.from_estimators(trees), rows[:: max(1, len(rows) // 256)]
    odds = np.mean([estimator.decision_function(shown) for estimator in trees], axis=0)
    if not np.allclose(forest.predict_proba(shown), 1 / (1 + np.exp(-odds)), atol=1e-4):
        raise ModelError(
            "this version of scikit-learn keeps its trees in another form; fit with the one that is pinned"
        )
    return Judges(networks, forest)


class SpanFit(NamedTuple):
    """A fitted span model with what was found on held-out groups."""

    model: SpanModel
    scores: dict[str, float]


def train_spans(
    labeled: Labeled, carriers: Sequence[str], injected: Sequence[Document], honest: Sequence[Document], lexicon: Lexicon,
    *, seed: int = 0, report: Callable[[str], None] = lambda _: None,
) -> SpanFit:  # fmt: skip
    """Fit heat and judges, the threshold chosen on candidates of sites and sentences that neither saw."""
    pages = [d for d in page_documents(labeled) if len(d.texts) > 1]
    parts = Parts(
        [*pages, *carrier_documents(carriers)], chrome_documents(labeled), [*injected, *honest], all_written_lines()
    )
    sides = []
    for side, (mine, others) in enumerate(_halves(parts)):
        report(f"heat from {others.size} documents, candidates from {mine.size}")
        sides.append(_find(mine, _heat_of(others, lexicon, seed + side), lexicon, seed + 10 + side))
        report(f"{len(sides[-1].windows.truth)} windows, {len(sides[-1].candidates.truth)} candidates")
    thresholds, scores = _choose(sides)
    report(f"thresholds {thresholds}; heat from all")
    heat = _heat_of(parts, lexicon, seed)
    looks = fit_windows(*_together([side.windows for side in sides]), SEEDS[:2])
    judges = fit_judges(*_together([side.candidates for side in sides]))
    return SpanFit(SpanModel(heat, looks, judges, thresholds, thresholds[POLICIES.index(DEFAULT_POLICY)]), scores)


class Parts(NamedTuple):
    """What there is to learn from: clean texts to write strings into, clean text of other kinds, documents of one's own."""

    clean: list[Document]
    other: list[Document]
    written: list[Document]
    lines: list[str]  # of spam, to be written into clean texts

    @property
    def documents(self) -> tuple[list[Document], list[Document], list[Document]]:
        """The documents of the three kinds."""
        return self.clean, self.other, self.written

    @property
    def size(self) -> int:
        """Documents in all."""
        return sum(map(len, self.documents))


class Side(NamedTuple):
    """What heat fitted on the other side finds in the documents of one side."""

    documents: list[Document]
    windows: Windows
    candidates: Candidates


def _halves(parts: Parts) -> list[tuple[Parts, Parts]]:
    """Split by group, large ones in turn; each half with the other."""
    sizes = Counter(document.group for part in parts.documents for document in part)
    order = sorted(sizes, key=lambda group: (-sizes[group], group))
    half = {group: i % HALVES for i, group in enumerate(order)}

    def side(number: int) -> Parts:
        clean, other, written = ([d for d in part if half[d.group] == number] for part in parts.documents)
        return Parts(clean, other, written, parts.lines[number::HALVES])

    return [(side(0), side(1)), (side(1), side(0))]


def _find(mine: Parts, heat: Heat, lexicon: Lexicon, seed: int) -> Side:
    copies = [d for d in _copies(mine.clean, mine.lines, seed) if any(d.spans)]
    documents = [*mine.written, *mine.clean, *mine.other, *copies]
    weighed = weigh([d.texts for d in documents], heat, lexicon)
    windows = find_windows(documents, weighed, len(mine.written))
    look = _crossed_look(documents, weighed, windows)
    return Side(documents, windows, find_candidates(documents, weighed, look, len(mine.written)))


def _together(parts: Sequence[Windows] | Sequence[Candidates]) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Put rows and truth together, those of the project's own documents several times."""
    rows, truth = [], []
    for part in parts:
        chosen = np.repeat(np.arange(len(part.truth)), np.where(part.written, OWN_REPEATS, 1))
        rows.append(part.rows[chosen])
        truth.append(part.truth[chosen])
    return np.concatenate(rows), np.concatenate(truth)


def _crossed_look(documents: Sequence[Document], weighed: Weighed, seen: Windows) -> Look:
    """Look again at the warm characters of each half of the groups by networks fitted on the other half."""
    groups = sorted({d.group for d in documents})
    half = np.array([groups.index(d.group) % HALVES for d in documents])[seen.document]
    look = cold_look(len(weighed.hot))
    for side in range(HALVES):
        others = Windows(*(column[half != side] for column in seen))
        networks = fit_windows(*_together([others]), SEEDS[:1])
        judge_windows(look, seen.chosen[half == side], networks, seen.rows[half == side])
    return look


def _dictionary() -> list[tuple[str, float]]:
    import jieba

    with jieba.get_dict_file() as stream:
        rows = (line.decode("utf-8").split() for line in stream)
        return [(row[0], float(row[1])) for row in rows]


def _copies(clean: Sequence[Document], lines: Sequence[str], seed: int) -> list[Document]:
    random = Random(seed)
    versions = [VERSIONS if not d.group.startswith("carrier") else 1 for d in clean]
    return [injected_copy(random, d, lines) for d, n in zip(clean, versions, strict=True) for _ in range(n)]


def _heat_of(parts: Parts, lexicon: Lexicon, seed: int) -> Heat:
    """Fit heat and its background; the background knows no page that candidates will be looked for in."""
    background = count_background([t for d in parts.clean for t in d.texts if t], _dictionary())
    pages = [d for d in parts.clean if not d.group.startswith("carrier")]
    documents = [
        *parts.clean,
        *parts.other,
        *_copies(parts.clean, parts.lines, seed),
        *_copies(pages, parts.lines, seed + 7),
        *parts.written,
    ]
    weights = [1] * (len(documents) - len(parts.written)) + [OWN_REPEATS] * len(parts.written)
    return fit_heat(documents, background, _topic_of(parts), lexicon, weights, seed)


def _topic_of(parts: Parts) -> Topic:
    """Fit the topic on lines of spam and injected strings, against all honest texts."""
    injected = [t[a:b] for d in parts.written for t, spans in zip(d.texts, d.spans, strict=True) for a, b in spans]
    own = [text for d in parts.written if not any(d.spans) for text in d.texts]
    others = [text for d in (*parts.clean, *parts.other) for text in d.texts]
    return fit_topic([*parts.lines, *injected], others + own * OWN_REPEATS)


def _choose(sides: Sequence[Side]) -> tuple[tuple[float, ...], dict[str, float]]:
    """Choose the lowest thresholds with few alarms on honest texts, by judges that saw no candidate of the same group."""
    judged = _crossed_proba(sides)
    ranked, n_honest = _alarms(sides, judged)
    hit = np.concatenate([proba[side.candidates.truth] for side, proba in zip(sides, judged, strict=True)])
    total = sum(len(spans) for side in sides for document in side.documents for spans in document.spans)
    thresholds = tuple(
        max(
            MIN_THRESHOLDS[policy],
            *(_lowest(a, int(share * n)) for a, share, n in zip(ranked, MAX_ALARMS[policy], n_honest, strict=True)),
        )
        for policy in POLICIES
    )
    usual = thresholds[POLICIES.index(DEFAULT_POLICY)]
    scores = {"clean_texts": n_honest[0], "alarms": int((ranked[0] >= usual).sum()), "look_alikes": n_honest[1],
              "alarms_on_them": int((ranked[1] >= usual).sum()), "injected": total, "candidates_found": len(hit),
              "taken": int((hit >= usual).sum())}  # fmt: skip
    return thresholds, {name: float(value) for name, value in scores.items()}


def _alarms(
    sides: Sequence[Side], judged: Sequence[NDArray[np.float32]]
) -> tuple[list[NDArray[np.float64]], list[int]]:
    """Return how likely honest strings are taken, the likeliest first, and how many honest texts there are; others' and our own.

    A string counts once a site and so does a text, on however many of its pages they stand: a menu is on all of them.
    """
    strings: tuple[dict[tuple[str, str], float], ...] = ({}, {})
    texts: tuple[set[tuple[str, str]], ...] = (set(), set())
    for (documents, _, found), proba in zip(sides, judged, strict=True):
        honest = [not any(document.spans) for document in documents]
        for i in np.flatnonzero(honest).tolist():
            texts[i < found.n_written].update((documents[i].group, text) for text in documents[i].texts if text)
        for i, string, p in zip(found.document.tolist(), found.string.tolist(), proba.tolist(), strict=True):
            mine, key = strings[i < found.n_written], (documents[i].group, string)
            if honest[i]:
                mine[key] = max(p, mine.get(key, 0.0))
    return [np.sort(list(kind.values()))[::-1] for kind in strings], [len(kind) for kind in texts]


def _crossed_proba(sides: Sequence[Side]) -> list[NDArray[np.float32]]:
    """Judge the candidates of each fold of the groups by judges fitted on the other folds, of both sides."""
    groups = [np.array([d.group for d in side.documents])[side.candidates.document] for side in sides]
    sizes = Counter(np.concatenate(groups).tolist())
    order = sorted(sizes, key=lambda group: (-sizes[group], group))
    fold_of = {group: i % JUDGE_FOLDS for i, group in enumerate(order)}
    folds = [np.array([fold_of[group] for group in mine.tolist()], np.int64) for mine in groups]
    out = [np.zeros(len(mine), np.float32) for mine in groups]
    for fold in set(fold_of.values()):
        others = [_candidates_of(side.candidates, mine != fold) for side, mine in zip(sides, folds, strict=True)]
        judges = fit_judges(*_together(others))
        for proba, side, mine in zip(out, sides, folds, strict=True):
            proba[mine == fold] = judges.predict_proba(side.candidates.rows[mine == fold])
    return out


def _candidates_of(found: Candidates, chosen: NDArray[np.bool_]) -> Candidates:
    return found._replace(
        rows=found.rows[chosen], truth=found.truth[chosen], document=found.document[chosen],
        string=found.string[chosen], written=found.written[chosen],
    )  # fmt: skip


def _lowest(alarm: NDArray[np.float64], allowed: int) -> float:
    """Return the lowest threshold that at most `allowed` alarms reach; `alarm` descends."""
    return float(min(MAX_THRESHOLD, alarm[allowed] + 1e-4)) if len(alarm) > allowed else 0.5
