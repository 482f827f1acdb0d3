"""The texts of a batch of pages as one array of characters, measured and weighed.

All texts of all pages are joined, with an edge between them; places are places in that array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.background import Background, join
from detector.chars import EDGE_CODE, text_of
from detector.heat import Heat, Traits, measure_and_score
from detector.lexicon import Hits, Lexicon
from detector.topic import Topical

# Empty texts behind each page, which set it apart from the next: nothing that is measured reaches over so many edges,
# and so a page is judged in a batch as it is alone.
APART = ("",) * 16
MAX_SPACES = 0.25  # of a text's characters; beyond, all characters are set apart, and nothing can be told

CUE_GROUPS = ("brand", "root", "tail", "gambling", "contact", "porn", "finance", "goods")


class Weighed(NamedTuple):
    """The joined texts of pages, weighed.

    Attributes
    ----------
    texts : list of str
        Of all pages, one after another.
    first : int64 ndarray of shape (p + 1,)
        Page ``i`` has the texts ``first[i]`` to ``first[i + 1]``; the first of them is its title, the last are `APART`.
    starts : int64 ndarray of shape (t + 1,)
        Where each text begins, and where one more would.
    plain : str
        All characters, folded.
    traits : Traits
    hot : float32 ndarray of shape (n_chars,)
        Log odds by `heat` alone; minus infinity where nothing can be told.
    page : int64 ndarray of shape (n_chars,)
        The page of each character.
    reports : int64 ndarray
        Where talk about gambling is cued.
    background : Background
        How often characters occur together at large.
    topical : Topical
    """

    texts: list[str]
    first: NDArray[np.int64]
    starts: NDArray[np.int64]
    plain: str
    traits: Traits
    hot: NDArray[np.float32]
    page: NDArray[np.int64]
    reports: NDArray[np.int64]
    background: Background
    topical: Topical

    def offsets(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of some ascending places are each page's: those from one offset to the next, int64 (p + 1,)."""
        return np.searchsorted(self.page[places], np.arange(len(self.first)))


class Cued(NamedTuple):
    """Cues that have been found already, in those texts that are blocks.

    `number` is the number of each text's block among those of `hits`, -1 for a text that is none; int64 (n_texts,), for
    the texts of all pages in order.
    """

    number: NDArray[np.int64]
    hits: Hits


def weigh(pages: Sequence[Sequence[str]], heat: Heat, lexicon: Lexicon, cued: Cued | None = None) -> Weighed:
    """Measure and weigh all characters of all pages at once."""
    texts = [text for page in pages for text in (*page, *APART)]
    codes, starts = join(texts, len(APART))
    found = lexicon.find(codes) if cued is None else _cues_of(texts, starts, pages, lexicon, cued)
    cues, reports = cue_codes(found, len(codes), lexicon)
    traits, hot = measure_and_score(codes, cues, heat)
    hot[(codes == EDGE_CODE) | _spaced_out(codes, starts)] = -np.inf
    first = np.cumsum([0, *(len(page) + len(APART) for page in pages)])
    bounds = np.concatenate([starts, [len(codes)]]).astype(np.int64)
    page = np.repeat(np.arange(len(pages)), np.diff(bounds[first]))
    page = np.concatenate([np.zeros(len(APART), np.int64), page])
    topical = Topical.of(traits.steps)
    return Weighed(texts, first, bounds, text_of(traits.folded), traits, hot, page, reports, heat.background, topical)


def _spaced_out(codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the characters of texts that are mostly spaces."""
    sizes = np.diff(np.concatenate([starts, [len(codes)]]))
    share = np.add.reduceat(codes == ord(" "), starts, dtype=np.float64) / sizes
    return np.concatenate([np.zeros(int(starts[0]), bool), np.repeat(share > MAX_SPACES, sizes)])


def _cues_of(
    texts: Sequence[str], starts: NDArray[np.int64], pages: Sequence[Sequence[str]], lexicon: Lexicon, cued: Cued
) -> NDArray[np.int64]:
    """Put the cues of blocks where the blocks stand among the joined texts, and look for those of the other texts."""
    given = np.concatenate([np.arange(len(page) + len(APART)) < len(page) for page in pages])  # the others are `APART`
    number = np.full(len(texts), -1)
    number[given] = cued.number
    begin = np.full(int(max(number.max(initial=-1), cued.hits.block.max(initial=-1))) + 1, -1)
    begin[number[number >= 0]] = starts[number >= 0]
    at = begin[cued.hits.block]
    known = np.column_stack([cued.hits.term, at + cued.hits.start, at + cued.hits.stop])[at >= 0]
    others = [i for i in np.flatnonzero(number < 0).tolist() if texts[i]]
    codes, first = join([texts[i] for i in others])
    found = lexicon.find(codes)
    if len(found):
        text = np.searchsorted(first, found[:, 1], "right") - 1
        found[:, 1:] += (starts[others] - first)[text][:, None]
    return np.concatenate([known, found])


def cue_codes(found: NDArray[np.int64], n_chars: int, lexicon: Lexicon) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the number of the cue group that covers each character, 0 for none; and where talk about gambling is cued."""
    out = np.zeros(n_chars, np.uint8)
    number = lexicon.member(CUE_GROUPS)[found[:, 0]]
    _, start, stop = found[number > 0].T
    sizes = stop - start
    covered = np.arange(sizes.sum()) + np.repeat(start - np.cumsum(sizes) + sizes, sizes)
    out[covered] = np.repeat(number[number > 0], sizes)
    return out, np.sort(found[lexicon.member(("report",))[found[:, 0]] > 0, 1])
