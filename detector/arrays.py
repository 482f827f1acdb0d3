"""Short names for kinds of arrays, where the exact width does not matter; sums that are exact; feature matrices, put together by columns.

Docstrings give dtypes and shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]


GRID = 2.0**20


def on_grid(values: Floats | Bools) -> NDArray[np.float64]:
    """Round to multiples of ``2 ** -20``, float64.

    Sums of such numbers are exact up to ``2 ** 33``, and so the difference of two running sums does not depend on what was
    added up before, such as the other pages of a batch.
    """
    rounded: NDArray[np.float64] = np.rint(values * GRID, dtype=np.float64)
    return rounded / GRID


def side_by_side(parts: Sequence[Floats | Ints | Bools]) -> NDArray[np.float32]:
    """Put columns, (n,) or (n, k) each, side by side, float32 (n, k of all).

    Each column is contiguous: that is how columns are made, moved by whole blocks, averaged and scaled.
    """
    widths = [1 if part.ndim == 1 else part.shape[1] for part in parts]
    rows = np.empty((sum(widths), len(parts[0])), np.float32)
    for part, width, end in zip(parts, widths, accumulate(widths), strict=True):
        rows[end - width : end] = part.T
    return rows.T
