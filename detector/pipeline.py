"""The whole flow, from pages to verdicts. START HERE.

bytes → `decode` → text → `segment` → blocks → `features` → X → `model` → probabilities → `verdicts`

Pages go through in batches, as arrays; a page that fails becomes a verdict that says so, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.blocks import TAGS, Blocks, RawPage, concat
from detector.decode import Decoded, decode
from detector.errors import PageError
from detector.labels import LABEL_NAMES, Label
from detector.lexicon import Lexicon, load_lexicon
from detector.lines import block_lines
from detector.model import Model
from detector.repeats import block_hashes, repeats_in_page
from detector.segment import segment, segment_text
from detector.sites import domain_of, host_of
from detector.verdicts import decide, judge, second_copies

BATCH_PAGES = 64


class Segmented(NamedTuple):
    """One page after decoding and segmentation."""

    blocks: Blocks
    decoded: Decoded


class Span(NamedTuple):
    """An injected string: code points `start` to `end` of its block's text."""

    start: int
    end: int
    kind: str
    score: float
    cue: str | None


class Block(NamedTuple):
    """One block of a verdict, made only when somebody looks."""

    text: str
    label: str
    scores: dict[str, float]
    tag: str
    line: int | None
    repeats: int
    spans: list[Span]


class PageVerdict(NamedTuple):
    """What `detect` says of one page; `error` is (code, message) for a page that could not be read."""

    page: RawPage
    verdict: str
    reasons: list[str]
    text: str
    decoded: Decoded | None
    arrays: Blocks | None
    label: NDArray[np.int8]
    proba: NDArray[np.float32]
    error: tuple[str, str] | None = None

    @property
    def page_id(self) -> str:
        """The page's id."""
        return self.page.page_id

    @property
    def site(self) -> str | None:
        """Registered domain of the page's URL."""
        return domain_of(host_of(self.page.url)) or None

    @property
    def blocks(self) -> list[Block]:
        """The page's blocks with text, label and scores, in reading order."""
        if self.arrays is None or self.decoded is None:
            return []
        repeats = repeats_in_page(block_hashes(self.arrays), self.arrays.page_index).tolist()
        lines = block_lines(self.decoded.text, self.arrays)
        rows = zip(self.arrays.texts(), self.label, self.proba.tolist(), self.arrays.tag, lines, repeats, strict=True)
        return [
            Block(text, LABEL_NAMES[label], dict(zip(LABEL_NAMES, scores, strict=True)), TAGS[tag], line, times, [])
            for text, label, scores, tag, line, times in rows
        ]


def detect(
    pages: Iterable[RawPage], model: Model, *, lexicon: Lexicon | None = None, batch_pages: int = BATCH_PAGES
) -> Iterator[PageVerdict]:
    """Judge pages, in input order; one verdict a page, also for pages that fail.

    Parameters
    ----------
    pages : iterable of RawPage
    model : Model
        As `load_model` returns it.
    lexicon : Lexicon, optional
        Cues; those of the package by default.
    batch_pages : int
        Pages taken through the arrays at once.
    """
    lexicon = lexicon or default_lexicon()
    source = iter(pages)
    while batch := list(islice(source, batch_pages)):
        yield from _detect_batch(batch, model, lexicon)


@lru_cache(maxsize=1)
def default_lexicon() -> Lexicon:
    """Return the package's own cues, compiled once."""
    return load_lexicon()


def segment_page(page: RawPage) -> Segmented:
    """Decode and segment one page.

    Raises
    ------
    PageError
        ``empty``, ``not_text`` or ``no_text``.
    """
    if page.problem:
        raise PageError(*page.problem)
    decoded = decode(page.body, page.charset)
    if page.media_type == "text/plain":
        blocks = segment_text(decoded.text, page_id=page.page_id, title=page.title)
    else:
        blocks = segment(decoded.text, page_id=page.page_id, host=host_of(page.url))
    if len(blocks) == 0:
        raise PageError("no_text", "the page shows no text")
    return Segmented(blocks, decoded)


def _detect_batch(batch: list[RawPage], model: Model, lexicon: Lexicon) -> Iterator[PageVerdict]:
    outcomes = [_try_segment(page) for page in batch]
    good = [outcome for outcome in outcomes if isinstance(outcome, Segmented)]
    proba = model.classify(concat([g.blocks for g in good]), lexicon) if good else np.zeros((0, 3), np.float32)
    label = decide(proba, content_threshold=model.card.content_threshold, spam_threshold=model.card.spam_threshold)
    start = 0
    for page, outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, PageError):
            yield _failed(page, outcome)
            continue
        stop = start + len(outcome.blocks)
        yield _verdict(page, outcome, label[start:stop], proba[start:stop])
        start = stop


def _try_segment(page: RawPage) -> Segmented | PageError:
    try:
        return segment_page(page)
    except PageError as error:
        return error


def _failed(page: RawPage, error: PageError) -> PageVerdict:
    nothing = np.zeros(0, np.int8), np.zeros((0, 3), np.float32)
    return PageVerdict(page, "drop", [error.code], "", None, None, *nothing, (error.code, str(error)))


def _verdict(page: RawPage, segmented: Segmented, label: NDArray[np.int8], proba: NDArray[np.float32]) -> PageVerdict:
    blocks, decoded = segmented
    copies = second_copies(label, block_hashes(blocks), blocks.n_chars)
    kept = np.flatnonzero((label == Label.CONTENT) & ~copies).tolist()
    bounds = blocks.text_offsets
    text = "\n".join(blocks.text[bounds[i] : bounds[i + 1]] for i in kept)
    replaced = decoded.text.count("\ufffd") and blocks.text.count("\ufffd") / len(blocks.text)
    verdict, reasons = judge(label, blocks.n_chars, 0, replaced)
    if copies.any():
        reasons = [*reasons, "body_twice"]
    return PageVerdict(page, verdict, reasons, text, decoded, blocks, label, proba)
