"""What the words of a block say: scores of the linear n-gram model, a column for each class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.blocks import Blocks
from detector.ngrams import Words, block_scores

NAMES = ("words_content", "words_chrome", "words_spam")


def columns(blocks: Blocks, words: Words) -> NDArray[np.float32]:
    """Return float32 (n, 3): decision values, before any softmax."""
    return block_scores(blocks, words)
