"""What a first pass thinks of the blocks around: columns for the second pass.

Stacking along a sequence and a tree (Cohen and Carvalho, "Stacked Sequential Learning", IJCAI 2005): a block is
judged again, knowing how its neighbours, the other blocks under the same elements and the page as a whole were judged.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from detector import compiled
from detector.arrays import Floats, Ints, on_grid, side_by_side
from detector.blocks import HOLDER_LEVELS
from detector.features.context import shift, window_means
from detector.features.mass import densest_run, signed_log
from detector.labels import Label

STEPS = (-3, -2, -1, 1, 2, 3)
WINDOWS = (1, 2, 4, 8, 16)
RUN_FLOOR = 0.35  # probability above which a block adds to a run of content
RUN_CHARS = 80  # characters from which on a block's length counts no more

NAMES = (
    "p_content", "p_chrome", "p_spam", "logit_content",
    *(f"p_content@{step:+d}" for step in STEPS),
    *(f"p_spam@{step:+d}" for step in STEPS),
    *(f"{what}~{window}" for window in WINDOWS for what in ("chars_content", "p_content", "p_spam")),
    *(f"{what}_{level}" for level in range(HOLDER_LEVELS)
      for what in ("holder_content", "holder_share", "holder_mean", "holder_blocks", "holder_sure", "holder_spam")),
    "content_before", "content_after", "log_page_content", "content_share", "page_peak", "page_spam",
    "in_content_run", "after_content_start", "before_content_end", "from_content_centre",
)  # fmt: skip

_LOGIT, _LOG_TOTAL, _FROM_CENTRE = map(NAMES.index, ("logit_content", "log_page_content", "from_content_centre"))


def columns(
    proba: Floats,
    n_chars: Ints,
    holders: Ints,
    page_offsets: Ints,
) -> Floats:
    """Return float32 (n, len(NAMES)).

    Parameters
    ----------
    proba : float32 ndarray of shape (n, 3)
        First-pass probabilities in `Label` order.
    n_chars, holders, page_offsets
        As in `Blocks`.
    """
    if compiled.columns is not None:
        return _columns_compiled(compiled.columns, proba, n_chars, holders, page_offsets)
    p = len(page_offsets) - 1
    content, spam = (on_grid(proba[:, label]) for label in (Label.CONTENT, Label.SPAM))
    page = np.repeat(np.arange(p), np.diff(page_offsets))
    expected = content * n_chars
    total: Floats = np.bincount(page, expected, minlength=p) + 1.0
    around = np.nan_to_num(side_by_side([shift(proba[:, [0, 2]], page_offsets, step) for step in STEPS]))
    parts = [
        proba, np.log((content + 1e-3) / (1.001 - content)), around[:, 0::2], around[:, 1::2],
        *_window_columns(content, spam, n_chars, expected, page_offsets),
        *(_holder_columns(holders[:, k], content, spam, n_chars, expected, total[page]) for k in range(HOLDER_LEVELS)),
        _page_columns(content, spam, expected, total, page, page_offsets),
        _run_columns(content, n_chars, page_offsets, page, expected),
    ]  # fmt: skip
    return side_by_side(parts)


def _columns_compiled(loops: ModuleType, proba: Floats, n_chars: Ints, holders: Ints, page_offsets: Ints) -> Floats:
    sizes = np.diff(page_offsets)
    out = np.empty((len(NAMES), len(proba)), np.float32)
    totals, from_centre = np.zeros(len(sizes)), np.empty(len(proba))
    numbers = np.arange(int(sizes.max(initial=0)) + 1)
    loops.surroundings(
        np.ascontiguousarray(proba, np.float32), np.ascontiguousarray(n_chars, np.int64), np.ascontiguousarray(holders, np.int32),
        page_offsets, np.log(np.maximum(numbers, 1)), np.log1p(numbers), out, totals, from_centre,
    )  # fmt: skip
    content = on_grid(proba[:, Label.CONTENT])
    out[_LOGIT] = np.log((content + 1e-3) / (1.001 - content))
    out[_LOG_TOTAL] = np.repeat(np.log(np.maximum(totals, 1)), sizes)
    out[_FROM_CENTRE] = signed_log(from_centre)
    return out.T


def _window_columns(
    content: Floats,
    spam: Floats,
    n_chars: Ints,
    expected: Floats,
    page_offsets: Ints,
) -> list[Floats]:
    values = side_by_side([expected, n_chars, content, spam])
    means = window_means(values, page_offsets, WINDOWS)
    return [side_by_side([m[:, 0] / m[:, 1], m[:, 2], m[:, 3]]) for m in means]


def _holder_columns(
    holder: Ints,
    content: Floats,
    spam: Floats,
    n_chars: Ints,
    expected: Floats,
    total: Floats,
) -> Floats:
    size = np.bincount(holder)[holder]
    chars, mass = np.bincount(holder, n_chars)[holder], np.bincount(holder, expected)[holder]
    sure = np.bincount(holder, expected * (content > 0.5))[holder]
    means = [np.bincount(holder, column)[holder] / size for column in (content, spam)]
    return side_by_side([mass / chars, mass / total, means[0], np.log(size), sure / total, means[1]])


def _page_columns(
    content: Floats,
    spam: Floats,
    expected: Floats,
    total: Floats,
    page: Ints,
    page_offsets: Ints,
) -> Floats:
    upto = np.concatenate([[0], np.cumsum(expected)])
    before = (upto[:-1] - upto[page_offsets[:-1]][page]) / total[page]
    after = 1 - before - expected / total[page]
    peak = np.zeros(len(total))
    np.maximum.at(peak, page, content)
    mean_spam = np.bincount(page, spam, minlength=len(total)) / np.maximum(np.diff(page_offsets), 1)
    return side_by_side([before, after, np.log(total)[page], expected / total[page], peak[page], mean_spam[page]])


def _run_columns(
    content: Floats,
    n_chars: Ints,
    page_offsets: Ints,
    page: Ints,
    expected: Floats,
) -> Floats:
    gain = (content - RUN_FLOOR) * np.minimum(n_chars, RUN_CHARS) - 1
    first, last = densest_run(gain, page_offsets)
    index = np.arange(len(content)) - page_offsets[page]
    weight = np.maximum(np.bincount(page, expected, minlength=len(page_offsets) - 1), 1e-9)
    centre = np.bincount(page, expected * index, minlength=len(page_offsets) - 1) / weight
    first, last = first - page_offsets[page], last - page_offsets[page]
    inside = (index >= first) & (index <= last)
    distances = [signed_log(index - first), signed_log(last - index), signed_log(index - centre[page])]
    return side_by_side([inside, *distances])
