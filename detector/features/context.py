"""The columns of the blocks before and after: one block alone says little of what it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector import compiled
from detector.arrays import Bools, Floats, Ints, on_grid

STEPS = (-3, -2, -1, 1, 2, 3)
WINDOWS = (2, 5, 12)  # blocks to each side

# What is worth knowing of a neighbour.
SHIFTED = (
    "log_chars", "link_density", "stop_share", "pause_share", "log_stops", "tag_p", "depth", "bold_share",
    "cue_byline", "cue_related", "cue_legal", "cue_navigation", "cue_share", "cue_gambling", "has_date", "title_cover",
    "log_images", "words_content", "words_chrome", "words_spam",
)  # fmt: skip
AVERAGED = (
    "log_chars", "link_density", "pause_share", "stop_share", "cue_legal", "cue_related", "cue_gambling",
    "cover_gambling", "in_run", "site_share", "words_content", "words_chrome", "words_spam",
)  # fmt: skip

NAMES = (
    *(f"{name}@{step:+d}" for step in STEPS for name in SHIFTED),
    *(f"{name}~{window}" for window in WINDOWS for name in AVERAGED),
)


def shift(column: Floats, page_offsets: Ints, step: int) -> Floats:
    """Move a per-block column by whole blocks without crossing a page edge.

    Parameters
    ----------
    column : float32 ndarray of shape (n,) or (n, k)
        One value or row per block, in reading order, pages back to back.
    page_offsets : int64 ndarray of shape (p + 1,)
    step : int
        Distance in blocks: ``-1`` looks at the block before, ``+1`` at the one after.

    Returns
    -------
    float32 ndarray of the same shape
        NaN where the neighbour would lie on another page.

    Raises
    ------
    ValueError
        If `step` is 0, or the offsets do not end at n.

    Examples
    --------
    >>> shift(np.float32([1, 2, 3, 4]), np.array([0, 3, 3, 4]), -1)
    array([nan,  1.,  2., nan], dtype=float32)
    """
    n = len(column)
    if step == 0 or page_offsets[-1] != n:
        raise ValueError("the step is 0, or the page offsets do not fit the column")
    out = np.empty_like(column)
    if step < 0:
        out[-step:] = column[:step]
        edges = page_offsets[:-1, None] + np.arange(-step)
        beyond = edges[edges < page_offsets[1:, None]]
    else:
        out[:-step] = column[step:]
        edges = page_offsets[1:, None] - 1 - np.arange(step)
        beyond = edges[edges >= page_offsets[:-1, None]]
    out[beyond] = np.nan
    return out


def window_means(column: Floats, page_offsets: Ints, reaches: Sequence[int]) -> list[Floats]:
    """Average a column over the blocks up to each of `reaches` away on the same page, the block itself included.

    Unknown values are left out; the average of nothing known is NaN.
    """
    index = np.arange(len(column))
    first, last = (np.repeat(bound, np.diff(page_offsets)) for bound in (page_offsets[:-1], page_offsets[1:]))
    windows = [(np.maximum(index - reach, first), np.minimum(index + reach + 1, last)) for reach in reaches]
    known = ~np.isnan(column)
    sums = _sums(np.where(known, column, 0))
    if known.all():
        counts = [(high - low).reshape(-1, *[1] * (column.ndim - 1)) for low, high in windows]
    else:
        numbers = _sums(known)
        counts = [_between(numbers, *window) for window in windows]
    return [_mean(_between(sums, *window), count) for window, count in zip(windows, counts, strict=True)]


def _sums(column: Floats | Bools) -> Floats:
    """Sums up to each block, float64 (n + 1, …)."""
    out = np.zeros((*column.shape[:0:-1], len(column) + 1))
    np.cumsum(on_grid(column).T, axis=-1, out=out[..., 1:])
    return out.T


def _between(sums: Floats, low: Ints, high: Ints) -> Floats:
    difference: Floats = sums.T[..., high] - sums.T[..., low]
    return difference.T


def _mean(total: Floats, count: Floats | Ints) -> Floats:
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean.astype(np.float32)


def columns(X: Floats, names: tuple[str, ...], page_offsets: Ints) -> list[Floats]:
    """Return float32 (n, len(NAMES)), in parts, from the columns `X` of the block itself, called `names`."""
    moved, meant = ([names.index(name) for name in some] for some in (SHIFTED, AVERAGED))
    if X.shape[1] != len(names):
        raise ValueError("the columns are not as many as their names")
    if compiled.columns is not None and X.dtype == np.float32 and X.flags.f_contiguous:
        out = np.empty((len(NAMES), len(X)), np.float32)
        whole = (np.array(numbers, np.int64) for numbers in (moved, STEPS, meant, WINDOWS))
        compiled.columns.neighbours(X.T, page_offsets, *whole, out)
        return [out.T]
    shifted, averaged = X.T[moved].T, X.T[meant].T
    parts = [shift(shifted, page_offsets, step) for step in STEPS]
    return [*parts, *window_means(averaged, page_offsets, WINDOWS)]
