"""The columns of the blocks before and after: one block alone says little of what it is."""

from __future__ import annotations

import numpy as np

from detector.arrays import Bools, Floats, Ints

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
    page = np.repeat(np.arange(len(page_offsets) - 1), np.diff(page_offsets))
    source = np.arange(n) + step
    inside = (source >= page_offsets[page]) & (source < page_offsets[page + 1])
    out = np.full_like(column, np.nan)
    out[inside] = column[source[inside]]
    return out


def window_mean(column: Floats, page_offsets: Ints, reach: int) -> Floats:
    """Average a column over the blocks up to `reach` away on the same page, the block itself included.

    Unknown values are left out; the average of nothing known is NaN.
    """
    page = np.repeat(np.arange(len(page_offsets) - 1), np.diff(page_offsets))
    index = np.arange(len(column))
    low = np.maximum(index - reach, page_offsets[page])
    high = np.minimum(index + reach + 1, page_offsets[page + 1])
    known = ~np.isnan(column)
    if known.all():
        width = (high - low).reshape(-1, *[1] * (column.ndim - 1))
        mean: Floats = _between(column, low, high) / width
        return mean.astype(np.float32)
    total, count = _between(np.where(known, column, 0), low, high), _between(known, low, high)
    mean = np.divide(total, count, out=np.full(column.shape, np.nan), where=count > 0)
    return mean.astype(np.float32)


def _between(column: Floats | Bools, low: Ints, high: Ints) -> Floats:
    upto = np.concatenate([np.zeros((1, *column.shape[1:])), np.cumsum(column, axis=0, dtype=np.float64)])
    difference: Floats = upto[high] - upto[low]
    return difference


def columns(X: Floats, names: tuple[str, ...], page_offsets: Ints) -> Floats:
    """Return float32 (n, len(NAMES)) from the columns `X` of the block itself, called `names`."""
    shifted = X[:, [names.index(name) for name in SHIFTED]]
    averaged = X[:, [names.index(name) for name in AVERAGED]]
    parts = [shift(shifted, page_offsets, step) for step in STEPS]
    parts += [window_mean(averaged, page_offsets, window) for window in WINDOWS]
    return np.concatenate(parts, axis=1)
