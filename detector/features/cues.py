"""Keyword cues: how much of a block the terms of each cue file cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.arrays import side_by_side
from detector.blocks import Blocks
from detector.lexicon import GROUPS, Hits, Lexicon

NAMES = tuple(f"cue_{group}" for group in GROUPS) + tuple(f"cover_{group}" for group in GROUPS)


def columns(blocks: Blocks, lexicon: Lexicon, found: Hits) -> NDArray[np.float32]:
    """Return float32 (n, len(NAMES)): ``log(1 + weighted hits)`` and the share of characters covered, by group."""
    term, block, start, stop = found
    if compiled.columns is not None:
        out = np.zeros((2, len(GROUPS), len(blocks)))
        compiled.columns.cue_sums(term, block, start, stop, lexicon.weight, *out)
        return side_by_side([np.log1p(out[0], out=out[0], where=out[0] > 0).T, (out[1] / blocks.n_chars).T])
    weight = lexicon.weight[term]
    covered = (weight > 0) * (stop - start)[:, None]
    hits = np.stack([np.bincount(block, column, minlength=len(blocks)) for column in weight.T])
    cover = np.stack([np.bincount(block, column, minlength=len(blocks)) for column in covered.T])
    return side_by_side([np.log1p(hits).T, (cover / blocks.n_chars).T])
