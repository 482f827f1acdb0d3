"""Keyword cues: how much of a block the terms of each cue file cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.blocks import Blocks
from detector.lexicon import GROUPS, Lexicon

NAMES = tuple(f"cue_{group}" for group in GROUPS) + tuple(f"cover_{group}" for group in GROUPS)


def columns(blocks: Blocks, lexicon: Lexicon) -> NDArray[np.float32]:
    """Return float32 (n, len(NAMES)): ``log(1 + weighted hits)`` and the share of characters covered, by group."""
    n, g = len(blocks), len(GROUPS)
    term, block, start, stop = lexicon.hits(blocks)
    cell = block * g + lexicon.group[term]
    hits = np.bincount(cell, lexicon.weight[term], minlength=n * g).reshape(n, g)
    cover = np.bincount(cell, stop - start, minlength=n * g).reshape(n, g) / blocks.n_chars[:, None]
    return np.column_stack([np.log1p(hits), cover]).astype(np.float32)
