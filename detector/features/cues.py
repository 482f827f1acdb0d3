"""Keyword cues: how much of a block the terms of each cue file cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.arrays import side_by_side
from detector.blocks import Blocks
from detector.lexicon import GROUPS, Hits, Lexicon

NAMES = tuple(f"cue_{group}" for group in GROUPS) + tuple(f"cover_{group}" for group in GROUPS)


def columns(blocks: Blocks, lexicon: Lexicon, found: Hits) -> NDArray[np.float32]:
    """Return float32 (n, len(NAMES)): ``log(1 + weighted hits)`` and the share of characters covered, by group."""
    term, block, start, stop = found
    weight = lexicon.weight[term]
    covered = (weight > 0) * (stop - start)[:, None]
    hits = [np.log1p(np.bincount(block, column, minlength=len(blocks))) for column in weight.T]
    cover = [np.bincount(block, column, minlength=len(blocks)) / blocks.n_chars for column in covered.T]
    return side_by_side([*hits, *cover])
