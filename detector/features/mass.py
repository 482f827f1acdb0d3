"""Where the text of a page is massed: under the same elements, in the densest run, after the headline."""

from __future__ import annotations

import numpy as np

from detector import compiled
from detector.arrays import Bools, Floats, Ints, on_grid, side_by_side
from detector.blocks import HOLDER_LEVELS, Blocks
from detector.chars import code_points
from detector.features.shape import PAUSE, STOP, count

NAMES = (
    *(f"{what}_{level}" for level in range(HOLDER_LEVELS)
      for what in ("mass_share", "log_mass", "link_share", "log_siblings", "prose_share")),
    "in_run", "after_run_start", "before_run_end", "run_share",
    "title_match", "title_cover", "after_headline", "chars_after_headline", "log_page_prose",
)  # fmt: skip

LONG_TITLE = 200  # characters; a longer one is looked for as Python does it, in linear time
RUN_COST = 12.0  # prose characters that one more block must bring to belong to the densest run


def prose_chars(blocks: Blocks) -> Floats:
    """Return characters outside links of blocks that have sentence punctuation, float32 (n,)."""
    counted = count(blocks).classes
    has_marks = (counted[STOP] > 0) | (counted[PAUSE] > 0)
    return np.where(has_marks, blocks.n_chars - blocks.link_chars, 0).astype(np.float32)


def columns(blocks: Blocks) -> Floats:
    """Return float32 (n, len(NAMES)); distances are signed logs of blocks or characters, NaN without a headline."""
    prose = prose_chars(blocks)
    page = blocks.page_index
    total: Floats = np.bincount(page, prose, minlength=len(blocks.page_ids)).astype(np.float64)[page]
    levels = [_level_columns(sums, total) for sums in _under_elements(blocks, prose)]
    run = _run_columns(blocks, prose, total)
    headline = _headline_columns(blocks, page)
    return side_by_side([*levels, *run, *headline, np.log1p(total)])


def _under_elements(blocks: Blocks, prose: Floats) -> Floats:
    """Add up what stands under each block's elements: blocks, characters, those of links, prose; (HOLDER_LEVELS, 4, n)."""
    out = np.empty((HOLDER_LEVELS, 4, len(blocks)))
    if compiled.columns is not None:
        compiled.columns.under_elements(blocks.holders, blocks.n_chars, blocks.link_chars, prose, out)
        return out
    for level, holder in enumerate(blocks.holders.T):  # an element's number is unique in the batch
        for i, column in enumerate((None, blocks.n_chars, blocks.link_chars, prose)):
            out[level, i] = np.bincount(holder, column)[holder]
    return out


def _level_columns(sums: Floats, total: Floats) -> Floats:
    siblings, chars, links, mass = sums
    share = mass / np.maximum(total, 1)
    return side_by_side([share, np.log1p(mass), links / chars, np.log(siblings), mass / chars])


def densest_run(gain: Floats, page_offsets: Ints) -> tuple[Ints, Ints]:
    """Find each page's run of blocks with the greatest sum of `gain`: Kadane's method, over all pages at once.

    Returns
    -------
    first, last : int64 ndarrays of shape (n,)
        For each block, the bounds of its page's run, both inside it.
    """
    n = len(gain)
    if n == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    sizes = np.diff(page_offsets)
    filled = np.flatnonzero(sizes)
    starts, sizes = page_offsets[filled], sizes[filled]
    page = np.repeat(np.arange(len(filled)), sizes)
    gain = on_grid(gain)
    # Pages are set apart by steps larger than any sum, so that one running minimum serves them all.
    step = page * np.ceil(np.abs(gain).sum() + 1)
    after = np.cumsum(gain) - step
    before = np.concatenate([[0], np.cumsum(gain)[:-1]]) - step
    low = np.minimum.accumulate(before)
    best = after - low
    end = _first_in_page(best == np.maximum.reduceat(best, starts)[page], starts)
    start = _first_in_page(before == low[end][page], starts)
    return start[page], end[page]


def _run_columns(blocks: Blocks, prose: Floats, total: Floats) -> list[Floats | Bools]:
    first, last = densest_run(prose.astype(np.float64) - RUN_COST, blocks.page_offsets)
    index, page = np.arange(len(blocks)), blocks.page_index
    inside = (index >= first) & (index <= last)
    chars = np.bincount(page[inside], prose[inside], minlength=len(blocks.page_ids))[page]
    return [inside, signed_log(index - first), signed_log(last - index), chars / np.maximum(total, 1)]


def _first_in_page(mask: Bools, starts: Ints) -> Ints:
    """Return the first true index at or after each start."""
    return np.minimum.reduceat(np.where(mask, np.arange(len(mask)), len(mask)), starts)


def signed_log(x: Ints | Floats) -> Floats:
    """Return ``sign(x) log(1 + |x|)``."""
    size, sign = np.abs(x), np.sign(x)
    if x.dtype.kind == "i" and (most := size.max(initial=0)) <= len(x):  # of few numbers, each logarithm is taken once
        return sign * np.log1p(np.arange(most + 1))[size]
    return sign * np.log1p(size)


def _headline_columns(blocks: Blocks, page: Ints) -> list[Floats]:
    """Match of each block with the page's title, and how far behind the best match it stands."""
    match, cover = np.zeros(len(blocks)), np.zeros(len(blocks))
    headline = np.full(len(blocks.page_ids), -1)
    for i, title in enumerate(blocks.titles):
        first, last = blocks.page_offsets[i], blocks.page_offsets[i + 1]
        if title and last > first:
            match[first:last], cover[first:last] = _title_match(blocks, title, first, last)
            worth = match[first:last] * cover[first:last]
            if worth.max() > 0.2:
                headline[i] = first + int((worth >= 0.9 * worth.max()).nonzero()[0][-1])
    index = np.arange(len(blocks))
    at = headline[page]
    known = at >= 0
    distance = np.where(known, signed_log(index - at), np.nan)
    chars = np.where(known, signed_log(blocks.text_offsets[:-1] - blocks.text_offsets[at]), np.nan)
    return [match, cover, distance, chars]


def _title_match(blocks: Blocks, title: str, first: int, last: int) -> tuple[Floats, Floats]:
    """Share of the block's, and of the title's, characters in blocks that the title holds (or that hold the title)."""
    bare = title.replace(" ", "")
    match, cover = np.zeros(last - first), np.zeros(last - first)
    if compiled.text is not None and 0 < len(bare) <= LONG_TITLE:
        offsets = blocks.text_offsets[first : last + 1]
        compiled.text.match_title(blocks.codes, offsets, code_points(bare), len(title), match, cover)
        return match, cover
    n_chars = blocks.n_chars[first:last]
    starts = blocks.text_offsets[first:last]
    candidates = np.flatnonzero((n_chars >= 4) & (n_chars <= 2 * len(title) + 8))
    for i, start, size in zip(
        candidates.tolist(), starts[candidates].tolist(), n_chars[candidates].tolist(), strict=True
    ):
        if blocks.text[start] not in bare:  # most share nothing with the title
            continue
        text = blocks.text[start : start + size].replace(" ", "")
        common = len(text) if text in bare else _common_prefix(text, bare)
        match[i], cover[i] = common / max(len(text), 1), common / len(bare)
    return match, cover


def _common_prefix(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
