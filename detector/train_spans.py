"""Fitting the span model: heat, then the network over candidates, on clean text with strings written in.

Texts come from three places: pages with gold text, carriers (any clean running text), and the project's own sentences, both
injected and honest. A candidate is always judged on the heat of a model that was fitted on other sites, as it will be.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.chars import EDGE_CODE
from detector.corpus import Labeled
from detector.errors import InputError
from detector.heat import Background, Heat, count_background, from_coefficients, join, vote_matrix
from detector.inject import Injected, inject_strings, inject_title
from detector.labeled import LabeledPage
from detector.labels import Label
from detector.lexicon import Lexicon
from detector.network import Network
from detector.rows import SPAM_COPY, TEXT_COPY
from detector.sentences import Document, Spans
from detector.spans import Run, SpanModel, cue_codes, features, scan

HALVES = 2  # of the sites; heat fitted on one finds the candidates of the other
VERSIONS = 6  # injected copies of each page
OWN_REPEATS = 4  # the project's own sentences count so many times in heat
CARRIERS_IN_A_DOCUMENT = 10
NEAR = 6  # characters around an injected string that always serve as counter-examples
FAR_SHARE = 0.3  # of the characters of clean texts that serve as counter-examples
HEAT_PENALTY = 0.1  # C of the regression
MIN_OVERLAP = 0.5  # of a candidate's characters that were injected
MAX_ALARMS = 0.0004  # of clean texts with a span, for choosing the threshold
MAX_THRESHOLD = 0.995
SEEDS = (0, 1, 2)


# ---------------------------------------------------------------- documents


def page_documents(labeled: Labeled) -> list[Document]:
    """Make a clean document of the title and content of each page, copies left out."""
    out = []
    blocks = labeled.blocks
    for i, (page_id, title, site) in enumerate(zip(blocks.page_ids, blocks.titles, labeled.sites, strict=True)):
        if page_id.endswith((SPAM_COPY, TEXT_COPY)):
            continue
        first, last = (int(x) for x in blocks.page_offsets[i : i + 2])
        texts = blocks.texts(first, last)
        content = [t for t, label in zip(texts, labeled.label[first:last], strict=True) if label == Label.CONTENT]
        out.append(Document([title, *content], [[] for _ in range(len(content) + 1)], site))
    return out


def labeled_documents(pages: Iterable[LabeledPage]) -> list[Document]:
    """Make documents of the honest blocks of labelled pages, with the injected strings that their labels mark."""
    out = []
    for found in pages:
        honest = [row for row in found.labels if row.label != "spam"]
        texts, spans = [row.text for row in honest], [[(s.start, s.stop) for s in row.spans] for row in honest]
        out.append(Document(["", *texts], [[], *spans], found.site))
    return out


def carrier_documents(lines: Sequence[str]) -> list[Document]:
    """Make clean documents of some lines of running text each."""
    step = CARRIERS_IN_A_DOCUMENT
    chunks = [list(lines[i : i + step]) for i in range(0, len(lines), step)]
    return [
        Document(["", *chunk], [[] for _ in range(len(chunk) + 1)], f"carrier{i % 8}") for i, chunk in enumerate(chunks)
    ]


def injected_copy(random: Random, document: Document) -> Document:
    """Write strings into a copy of a clean document: into its body, its title, or both; some copies keep few texts."""
    texts, spans = list(document.texts), [list(s) for s in document.spans]
    way = random.random()
    if way < 0.85 and len(texts) > 1:
        first = 0 if texts[0] and random.random() < 0.5 else 1
        for found in inject_strings(random, texts[first:]):
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
    documents: Sequence[Document], background: Background, lexicon: Lexicon, weights: Sequence[int], seed: int
) -> Heat:
    """Fit the weight of every vote by logistic regression; `weights` says how often each document counts."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    texts = [t for d, w in zip(documents, weights, strict=True) for t in d.texts * w]
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
    matrix = vote_matrix(codes, cue_codes(codes, lexicon)[0], background, chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator = LogisticRegression(C=HEAT_PENALTY, max_iter=60).fit(matrix, truth[chosen])
    return from_coefficients(estimator.coef_[0], float(estimator.intercept_[0]), background)


class Candidates(NamedTuple):
    """Candidates of many documents: features and truth, the number of the document and the string of each."""

    rows: NDArray[np.float32]
    truth: NDArray[np.bool_]
    document: NDArray[np.int64]
    strings: list[str]


def find_candidates(documents: Sequence[Document], heat: Heat, lexicon: Lexicon) -> Candidates:
    """Find and describe the candidates of documents, with the truth about each."""
    runs, scanned = scan([d.texts for d in documents], heat, lexicon)
    rows, truth, numbers, strings = [], [], [], []
    for i, (document, page, found) in enumerate(zip(documents, scanned, runs, strict=True)):
        rows += features(page, found)
        truth += [_overlap(run, document.spans[run.text]) >= MIN_OVERLAP for run in found]
        numbers += [i] * len(found)
        strings += [page.folded[run.text][run.start : run.stop] for run in found]
    return Candidates(np.array(rows, np.float32), np.array(truth, bool), np.array(numbers, np.int64), strings)


def _overlap(run: Run, spans: Spans) -> float:
    shared = (min(run.stop, b) - max(run.start, a) for a, b in spans)
    return max(0, max(shared, default=0)) / (run.stop - run.start)


def _judge(seed: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    return make_pipeline(
        MinMaxScaler(clip=True), StandardScaler(),
        SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True),
        MLPClassifier((32,), alpha=0.3, batch_size=128, max_iter=25, random_state=seed),
    )  # fmt: skip


def fit_judges(rows: NDArray[np.float32], truth: NDArray[np.bool_]) -> tuple[Network, ...]:
    """Fit the networks over candidates.

    Raises
    ------
    InputError
        When all candidates are injected, or none is: there is too little text.
    """
    from sklearn.exceptions import ConvergenceWarning

    if len(set(truth.tolist())) < 2:
        raise InputError("too little text to learn injected strings from: no candidates of both kinds")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return tuple(Network.from_pipeline(_judge(seed).fit(rows, truth.astype(np.int8))) for seed in SEEDS)


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
    clean = [*pages, *carrier_documents(carriers)]
    background = count_background([t for d in clean for t in d.texts if t], _dictionary())
    groups = sorted({d.group for d in (*clean, *injected, *honest)})
    Random(seed).shuffle(groups)
    half = {group: i % HALVES for i, group in enumerate(groups)}
    tables, n_clean = [], 0
    for side in range(HALVES):
        others = [[d for d in part if half[d.group] != side] for part in (clean, injected, honest)]
        mine = [[d for d in part if half[d.group] == side] for part in (clean, injected, honest)]
        report(f"heat from {sum(map(len, others))} documents, candidates from {sum(map(len, mine))}")
        heat = _heat_of(others, background, lexicon, seed + side)
        copies = [d for d in _copies(mine[0], seed + 10 + side) if any(d.spans)]
        documents = [*mine[0], *mine[2], *mine[1], *copies]
        found = find_candidates(documents, heat, lexicon)
        n_clean += sum(len(d.texts) for d in documents if not any(d.spans))
        tables.append((found, documents))
    threshold, scores = _choose(tables, n_clean)
    report(f"threshold {threshold:.3f}; heat from all")
    heat = _heat_of([clean, list(injected), list(honest)], background, lexicon, seed)
    rows = np.concatenate([found.rows for found, _ in tables])
    truth = np.concatenate([found.truth for found, _ in tables])
    return SpanFit(SpanModel(heat, fit_judges(rows, truth), threshold), scores)


def _dictionary() -> list[tuple[str, float]]:
    import jieba

    with jieba.get_dict_file() as stream:
        rows = (line.decode("utf-8").split() for line in stream)
        return [(row[0], float(row[1])) for row in rows]


def _copies(clean: Sequence[Document], seed: int) -> list[Document]:
    random = Random(seed)
    versions = [VERSIONS if not d.group.startswith("carrier") else 1 for d in clean]
    return [injected_copy(random, d) for d, n in zip(clean, versions, strict=True) for _ in range(n)]


def _heat_of(parts: Sequence[Sequence[Document]], background: Background, lexicon: Lexicon, seed: int) -> Heat:
    clean, injected, honest = parts
    documents = [
        *clean,
        *_copies(clean, seed),
        *_copies([d for d in clean if not d.group.startswith("carrier")], seed + 7),
        *injected,
        *honest,
    ]
    weights = [1] * (len(documents) - len(injected) - len(honest)) + [OWN_REPEATS] * (len(injected) + len(honest))
    return fit_heat(documents, background, lexicon, weights, seed)


def _choose(tables: Sequence[tuple[Candidates, list[Document]]], n_clean: int) -> tuple[float, dict[str, float]]:
    """Judge each half by networks fitted on the other, and choose the lowest threshold with few alarms on clean texts.

    A string that recurs in one document is one alarm: it is one decision, however often the page repeats it.
    """
    alarms: dict[tuple[int, int, str], float] = {}
    hits, total = [], 0
    for i, (found, documents) in enumerate(tables):
        other = tables[1 - i][0]
        networks = fit_judges(other.rows, other.truth)
        proba = np.mean([n.predict_proba(found.rows)[:, 1] for n in networks], axis=0)
        for p, number, string in zip(proba.tolist(), found.document.tolist(), found.strings, strict=True):
            if not any(documents[number].spans):
                alarms[i, number, string] = max(p, alarms.get((i, number, string), 0.0))
        hits.append(proba[found.truth])
        total += sum(len(s) for d in documents for s in d.spans)
    alarm, hit = np.sort(list(alarms.values()))[::-1], np.concatenate(hits)
    allowed = int(MAX_ALARMS * n_clean)
    threshold = float(min(MAX_THRESHOLD, alarm[allowed] + 1e-4)) if len(alarm) > allowed else 0.5
    scores = {"clean_texts": n_clean, "alarms": int((alarm >= threshold).sum()),
              "injected": total, "candidates_found": len(hit), "taken": int((hit >= threshold).sum())}  # fmt: skip
    return threshold, {name: float(value) for name, value in scores.items()}
