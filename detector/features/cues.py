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
    hits, cover = np.zeros((2, len(blocks), len(GROUPS)), np.float32)
    np.add.at(hits, block, weight)
    np.add.at(cover, block, (weight > 0) * (stop - start)[:, None])
    return np.column_stack([np.log1p(hits), cover / blocks.n_chars[:, None]]).astype(np.float32)
