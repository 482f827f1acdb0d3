"""The whole flow, from pages to verdicts. START HERE.

bytes → `decode` → text → `segment` → blocks → `features` → X → `model` → probabilities → `verdicts`

Pages go through in batches, as arrays; a page that fails becomes a verdict that says so, and the run goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.blocks import TAGS, Blocks, PageBlocks, RawPage, Texts, gather
from detector.decode import Decoded, decode
from detector.errors import PageError
from detector.features import OWN_NAMES, featurize
from detector.labels import LABEL_NAMES, Label
from detector.lexicon import Hits, Lexicon, load_lexicon
from detector.limits import refuse_blocks, refuse_monsters
from detector.lines import block_lines
from detector.model import Layout, Model
from detector.mojibake import garbled_share
from detector.network import softmax
from detector.ngrams import Words, block_scores
from detector.portions import find_in_portions
from detector.repeats import RepeatTable, block_hashes, repeats_in_page
from detector.segment import segment_html, segment_lines
from detector.sites import host_of, site_of
from detector.spans import echoes
from detector.verdicts import cut_out, decide, judge, second_copies

BATCH_PAGES = 64
MIN_REST_CHARS, MIN_REST_SHARE = 12, 0.5  # of a block without its injected strings, to be judged by its words
MAX_REST_SPAM = 0.2  # probability of spam, by the words that are left, up to which such a block is honest
SURE_SPAM = 0.9  # from which a page's block is spam, whatever its words are without them
MIN_REST_SPAM = 0.8  # from which it is spam, for an injected string beside such words is no accident
MOSTLY_INJECTED = 0.7  # share of a block's characters from which it is spam as a whole
CERTAIN_WORDS = 0.997  # probability, by its words alone, from which a page's description is stuffed
BATCH_SIZE = 8 << 20  # bytes or characters of markup after which a batch is closed


class Segmented(NamedTuple):
    """One page after decoding and segmentation."""

    page_blocks: PageBlocks
    decoded: Decoded
    site: str | None  # registered domain of the page's URL

    @property
    def blocks(self) -> Blocks:
        """The page's blocks in columns, as a batch of their own."""
        return self.page_blocks.alone


TITLE, SUMMARY = -1, -2  # stand for a block's number where a string is in neither block


class Span(NamedTuple):
    """An injected string: code points `start` to `end` of block number `block`, of the page's `TITLE` or its `SUMMARY`."""

    block: int
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
    segmented: Segmented | None
    label: NDArray[np.int8]
    proba: NDArray[np.float32]
    spans: list[Span]
    error: tuple[str, str] | None = None

    @property
    def page_id(self) -> str:
        """The page's id."""
        return self.page.page_id

    @property
    def site(self) -> str | None:
        """Registered domain of the page's URL."""
        return site_of(self.page.url)

    @property
    def decoded(self) -> Decoded | None:
        """How the page was decoded."""
        return self.segmented and self.segmented.decoded

    @property
    def arrays(self) -> Blocks | None:
        """The page's blocks in columns, made when somebody looks."""
        return self.segmented and self.segmented.blocks

    @property
    def blocks(self) -> list[Block]:
        """The page's blocks with text, label and scores, in reading order."""
        if self.segmented is None:
            return []
        arrays = self.segmented.blocks
        repeats = repeats_in_page(block_hashes(arrays), arrays.page_index).tolist()
        lines = block_lines(self.segmented.decoded.text, arrays)
        spans: dict[int, list[Span]] = defaultdict(list)
        for span in self.spans:
            spans[span.block].append(span)
        rows = zip(arrays.texts(), self.label, self.proba.tolist(), arrays.tag, lines, repeats, strict=True)
        return [
            Block(
                text, LABEL_NAMES[label], dict(zip(LABEL_NAMES, scores, strict=True)), TAGS[tag], line, times, spans[i]
            )
            for i, (text, label, scores, tag, line, times) in enumerate(rows)
        ]


def detect(
    pages: Iterable[RawPage], model: Model, *, lexicon: Lexicon | None = None, repeats: RepeatTable | None = None,
    batch_pages: int = BATCH_PAGES,
) -> Iterator[PageVerdict]:  # fmt: skip
    """Judge pages, in input order; one verdict a page, also for pages that fail.

    Parameters
    ----------
    pages : iterable of RawPage
    model : Model
        As `load_model` returns it.
    lexicon : Lexicon, optional
        Cues; those of the package by default.
    repeats : RepeatTable, optional
        Repetition of blocks over the pages of each site.
    batch_pages : int
        Pages taken through the arrays at once.
    """
    if batch_pages < 1:
        raise ValueError("batch_pages must be 1 or more")
    lexicon = lexicon or default_lexicon()
    for batch in _batches(pages, batch_pages):
        yield from _detect_batch(batch, model, lexicon, repeats)


def _batches(pages: Iterable[RawPage], most: int) -> Iterator[list[RawPage]]:
    """Gather pages, fewer of them when they are large: memory grows with the characters of a batch."""
    batch: list[RawPage] = []
    size = 0
    for page in pages:
        batch.append(page)
        size += len(page.body)
        if len(batch) == most or size >= BATCH_SIZE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@lru_cache(maxsize=1)
def default_lexicon() -> Lexicon:
    """Return the package's own cues, compiled once."""
    return load_lexicon()


def segment_page(page: RawPage) -> Segmented:
    """Decode and segment one page.

    Raises
    ------
    PageError
        ``empty``, ``not_text``, ``no_text``, or what `limits` refuses.
    """
    if page.problem:
        raise PageError(*page.problem)
    decoded = decode(page.body, page.charset)
    if page.media_type == "text/plain":
        blocks = segment_lines(decoded.text, page_id=page.page_id, title=page.title)
    else:
        refuse_monsters(decoded.text)
        blocks = segment_html(decoded.text, page_id=page.page_id, host=host_of(page.url))
    if len(blocks) == 0:
        raise PageError("no_text", "the page shows no text")
    refuse_blocks(len(blocks))
    return Segmented(blocks, decoded, site_of(page.url))


def _detect_batch(
    batch: list[RawPage], model: Model, lexicon: Lexicon, repeats: RepeatTable | None
) -> Iterator[PageVerdict]:
    outcomes = [_try_segment(page) for page in batch]
    good = [outcome for outcome in outcomes if isinstance(outcome, Segmented)]
    judged = iter(_judge_pages(good, model, lexicon, repeats) if good else ())
    for page, outcome in zip(batch, outcomes, strict=True):
        yield failed(page, outcome) if isinstance(outcome, PageError) else verdict_of(page, outcome, *next(judged))


def _judge_pages(
    pages: list[Segmented], model: Model, lexicon: Lexicon, repeats: RepeatTable | None
) -> Iterator[tuple[NDArray[np.int8], NDArray[np.float32], list[Span]]]:
    """Take the blocks of all pages through the model at once; yield labels, probabilities and spans of each page."""
    blocks = gather([page.page_blocks for page in pages])
    sites = [page.site for page in pages]
    seen = repeats.counts(block_hashes(blocks), blocks.page_offsets, sites) if repeats else None
    hits = lexicon.hits(blocks)
    own = featurize(blocks, lexicon, model.words, seen, hits)
    proba = model.predict_proba(own, Layout.of(blocks))
    thresholds = np.where(blocks.from_dom, model.card.spam_threshold, model.card.text_spam_threshold)
    label = decide(proba, content_threshold=model.card.content_threshold, spam_threshold=thresholds[blocks.page_index])
    spans = _find_spans(blocks, own, label, hits, model, lexicon)
    for page, (first, last), found in zip(pages, pairwise(blocks.page_offsets.tolist()), spans, strict=True):
        _acquit(page.page_blocks, label[first:last], proba[first:last], found, model.words)
        _convict(page.page_blocks, label[first:last], found, model.words)
        yield (
            label[first:last],
            proba[first:last],
            [s for s in found if s.block < 0 or label[first + s.block] != Label.SPAM],
        )


def _acquit(
    blocks: PageBlocks, label: NDArray[np.int8], proba: NDArray[np.float32], spans: list[Span], words: Words
) -> None:
    """Take back, in place, that a block is spam where without the injected strings its words are honest.

    Where its surroundings and markup, too, make that all but sure, it stays so; of plain text only the words tell.
    """
    cuts, sure = _by_block(spans), SURE_SPAM if blocks.from_dom else np.inf
    for i in [i for i in cuts if i >= 0 and label[i] == Label.SPAM and proba[i, Label.SPAM] < sure]:
        if _spam_of_rest(blocks, i, cuts[i], words, otherwise=1.0) <= MAX_REST_SPAM:
            label[i] = int(proba[i, : Label.SPAM].argmax())


def _convict(blocks: PageBlocks, label: NDArray[np.int8], spans: list[Span], words: Words) -> None:
    """Call a block spam, in place, where injected strings are most of it, or what is left without them is spam by its words."""
    cuts = _by_block([span for span in spans if span.kind != "noise"])
    for i in [i for i in cuts if i >= 0 and label[i] != Label.SPAM]:
        injected = sum(stop - start for start, stop in cuts[i])
        mostly = injected >= MOSTLY_INJECTED * blocks.n_chars[i]
        if mostly or _spam_of_rest(blocks, i, cuts[i], words, otherwise=0.0) >= MIN_REST_SPAM:
            label[i] = Label.SPAM


def _spam_of_rest(blocks: PageBlocks, i: int, cuts: list[tuple[int, int]], words: Words, otherwise: float) -> float:
    """Return how likely block `i` is spam by its words without the injected strings; `otherwise` where too little is left."""
    text = blocks.texts(i, i + 1)[0]
    rest = cut_out(text, cuts)
    if len(rest) < max(MIN_REST_CHARS, MIN_REST_SHARE * len(text)):
        return otherwise
    return float(softmax(block_scores(Texts.of([rest]), words))[0, Label.SPAM])


def _by_block(spans: list[Span]) -> dict[int, list[tuple[int, int]]]:
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for span in spans:
        places[span.block].append((span.start, span.end))
    return places


def segment_pages(pages: Iterable[RawPage], on_loss: Callable[[str], None]) -> Iterator[Segmented]:
    """Segment pages without judging them; `on_loss` is told of each page that fails or whose site is unknown."""
    for page in pages:
        outcome = _try_segment(page)
        if isinstance(outcome, PageError):
            on_loss(f"{page.page_id}: {outcome} [{outcome.code}]")
        elif outcome.site is None:
            on_loss(f"{page.page_id}: no URL tells its site [no_site]")
        else:
            yield outcome


def _try_segment(page: RawPage) -> Segmented | PageError:
    try:
        return segment_page(page)
    except PageError as error:
        return error
    except MemoryError:
        return PageError("memory", "needs more memory than there is")
    except Exception as error:  # a page must not end a run over millions, whatever is wrong with it or with us
        return PageError("failed", f"{type(error).__name__}: {error}")


def failed(page: RawPage, error: PageError) -> PageVerdict:
    """Return the verdict on a page that could not be read."""
    nothing = np.zeros(0, np.int8), np.zeros((0, 3), np.float32)
    return PageVerdict(page, "drop", [error.code], "", None, *nothing, [], (error.code, str(error)))


# Chrome is looked at for injected strings only where it names a betting brand.
_BRAND_CUE = OWN_NAMES.index("cue_brand")


def _find_spans(
    blocks: Blocks, own: NDArray[np.float32], label: NDArray[np.int8], hits: Hits, model: Model, lexicon: Lexicon
) -> list[list[Span]]:
    """Find the injected strings of each page, in its title, its blocks and what it says of itself."""
    if model.spans is None:
        return [[] for _ in blocks.page_ids]
    examined = (label != Label.CHROME) | (own[:, _BRAND_CUE] > 0)
    numbers = [first + np.flatnonzero(examined[first:last]) for first, last in pairwise(blocks.page_offsets.tolist())]
    texts = [[title, *blocks.texts_of(chosen)] for title, chosen in zip(blocks.titles, numbers, strict=True)]
    summaries = (["", summary] for summary in blocks.summaries)
    of = [*(np.concatenate([[-1], mine]) for mine in numbers), *[np.full(2, -1)] * len(texts)]
    found = find_in_portions([*texts, *summaries], of, hits, model.spans, lexicon)
    stuffed = _stuffed(blocks.summaries, model.words)
    certain = max(model.spans.thresholds)  # lists of keywords are no sentences
    out = []
    for page, mine in enumerate(found[: len(texts)]):
        first, last = blocks.page_offsets[page : page + 2].tolist()
        places = [TITLE, *(numbers[page] - first).tolist()]
        spans = [Span(places[f.text], f.start, f.stop, f.kind, f.score, f.cue) for f in mine]
        strings = {texts[page][f.text][f.start : f.stop]: f for f in mine}
        for i in np.flatnonzero(~examined[first:last] & bool(strings)):
            text = blocks.texts(first + int(i), first + int(i) + 1)[0]
            spans += [Span(int(i), *place, f.kind, f.score, f.cue) for place, f in echoes(text, strings)]
        alone = [((f.start, f.stop), f) for f in found[len(texts) + page] if f.score >= certain]
        stated = echoes(blocks.summaries[page], strings) or alone
        spans += [Span(SUMMARY, *place, f.kind, f.score, f.cue) for place, f in stated]
        if not stated and stuffed[page]:
            spans.append(Span(SUMMARY, 0, len(blocks.summaries[page]), "advert", float(stuffed[page]), None))
        out.append(sorted(spans))
    return out


def _stuffed(summaries: Sequence[str], words: Words) -> NDArray[np.float32]:
    """Return how likely each summary is nothing but spam, by its words; 0 where that is not certain. float32 (n,)."""
    out = np.zeros(len(summaries), np.float32)
    shown = [i for i, summary in enumerate(summaries) if summary]
    proba = softmax(block_scores(Texts.of([summaries[i] for i in shown]), words))[:, Label.SPAM]
    out[shown] = np.where(proba >= CERTAIN_WORDS, proba, 0)
    return out


def verdict_of(
    page: RawPage, segmented: Segmented, label: NDArray[np.int8], proba: NDArray[np.float32], spans: list[Span]
) -> PageVerdict:
    """Return the verdict that follows from a page's labels and injected strings."""
    blocks = segmented.page_blocks
    kept = np.flatnonzero(label == Label.CONTENT)
    texts = blocks.texts_of(kept)
    copies = body_copies(blocks, label, texts)
    if copies.any():
        kept = kept[~copies[kept]]
        texts = blocks.texts_of(kept)
    cuts = _by_block(spans)
    cleaned = [cut_out(text, cuts[i]) if i in cuts else text for i, text in zip(kept.tolist(), texts, strict=True)]
    text = "\n".join(line for line in cleaned if line)
    injected = sorted({_reason(span) for span in spans})
    left = blocks.n_chars.copy()
    left[kept] = [len(line) for line in cleaned]
    verdict, reasons = judge(label, left, injected=injected, replaced_share=garbled_share(blocks.text))
    reasons += ["body_twice"] * bool(copies.any()) + ["parse_loss"] * blocks.parse_loss
    return PageVerdict(page, verdict, reasons, text, segmented, label, proba, spans)


def body_copies(blocks: Texts, label: NDArray[np.int8], texts: Sequence[str] | None = None) -> NDArray[np.bool_]:
    """Find the blocks of a second copy of a page's body, bool (n,); most pages say nothing twice, and need no hashes.

    `texts` are those of the content, if they have been sliced already.
    """
    texts = blocks.texts_of(np.flatnonzero(label == Label.CONTENT)) if texts is None else texts
    if len(set(texts)) == len(texts):
        return np.zeros(len(label), bool)
    return second_copies(label, block_hashes(blocks), blocks.n_chars)


def _reason(span: Span) -> str:
    if span.kind == "noise":
        return "woven_noise"
    return {TITLE: "stuffed_title", SUMMARY: "stuffed_description"}.get(span.block, "injected_span")
