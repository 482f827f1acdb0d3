"""Where a block stands in its page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.arrays import side_by_side
from detector.blocks import Blocks

NAMES = ("block_place", "char_place", "log_index", "log_index_from_end", "log_page_blocks", "log_page_chars")


def columns(blocks: Blocks) -> NDArray[np.float32]:
    """Return float32 (n, len(NAMES)); places in [0, 1] from the start of the page."""
    page = blocks.page_index
    start, size = blocks.page_offsets[:-1][page], np.diff(blocks.page_offsets)[page]
    index = np.arange(len(blocks)) - start
    first_char = blocks.text_offsets[blocks.page_offsets[:-1]][page]
    page_chars = np.diff(blocks.text_offsets[blocks.page_offsets])[page]
    middle = (blocks.text_offsets[:-1] + blocks.text_offsets[1:]) / 2
    out = [
        (index + 0.5) / size, (middle - first_char) / page_chars, np.log1p(index), np.log1p(size - 1 - index),
        np.log(size), np.log1p(page_chars),
    ]  # fmt: skip
    return side_by_side(out)
