"""Why each block of a judged page is taken for what it is: what a person can look at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.explain import Cue, RunnerUp, cues_of
from detector.features import OWN_NAMES, featurize
from detector.influence import alone, strength
from detector.labels import LABEL_NAMES, Label
from detector.lexicon import Lexicon
from detector.model import Layout, Model
from detector.pipeline import PageVerdict
from detector.repeats import RepeatTable, block_hashes
from detector.spans import weigh_candidates
from detector.weigh import weigh

STRONGEST = 6  # features that are told of each block
MIN_STRENGTH = 0.05  # log odds below which a feature says nothing
MIN_SCORE = 0.01  # probability below which a string was not nearly taken for an injected one


class Speaks(NamedTuple):
    """A feature, its value, and how much it speaks for the block's label, in log odds."""

    name: str
    value: float
    strength: float


class Why(NamedTuple):
    """What there is to say of one block.

    `alone` is what it would be by itself, as (label, probability); `heat` holds the log odds that each character was
    injected, float32 (n_chars,), and is empty where the model looks for no strings.
    """

    features: list[Speaks]
    alone: tuple[str, float]
    cues: list[Cue]
    nearly: list[RunnerUp]
    heat: NDArray[np.float32]


def reasons_of(page: PageVerdict, model: Model, lexicon: Lexicon, repeats: RepeatTable | None = None) -> list[Why]:
    """Say of each block of a page what its label is due to.

    Parameters
    ----------
    page : PageVerdict
        As `detect` returns it, by the same model, lexicon and table of repeats.
    """
    blocks = page.arrays
    if blocks is None:
        return []
    seen = repeats.counts(block_hashes(blocks), blocks.page_offsets, [page.site]) if repeats else None
    own, layout = featurize(blocks, lexicon, model.words, seen), Layout.of(blocks)
    strengths = strength(model.predict_proba, own, layout, page.label)
    by_itself = alone(model.predict_proba, own, layout)
    texts = blocks.texts()
    heat = _heat(blocks.titles[0], texts, model, lexicon)
    nearly = _nearly(page, texts, model, lexicon)
    return [
        Why(_strongest(own[i], strengths[i]), _likeliest(by_itself[i]), cues_of(text, lexicon), nearly[i], heat[i])
        for i, text in enumerate(texts)
    ]


def _strongest(values: NDArray[np.float32], strengths: NDArray[np.float32]) -> list[Speaks]:
    order = np.argsort(-np.abs(strengths), kind="stable")[:STRONGEST].tolist()
    rows = [Speaks(OWN_NAMES[i], float(values[i]), float(strengths[i])) for i in order]
    return [row for row in rows if abs(row.strength) >= MIN_STRENGTH]


def _likeliest(proba: NDArray[np.float32]) -> tuple[str, float]:
    return LABEL_NAMES[int(proba.argmax())], float(proba.max())


def _heat(title: str, texts: list[str], model: Model, lexicon: Lexicon) -> list[NDArray[np.float32]]:
    if model.spans is None:
        return [np.zeros(0, np.float32)] * len(texts)
    weighed = weigh([[title, *texts]], model.spans.heat, lexicon)
    starts = weighed.starts[1 : len(texts) + 1].tolist()  # text 0 is the title
    return [weighed.hot[start : start + len(text)] for start, text in zip(starts, texts, strict=True)]


def _nearly(page: PageVerdict, texts: list[str], model: Model, lexicon: Lexicon) -> list[list[RunnerUp]]:
    """Return the strings of each block that were looked at and not taken, the likeliest first."""
    found: list[list[RunnerUp]] = [[] for _ in texts]
    if model.spans is None or page.arrays is None:
        return found
    shown = np.flatnonzero(page.label != Label.CHROME).tolist()
    marks = weigh_candidates([page.arrays.titles[0], *(texts[i] for i in shown)], model.spans, lexicon)
    taken = [(span.block, span.start, span.end) for span in page.spans]
    for mark in marks:
        block = shown[mark.text - 1] if mark.text else -1
        overlaps = any(b == block and start < mark.stop and mark.start < stop for b, start, stop in taken)
        if block >= 0 and mark.p >= MIN_SCORE and not overlaps:
            found[block].append(RunnerUp(mark.start, mark.stop, mark.p))
    return [sorted(others, key=lambda other: -other.score) for others in found]
