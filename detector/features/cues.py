"""Keyword cues: how much of a block the terms of each cue file cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.blocks import Blocks
from detector.lexicon import GROUPS, Hits, Lexicon

NAMES = tuple(f"cue_{group}" for group in GROUPS) + tuple(f"cover_{group}" for group in GROUPS)


def columns(blocks: Blocks, lexicon: Lexicon, found: Hits) -> NDArray[np.float32]:
    """Return float32 (n, len(NAMES)): ``log(1 + weighted hits)`` and the share of characters covered, by group."""
    term, block, start, stop = found
    weight = lexicon.weight[term]
    covered = (weight > 0) * (stop - start)[:, None]
    hits, cover = (
        np.column_stack([np.bincount(block, column, minlength=len(blocks)) for column in columns.T])
        for columns in (weight, covered)
    )
    return np.hstack([np.log1p(hits), cover / blocks.n_chars[:, None]]).astype(np.float32)
